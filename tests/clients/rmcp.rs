//! Tests our servers with the client of the official Rust SDK, rmcp. The runner passes a task and reads the lines.

#![expect(deprecated, reason = "the other revisions still need the features that 2026-07-28 has deprecated")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::*;
use rmcp::service::{NotificationContext, Peer, RequestContext, RoleClient, RunningService, ServiceError};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

#[derive(Deserialize)]
struct Task {
    mode: String,
    tools: Vec<String>,
    orders: Target,
    fixture: Target,
    everything: Target,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Target {
    Command(Vec<String>),
    Url(String),
}

/// The notifications that the client receives, and its responses to requests.
struct Host {
    asks: bool,
    answer: Mutex<ElicitResult>,
    questions: Mutex<Vec<String>>,
    progress: Mutex<Vec<ProgressNotificationParam>>,
    levels: Mutex<Vec<LoggingLevel>>,
    updated: mpsc::UnboundedSender<String>,
}

type Client = RunningService<RoleClient, Arc<Host>>;

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientHandler for Host {
    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            panic!("a form is asked for");
        };
        lock(&self.questions).push(message);
        if requested_schema.properties.contains_key("confirm") {
            return Ok(lock(&self.answer).clone());
        }
        let fields = requested_schema.properties.keys();
        let content = fields.map(|field| (field.clone(), format!("my {field}").into())).collect();
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(Value::Object(content)))
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let asked = serde_json::to_value(&params.messages[0]).expect("JSON");
        let said = format!("You said: {}", asked["content"]["text"].as_str().expect("a text"));
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text(said), "none".to_owned()))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///srv")]))
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.updated.send("tools".to_owned());
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        lock(&self.progress).push(params);
    }

    async fn on_logging_message(&self, params: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        lock(&self.levels).push(params.level);
    }

    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.updated.send(params.uri);
    }

    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        if self.asks {
            capabilities.elicitation = Some(ElicitationCapability::default());
            capabilities.sampling = Some(SamplingCapability::default());
            capabilities.roots = Some(RootsCapabilities::default());
        }
        ClientConfig::new(capabilities, Implementation::new("rmcp", "3"))
    }
}

async fn connect(target: &Target, mode: &str, asks: bool) -> (Client, Arc<Host>, mpsc::UnboundedReceiver<String>) {
    let (updated, updates) = mpsc::unbounded_channel();
    let host = Arc::new(Host {
        asks,
        answer: Mutex::new(ElicitResult::new(ElicitationAction::Decline)),
        questions: Mutex::default(),
        progress: Mutex::default(),
        levels: Mutex::default(),
        updated,
    });
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match mode {
        "legacy" => ClientLifecycleMode::Initialize,
        "modern" => ClientLifecycleMode::Discover { preferred_versions },
        _ => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
    };
    let client = match target {
        Target::Command(command) => {
            let mut process = tokio::process::Command::new(&command[0]);
            process.args(&command[1..]);
            let transport = TokioChildProcess::new(process).expect("the server starts");
            host.clone().serve_with_lifecycle(transport, lifecycle).await
        }
        Target::Url(url) => {
            let transport = StreamableHttpClientTransport::from_uri(url.as_str());
            host.clone().serve_with_lifecycle(transport, lifecycle).await
        }
    };
    (client.expect("a session"), host, updates)
}

/// The name of the current check, for the line that a panic prints.
static CHECKED: Mutex<&str> = Mutex::new("connect");

async fn check<T>(name: &'static str, test: impl Future<Output = T>) -> T {
    *lock(&CHECKED) = name;
    let result = timeout(Duration::from_secs(30), test).await.expect("it takes less than 30 s");
    println!("ok {name}");
    result
}

fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("{arguments} is an object") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    client.call_tool(params(tool, arguments)).await.expect("a result")
}

fn text(result: &CallToolResult) -> &str {
    match result.content.as_slice() {
        [ContentBlock::Text(text)] => &text.text,
        other => panic!("one text block, not {other:?}"),
    }
}

fn failed(result: &CallToolResult, why: &str) {
    assert_eq!(result.is_error, Some(true), "{result:?}");
    assert!(text(result).contains(why), "{}", text(result));
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, ServiceError>, code: ErrorCode) {
    match result {
        Err(ServiceError::McpError(error)) => assert_eq!(error.code, code, "{error:?}"),
        other => panic!("refused with {code:?}, not {other:?}"),
    }
}

async fn read(client: &Client, uri: &str) -> (String, Option<String>) {
    let result = client.read_resource(ReadResourceRequestParams::new(uri)).await.expect("a resource");
    match result.contents.as_slice() {
        [ResourceContents::TextResourceContents { text, mime_type, .. }] => (text.clone(), mime_type.clone()),
        other => panic!("one text, not {other:?}"),
    }
}

async fn with_orders(task: &Task, modern: bool) {
    let (orders, host, mut updates) = check("connect", async {
        let connected = connect(&task.orders, &task.mode, true).await;
        let info = connected.0.peer_info().expect("the server has introduced itself");
        let version = if modern { ProtocolVersion::V_2026_07_28 } else { ProtocolVersion::V_2025_11_25 };
        assert_eq!(info.protocol_version, version);
        connected
    })
    .await;

    check("list tools", async {
        let tools = orders.list_all_tools().await.expect("a list");
        assert_eq!(tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>(), task.tools);
    })
    .await;

    check("call", async {
        let details = call(&orders, "get_order_details", json!({ "order_id": "ORD-102" })).await;
        assert_ne!(details.is_error, Some(true));
        assert!(text(&details).starts_with("Order ID: ORD-102\nCustomer: bob@example.com\n"), "{}", text(&details));
        failed(&call(&orders, "get_order_details", json!({ "order_id": "ORD-000" })).await, "was not found");
    })
    .await;

    check("structured content", async {
        let delivered = call(&orders, "list_orders_by_status", json!({ "status": "Delivered" })).await;
        let expected = json!([{ "id": "ORD-103", "amount": 25.0, "email": "charlie@example.com" }]);
        let expected = if modern { expected } else { json!({ "result": expected }) };
        assert_eq!(delivered.structured_content, Some(expected));
    })
    .await;

    check("bad argument", async {
        let arguments = json!({ "status": "SHIPPED", "limit": 1000 });
        failed(&call(&orders, "list_orders_by_status", arguments).await, "limit");
    })
    .await;

    check("unknown tool", async {
        refused(orders.call_tool(params("no_such_tool", json!({}))).await, ErrorCode::INVALID_PARAMS);
    })
    .await;

    check("read resource", async {
        let resources = orders.list_all_resources().await.expect("a list");
        assert_eq!(resources.iter().map(|resource| resource.uri.as_str()).collect::<Vec<_>>(), ["orders://schema"]);
        let (schema, mime_type) = read(&orders, "orders://schema").await;
        assert!(schema.contains("CREATE TABLE"), "{schema}");
        assert_eq!(mime_type.as_deref(), Some("application/sql"));
        let missing = orders.read_resource(ReadResourceRequestParams::new("orders://ORD-000")).await;
        refused(missing, if modern { ErrorCode::INVALID_PARAMS } else { ErrorCode::RESOURCE_NOT_FOUND });
    })
    .await;

    check("template", async {
        let templates = orders.list_all_resource_templates().await.expect("a list");
        let templates: Vec<_> = templates.iter().map(|template| template.uri_template.as_str()).collect();
        assert_eq!(templates, ["orders://{order_id}"]);
        let (order, _) = read(&orders, "orders://ORD-102").await;
        let order: Value = serde_json::from_str(&order).expect("JSON");
        assert_eq!(order["customer_email"], "bob@example.com");
    })
    .await;

    check("get prompt", async {
        let prompts = orders.list_all_prompts().await.expect("a list");
        assert_eq!(prompts.iter().map(|prompt| prompt.name.as_str()).collect::<Vec<_>>(), ["refund_review"]);
        let mut request = GetPromptRequestParams::new("refund_review");
        refused(orders.get_prompt(request.clone()).await, ErrorCode::INVALID_PARAMS);
        request.arguments = json!({ "order_id": "ORD-102" }).as_object().cloned();
        let prompt = orders.get_prompt(request).await.expect("a prompt");
        let ContentBlock::Text(text) = &prompt.messages[0].content else { panic!("{prompt:?}") };
        let start = "Should this order be refunded?\n\nOrder ID: ORD-102\n";
        assert!(text.text.starts_with(start), "{}", text.text);
    })
    .await;

    check("completion", async {
        let expected = ["ORD-101", "ORD-102", "ORD-103", "ORD-104"];
        let of_prompt = orders.complete_prompt_simple("refund_review", "order_id", "ORD-10").await;
        assert_eq!(of_prompt.expect("suggestions"), expected);
        let of_template = orders.complete_resource_simple("orders://{order_id}", "order_id", "ORD-10").await;
        assert_eq!(of_template.expect("suggestions"), expected);
    })
    .await;

    let cancel = async |client: &Client| call(client, "cancel_order", json!({ "order_id": "ORD-102" })).await;
    check("elicitation without the capability", async {
        let (mute, _, _) = connect(&task.orders, &task.mode, false).await;
        failed(&cancel(&mute).await, "the user must confirm it");
        mute.cancel().await.expect("it ends");
    })
    .await;

    check("elicitation declined", async {
        let kept = cancel(&orders).await.structured_content.expect("structured content");
        assert_eq!(kept["changed"], false);
        assert_eq!(lock(&host.questions).len(), 1);
    })
    .await;

    check("elicitation accepted", async {
        let answer = json!({ "confirm": true, "reason": "changed my mind" });
        *lock(&host.answer) = ElicitResult::new(ElicitationAction::Accept).with_content(answer);
        let cancelled = cancel(&orders).await.structured_content.expect("structured content");
        assert_eq!((&cancelled["changed"], &cancelled["status"]), (&json!(true), &json!("CANCELLED")));
        assert_eq!(lock(&host.questions).len(), 2);
    })
    .await;

    check("subscription", subscription(&orders, &mut updates, modern)).await;
    orders.cancel().await.expect("it ends");
}

async fn subscription(orders: &Client, updates: &mut mpsc::UnboundedReceiver<String>, modern: bool) {
    let uri = "orders://ORD-103";
    let change = json!({ "order_id": "ORD-103", "text": "Rang twice." });
    if modern {
        let filter = SubscriptionFilter::builder().resource_subscriptions(vec![uri.to_owned()]).build();
        let mut subscription = orders.listen(filter).await.expect("a subscription");
        call(orders, "add_order_note", change).await;
        match subscription.next().await.expect("a notification") {
            Some(ServerNotification::ResourceUpdatedNotification(updated)) => assert_eq!(updated.params.uri, uri),
            other => panic!("an update, not {other:?}"),
        }
        subscription.cancel().await.expect("it ends");
    } else {
        orders.subscribe(SubscribeRequestParams::new(uri)).await.expect("a subscription");
        call(orders, "add_order_note", change).await;
        assert_eq!(updates.recv().await.as_deref(), Some(uri));
        orders.unsubscribe(UnsubscribeRequestParams::new(uri)).await.expect("it ends");
    }
}

async fn with_fixture(task: &Task, modern: bool) {
    let (fixture, host, _) = connect(&task.fixture, &task.mode, false).await;

    check("progress", async {
        let done = call(&fixture, "count", json!({ "steps": 3, "rest_ms": 100 })).await;
        assert_eq!(text(&done), if modern { "3" } else { r#"{"result":3}"# });
        let seen = lock(&host.progress);
        let seen: Vec<_> = seen.iter().map(|step| (step.progress, step.total, step.message.as_deref())).collect();
        assert_eq!(seen, [1.0, 2.0, 3.0].map(|step| (step, Some(3.0), Some("counting"))));
    })
    .await;

    check("log messages", async {
        let mut request = params("log_levels", json!({}));
        if modern {
            request.meta.get_or_insert_default().set_log_level(LoggingLevel::Error);
        } else {
            fixture.set_level(SetLevelRequestParams::new(LoggingLevel::Error)).await.expect("a level");
        }
        fixture.call_tool(request).await.expect("a result");
        let expected = [LoggingLevel::Error, LoggingLevel::Critical, LoggingLevel::Alert, LoggingLevel::Emergency];
        // A separate task handles each notification, perhaps after the call has returned.
        eventually(async || lock(&host.levels).len(), 4).await;
        let levels = lock(&host.levels);
        assert!(expected.iter().all(|level| levels.contains(level)), "{levels:?}");
    })
    .await;

    check("cancellation", async {
        let peer: Peer<RoleClient> = fixture.peer().clone();
        let waits = tokio::spawn(async move { peer.call_tool(params("wait_forever", json!({}))).await });
        let waiting = async || text(&call(&fixture, "waiting", json!({})).await).to_owned();
        eventually(waiting, "1 begun, 0 dropped".to_owned()).await;
        waits.abort();
        eventually(waiting, "1 begun, 1 dropped".to_owned()).await;
    })
    .await;
    fixture.cancel().await.expect("it ends");
}

async fn with_everything(task: &Task, modern: bool) {
    let (everything, _, mut updates) = connect(&task.everything, &task.mode, true).await;

    check("several questions", async {
        let told = call(&everything, "test_input_required_result_multi_round", json!({})).await;
        let expected = ["name", "color"].map(|field| format!(r#"action=accept, content={{"{field}":"my {field}"}}"#));
        assert_eq!(text(&told), expected.join("; "));
    })
    .await;

    check("question in a prompt", async {
        let request = GetPromptRequestParams::new("test_input_required_result_prompt");
        let prompt = everything.get_prompt(request).await.expect("a prompt");
        let ContentBlock::Text(text) = &prompt.messages[0].content else { panic!("{prompt:?}") };
        assert_eq!(text.text, "Use this context: my context");
    })
    .await;

    check("sampling", async {
        let sampled = call(&everything, "test_sampling", json!({ "prompt": "Hello" })).await;
        assert_eq!(text(&sampled), "LLM response: You said: Hello");
    })
    .await;

    check("roots", async {
        let told = call(&everything, "test_input_required_result_list_roots", json!({})).await;
        assert_eq!(text(&told), "Roots: file:///srv");
    })
    .await;

    check("list changed", async {
        let change = async || call(&everything, "test_trigger_tool_change", json!({})).await;
        if modern {
            let filter = SubscriptionFilter::builder().tools_list_changed().build();
            let mut subscription = everything.listen(filter).await.expect("a subscription");
            change().await;
            let changed = subscription.next().await.expect("a notification");
            assert!(matches!(changed, Some(ServerNotification::ToolListChangedNotification(_))), "{changed:?}");
            subscription.cancel().await.expect("it ends");
        } else {
            change().await;
            assert_eq!(updates.recv().await.as_deref(), Some("tools"));
        }
    })
    .await;
    everything.cancel().await.expect("it ends");
}

/// Repeats a request until the response is the expected one.
async fn eventually<T: PartialEq + std::fmt::Debug>(ask: impl AsyncFn() -> T, expected: T) {
    for _ in 0..100 {
        if ask().await == expected {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask().await, expected);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    std::panic::set_hook(Box::new(|panic| {
        println!("wrong {}: {panic}", lock(&CHECKED));
        std::process::exit(1);
    }));
    let task: Task = std::env::args().nth(1).and_then(|task| serde_json::from_str(&task).ok()).expect("a task");
    let modern = task.mode != "legacy";
    with_orders(&task, modern).await;
    with_fixture(&task, modern).await;
    with_everything(&task, modern).await;
}
