//! The servers that are measured. Each has one tool, `echo`.

use std::io::{BufRead, Write};

use fastmcp_rs::DynamicTool;
use fastmcp_rs::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The least that a server can do: borrowed fields, canned answers, no framework.
pub fn floor() {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
        method: &'a str,
        #[serde(borrow)]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, default)]
        arguments: Option<Arguments<'a>>,
    }
    #[derive(Deserialize)]
    struct Arguments<'a> {
        #[serde(borrow)]
        text: &'a RawValue,
    }
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut line, mut answer) = (String::new(), Vec::new());
    while input.read_line(&mut line).is_ok_and(|count| count > 0) {
        let request: Request<'_> = serde_json::from_str(&line).expect("the client is known");
        answer.clear();
        answer.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        answer.extend_from_slice(request.id.get().as_bytes());
        if request.method == "server/discover" {
            answer.extend_from_slice(b",\"result\":{\"supportedVersions\":[\"2026-07-28\"]}}\n");
        } else {
            answer.extend_from_slice(b",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
            let text = request.params.arguments.map_or("\"\"", |arguments| arguments.text.get());
            answer.extend_from_slice(text.as_bytes());
            answer.extend_from_slice(b"}]}}\n");
        }
        output.write_all(&answer).and_then(|()| output.flush()).expect("the client reads");
        line.clear();
    }
}

/// Returns the text unchanged.
#[mcp::tool]
async fn echo(text: String) -> String {
    text
}

#[mcp::main]
pub async fn fastmcp() {
    App::empty("figures").tool::<echo>().run_stdio().await.expect("the server runs");
}

/// A server with so many tools beside `echo`, each with an argument and a description.
#[tokio::main(flavor = "current_thread")]
pub async fn fastmcp_with_tools(count: usize) {
    let mut app = App::empty("figures").tool::<echo>();
    for number in 1..count {
        let schema = serde_json::json!({
            "type": "object",
            "properties": { "order_id": { "type": "string", "description": "The order, such as A-1001" } },
            "required": ["order_id"],
        });
        let answer = |_, _| async { Ok::<_, ToolError>(ToolResult::text("done")) };
        let tool = DynamicTool::new(format!("tool_{number}"), schema, answer).description("Does one thing to an order");
        app = app.add_tool(tool);
    }
    app.run_stdio().await.expect("the server runs");
}

mod official {
    use rmcp::handler::server::wrapper::Parameters;
    use rmcp::schemars::{self, JsonSchema};
    use rmcp::{tool, tool_router};
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    pub struct EchoArguments {
        text: String,
    }

    #[derive(Clone)]
    pub struct Echo;

    #[tool_router(server_handler)]
    impl Echo {
        #[tool(description = "Returns the text unchanged")]
        async fn echo(&self, Parameters(EchoArguments { text }): Parameters<EchoArguments>) -> String {
            text
        }
    }
}

/// The official SDK: as it is documented, or with its quicker transport.
#[tokio::main]
pub async fn rmcp(pipes: bool) {
    use rmcp::ServiceExt;
    let server = if pipes {
        official::Echo.serve(rmcp::transport::stdio_pipes()).await
    } else {
        official::Echo.serve(rmcp::transport::stdio()).await
    };
    let _ = server.expect("the server runs").waiting().await;
}
