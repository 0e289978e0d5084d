//! The official SDK in its documented and in its fastest configuration.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::handler::server::router::tool::{ToolRoute, ToolRouter};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Tool};
use rmcp::schemars::{self, JsonSchema};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{Json, tool, tool_handler, tool_router};
use serde::Deserialize;

use crate::{Order, Orders, Sum};

#[derive(Deserialize, JsonSchema)]
pub struct EchoArguments {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct AddArguments {
    a: i64,
    b: i64,
}

#[derive(Deserialize, JsonSchema)]
pub struct OrderArguments {
    order_id: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct SleepArguments {
    ms: u64,
}

#[derive(Clone)]
pub struct Tools {
    tool_router: ToolRouter<Tools>,
    orders: Arc<Orders>,
}

#[tool_router(router = tool_router)]
impl Tools {
    /// Creates a server with `count` tools, some of which do something. A `plain` one has no tool with an output
    /// schema, like the servers with which its list is compared.
    fn new(count: usize) -> Tools {
        let mut router = Tools::tool_router();
        if crate::is_of_kind("plain") {
            router.remove_route("add");
            router.remove_route("get_order");
        }
        for number in router.list_all().len()..count {
            let schema = serde_json::json!({
                "type": "object",
                "properties": { "order_id": { "type": "string", "description": "The order, such as A-1001" } },
                "required": ["order_id"],
            });
            let schema = schema.as_object().cloned().unwrap_or_default();
            let tool = Tool::new(format!("tool_{number}"), "Does one thing to an order", Arc::new(schema));
            router.add_route(ToolRoute::new_dyn(tool, |_| {
                Box::pin(async { Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into()) })
            }));
        }
        Tools { tool_router: router, orders: Arc::default() }
    }

    #[tool(description = "Returns the text unchanged")]
    async fn echo(&self, Parameters(EchoArguments { text }): Parameters<EchoArguments>) -> String {
        text
    }

    #[tool(description = "Adds two integers")]
    async fn add(&self, Parameters(AddArguments { a, b }): Parameters<AddArguments>) -> Json<Sum> {
        Json(Sum { result: a + b })
    }

    #[tool(description = "Finds an order")]
    async fn get_order(
        &self,
        Parameters(OrderArguments { order_id }): Parameters<OrderArguments>,
    ) -> Result<Json<Order>, String> {
        self.orders.find(&order_id).cloned().map(Json).ok_or_else(|| format!("there is no order {order_id}"))
    }

    #[tool(description = "Waits so long")]
    async fn sleep_ms(&self, Parameters(SleepArguments { ms }): Parameters<SleepArguments>) -> String {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        "slept".to_owned()
    }
}

#[tool_handler(router = self.tool_router)]
impl rmcp::ServerHandler for Tools {}

/// Serves with the documented transport, or with the faster one.
#[tokio::main]
pub async fn stdio() {
    let tools = Tools::new(crate::number_argument());
    let server = match crate::is_of_kind("pipes") {
        true => tools.serve(rmcp::transport::stdio_pipes()).await,
        false => tools.serve(rmcp::transport::stdio()).await,
    };
    let _ = server.expect("the server runs").waiting().await;
}

/// Serves with JSON responses, without sessions and without delays.
#[tokio::main]
pub async fn http() {
    use axum::serve::ListenerExt;
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    let tools = Tools::new(4);
    let service = StreamableHttpService::new(move || Ok(tools.clone()), LocalSessionManager::default().into(), config);
    let router = axum::Router::new().nest_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", crate::port())).await.expect("the port is free");
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.expect("the server runs");
}
