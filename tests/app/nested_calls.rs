//! Nested calls: handlers that call, read and get other components of their server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastmcp_rs::content::Role;
use fastmcp_rs::middleware::{self, Method, Next, Operation, Response};
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::middleware::Client;
use super::run;
use super::support::Revision;

/// The rules.
#[mcp::resource("shop://rules")]
async fn rules(ctx: &Context) -> Vec<ResourceContents> {
    ctx.progress(1.0, None, "reading the rules");
    let who = ctx.client_info().name.unwrap_or_default();
    vec![
        ResourceContents::text(format!("rules for {who}")).meta("shop/edition", 3),
        ResourceContents::blob(b"\x00\x01").mime_type("image/png").uri("shop://rules/cover"),
    ]
}

/// An order.
#[mcp::resource("shop://orders/{id}")]
fn order(id: u32) -> Result<String, ToolError> {
    match id {
        0 => Err(ToolError::new("orders are numbered from 1")),
        13 => Err(std::io::Error::other("the password is hunter2").into()),
        id => Ok(format!("order {id}")),
    }
}

/// Asks what to do.
#[mcp::prompt]
fn review(id: u32, note: &str) -> Vec<Message> {
    vec![
        Message::user(EmbeddedResource::text("shop://orders", format!("{id}")).mime_type("text/plain")),
        Message::assistant(ResourceLink::new("shop://rules", "rules").title(note)),
    ]
}

/// Adds.
#[mcp::tool]
async fn add(a: i64, b: i64) -> Sum {
    Sum { sum: a + b }
}

#[mcp::model]
struct Sum {
    sum: i64,
}

/// Falls over.
#[mcp::tool]
async fn fall() -> String {
    panic!("the password is hunter2")
}

/// Is slow.
#[mcp::tool(timeout = "20ms")]
async fn slow() -> String {
    std::future::pending().await
}

/// Asks for everything.
#[mcp::tool]
async fn ask_all(ctx: &Context) -> Result<String, ToolError> {
    let rules = ctx.read_resource("shop://rules").await?;
    assert_eq!(rules[1], ResourceContents::blob(b"\x00\x01").mime_type("image/png").uri("shop://rules/cover"));
    assert_eq!(rules[1].bytes().as_deref(), Some(&b"\x00\x01"[..]));
    let text = rules[0].as_text().unwrap_or_default().to_owned();
    let expected = ResourceContents::text(&text).uri("shop://rules").meta("shop/edition", 3);
    assert_eq!(rules[0], expected, "nothing is lost, whatever the client's revision has");

    let messages = ctx.get_prompt("review", json!({"id": 7, "note": "n"})).await?;
    assert_eq!((messages[0].role(), messages[1].role()), (Role::User, Role::Assistant));
    let link = ResourceLink::new("shop://rules", "rules").title("n");
    assert_eq!(*messages[1].content(), Content::from(link));

    let sum = ctx.call_tool("add", json!({"a": 1, "b": "2"})).await?;
    assert_eq!(sum.structured_content(), Some(&json!({"sum": 3})));
    assert_eq!(sum.as_text(), r#"{"sum":3}"#);
    Ok(format!("{text}; {}", ctx.read_resource("shop://orders/5").await?[0].as_text().unwrap_or_default()))
}

/// Asks for one thing.
#[mcp::tool]
async fn ask_for(kind: &str, name: &str, arguments: Option<Payload>, ctx: &Context) -> Result<String, ToolError> {
    let arguments = arguments.map_or(Value::Null, |payload| payload.value());
    match kind {
        "resource" => ctx.read_resource(name).await.map(|items| format!("{} items", items.len())),
        "prompt" => ctx.get_prompt(name, arguments).await.map(|messages| format!("{} messages", messages.len())),
        _ => ctx.call_tool(name, arguments).await.map(|result| result.as_text()),
    }
}

#[mcp::model]
struct Payload {
    /// JSON.
    json: String,
}

impl Payload {
    fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

/// Shows a resource with its MIME type.
#[mcp::tool]
async fn embed(uri: &str, ctx: &Context) -> Result<EmbeddedResource, ToolError> {
    ctx.embed_resource(uri).await
}

/// A picture.
#[mcp::resource("shop://picture", mime_type = "image/png")]
async fn picture() -> ResourceContents {
    ResourceContents::blob(b"\x00\x01").meta("shop/edition", 3)
}

static TURNS: AtomicUsize = AtomicUsize::new(0);

/// Reads itself.
#[mcp::resource("shop://mirror")]
async fn mirror(ctx: &Context) -> Result<Vec<ResourceContents>, ToolError> {
    TURNS.fetch_add(1, Ordering::SeqCst);
    ctx.read_resource("shop://mirror").await
}

/// A secret that the user must agree to.
#[mcp::resource("shop://secret")]
async fn secret(ctx: &Context) -> Result<String, ToolError> {
    match ctx.elicit::<bool>("Show the secret?").await? {
        ElicitationResult::Accepted(true) => Ok("42".into()),
        _ => Err(ToolError::new("the user does not want that")),
    }
}

fn app() -> App {
    App::empty("shop")
        .resource::<rules>()
        .resource::<order>()
        .resource::<mirror>()
        .resource::<secret>()
        .prompt::<review>()
        .tool::<add>()
        .tool::<fall>()
        .tool::<slow>()
        .tool::<ask_all>()
        .tool::<ask_for>()
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {answer}"))
}

#[test]
fn nested_calls_return_whole_results_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let mut client = Client::connect(app(), revision).await;
            let params = json!({"name": "ask_all", "arguments": {}});
            let (reports, answer) = client.ask_with("tools/call", params, json!({"progressToken": 1})).await;
            assert!(text(&answer).starts_with("rules for "), "{answer}");
            assert!(text(&answer).ends_with("; order 5"), "{answer}");
            assert_eq!(reports.len(), 1, "what a sibling reports belongs to the request: {reports:?}");
        });
    }
}

#[test]
fn errors_of_a_nested_call_are_reported() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        for (kind, name, arguments, expected) in [
            ("resource", "shop://nothing", "", "Unknown resource: shop://nothing"),
            ("resource", "shop://orders/0", "", "orders are numbered from 1"),
            ("resource", "shop://orders/x", "", "Invalid arguments for `order`"),
            ("resource", "shop://orders/13", "", "Changing the arguments will not help"),
            ("prompt", "revue", "", "Unknown prompt: revue; did you mean \"review\"?"),
            ("prompt", "review", "{}", "`/id`"),
            ("prompt", "review", r#"{"id": 1, "note": "x"}"#, "2 messages"),
            ("tool", "ad", "", "Unknown tool: ad; did you mean \"add\"?"),
            ("tool", "add", r#"{"a": 1}"#, "Invalid arguments for `add`"),
            ("tool", "add", "[1]", "Changing the arguments will not help"),
            ("tool", "fall", "{}", "Changing the arguments will not help"),
            ("tool", "slow", "{}", "`slow` timed out after 20ms."),
        ] {
            let arguments = json!({"kind": kind, "name": name, "arguments": {"json": arguments}});
            let answer = client.call("ask_for", arguments).await;
            assert!(text(&answer).contains(expected), "{kind} {name}: {answer}");
            assert!(!answer.to_string().contains("hunter2"), "{answer}");
        }
    });
}

#[test]
fn a_resource_of_the_server_is_embedded_with_its_type() {
    for revision in Revision::ALL {
        run(async {
            let app = app().resource::<picture>().tool::<embed>();
            let mut client = Client::connect(app, revision).await;
            let order = client.call("embed", json!({"uri": "shop://orders/5"})).await;
            let resource = json!({"uri": "shop://orders/5", "mimeType": "text/plain", "text": "order 5"});
            assert_eq!(order["result"]["content"], json!([{"type": "resource", "resource": resource}]));
            let picture = client.call("embed", json!({"uri": "shop://picture"})).await;
            let resource = &picture["result"]["content"][0]["resource"];
            assert_eq!((&resource["mimeType"], &resource["blob"]), (&json!("image/png"), &json!("AAE=")));
            let missing = client.call("embed", json!({"uri": "shop://orders/0"})).await;
            assert_eq!(text(&missing), "orders are numbered from 1");
            let several = client.call("embed", json!({"uri": "shop://rules"})).await;
            assert!(text(&several).starts_with("Internal error"), "{several}");
        });
    }
}

#[test]
fn a_loop_of_nested_calls_ends() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        let answer = client.call("ask_for", json!({"kind": "resource", "name": "shop://mirror"})).await;
        assert!(text(&answer).contains("`shop://mirror` was not called: 8 nested calls are in progress"), "{answer}");
        assert_eq!(TURNS.load(Ordering::SeqCst), 8);
    });
}

#[test]
fn nested_calls_pass_through_middleware() {
    run(async {
        let guard = middleware::from_fn(|operation: Operation, next: Next| async move {
            if operation.name() == "shop://orders/5" {
                tokio::time::sleep(Duration::from_millis(1)).await;
                return Err(ToolError::new("this order is closed").into());
            }
            next.run(operation).await
        });
        let mut client = Client::connect(app().layer(guard), Revision::NEWEST).await;
        assert_eq!(text(&client.call("ask_all", json!({})).await), "this order is closed");
    });
}

#[test]
fn a_cached_result_serves_clients_and_nested_calls() {
    type Kept = Mutex<HashMap<(Method, String, String, fastmcp_rs::Revision), Response>>;
    for revision in Revision::ALL {
        run(async {
            let kept = Arc::new(Kept::default());
            let cache = middleware::from_fn(move |operation: Operation, next: Next| {
                let kept = Arc::clone(&kept);
                async move {
                    let (name, arguments) = (operation.name().to_owned(), operation.arguments_json().to_owned());
                    let key = (operation.method(), name, arguments, operation.revision());
                    if let Some(reply) = kept.lock().unwrap().get(&key) {
                        return Ok(reply.clone());
                    }
                    let reply = next.run(operation).await?;
                    kept.lock().unwrap().insert(key, reply.clone());
                    Ok(reply)
                }
            });
            let mut client = Client::connect(app().layer(cache), revision).await;
            let add = json!({"a": 1, "b": 2});
            let through = json!({"kind": "tool", "name": "add", "arguments": {"json": add.to_string()}});
            for _ in 0..2 {
                assert_eq!(text(&client.call("ask_for", through.clone()).await), r#"{"sum":3}"#);
                assert_eq!(text(&client.call("add", add.clone()).await), r#"{"sum":3}"#);
            }
        });
    }
}

#[test]
fn a_nested_call_can_elicit() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
        let mut params = json!({"name": "ask_for", "arguments": {"kind": "resource", "name": "shop://secret"}});
        let (_, asked) = client.ask_with("tools/call", params.clone(), meta.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        params["requestState"] = asked["result"]["requestState"].clone();
        params["inputResponses"] = json!({"secret_1/elicitation_1": {"action": "accept", "content": {"value": true}}});
        let (_, answer) = client.ask_with("tools/call", params, meta).await;
        assert_eq!(text(&answer), "1 items");
    });
}
