//! The lifetime of requests to the client: from tasks and threads, before a failure, after the end of a call.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastmcp_rs::Revision;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{ClientReply, Origin, RawClient};
use serde_json::{Value, json};

/// Reports of tasks that handlers spawn.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<String> {
        for _ in 0..500 {
            if self.all().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.all()
    }
}

/// Reports that it was dropped.
struct Held(Told, &'static str);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.tell(format!("{} is dropped", self.1));
    }
}

/// Has no time to wait.
#[mcp::tool]
async fn hasty(ctx: &Context) -> String {
    match ctx.elicit::<bool>("Quick?").timeout(Duration::ZERO).await {
        Err(ClientRequestError::TimedOut { .. }) => "too slow".into(),
        other => format!("{other:?}"),
    }
}

/// Asks, and panics.
#[mcp::tool]
async fn breaking(ctx: &Context) -> String {
    tokio::select! {
        biased;
        _ = ctx.elicit::<bool>("Break?") => {}
        () = std::future::ready(()) => {}
    }
    panic!("it broke")
}

/// Moves on without the answer.
#[mcp::tool]
async fn impatient(ctx: &Context, told: State<Told>) -> String {
    tokio::select! {
        biased;
        _ = ctx.elicit::<bool>("Well?") => told.tell("answered"),
        () = std::future::ready(()) => told.tell("moved on"),
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    "done".into()
}

/// Lets a task ask, and does not wait for it.
#[mcp::tool]
async fn careless(ctx: Context, told: State<Told>) -> String {
    let told = Told::clone(&told);
    tokio::spawn(async move {
        let held = Held(told.clone(), "the question");
        let answer = ctx.elicit::<bool>("Anybody?").await;
        told.tell(format!("{answer:?}"));
        drop(held);
    });
    "bye".into()
}

/// Lets a task ask while the handler is busy, and ends.
#[mcp::tool]
async fn busy(ctx: Context) -> String {
    let asked = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut question = Box::pin(ctx.elicit::<bool>("Meanwhile?"));
        poll_fn(|task| {
            let polled = question.as_mut().poll(task);
            done.store(true, Ordering::SeqCst);
            polled
        })
        .await
    });
    while !asked.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    "bye".into()
}

/// Lets a task ask after the end.
#[mcp::tool]
async fn late(ctx: Context, told: State<Told>) -> String {
    let told = Told::clone(&told);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        told.tell(format!("{:?}", ctx.elicit::<bool>("Still there?").await));
    });
    "bye".into()
}

/// Asks from a task, and waits for it.
#[mcp::tool]
async fn spawning(ctx: Context, told: State<Told>) -> Result<String, ToolError> {
    let told = Told::clone(&told);
    let asked = tokio::spawn(async move {
        let _held = Held(told, "the task");
        ctx.elicit::<bool>("Task?").await
    });
    Ok(format!("{:?}", asked.await?))
}

/// Quotes a price, once.
#[mcp::tool]
async fn quote(item: &str, ctx: &Context) -> Result<String, ToolError> {
    let price: String = ctx.remember("price", async { Ok::<_, ToolError>(format!("price of {item}")) }).await?;
    let answer = ctx.elicit::<bool>("Fine?").key("fine").await?;
    Ok(format!("{price} {:?}", answer.accepted()))
}

/// Quotes two prices.
#[mcp::tool]
async fn quote_two(ctx: &Context) -> Result<String, ToolError> {
    let one = ctx.call_tool("quote", json!({"item": "a"})).await?;
    let other = ctx.call_tool("quote", json!({"item": "b"})).await?;
    Ok(format!("{one:?} {other:?}"))
}

/// Asks, and has little time for itself.
#[mcp::tool(timeout = "2s")]
async fn brief(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<bool>("Sure?").await?))
}

/// Lets another tool ask.
#[mcp::tool]
async fn through_brief(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.call_tool("brief", json!({})).await?))
}

/// Asks a lot at once.
#[mcp::tool]
async fn curious(count: u32, ctx: Context) -> Result<String, ToolError> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let ctx = ctx.clone();
        tasks.spawn(async move { ctx.elicit::<bool>("One of many?").await });
    }
    let mut answered = 0;
    let mut refused = 0;
    while let Some(answer) = tasks.join_next().await {
        match answer? {
            Ok(_) => answered += 1,
            Err(_) => refused += 1,
        }
    }
    Ok(format!("{answered} {refused}"))
}

/// Is slow before it asks.
#[mcp::tool]
async fn slow(ctx: &Context, told: State<Told>) -> Result<String, ToolError> {
    std::thread::sleep(Duration::from_millis(2));
    ctx.progress(1.0, 2.0, None);
    let answer = ctx.elicit::<bool>("Slow?").await?;
    told.tell("after");
    Ok(format!("{answer:?}"))
}

/// Asks the model.
#[mcp::tool]
async fn ask_model(ctx: &Context) -> Result<String, ToolError> {
    Ok(ctx.sample(SamplingRequest::new("Hi").max_tokens(5)).await?.text())
}

/// Asks from a thread.
#[mcp::tool(blocking)]
fn threaded(ctx: &Context, told: State<Told>) -> Result<String, ToolError> {
    let _held = Held(Told::clone(&told), "the thread");
    let runtime = tokio::runtime::Handle::current();
    Ok(format!("{:?}", runtime.block_on(ctx.elicit::<bool>("Thread?"))))
}

/// Asks for a price that changes from call to call until the test keeps it, and for a confirmation.
#[mcp::tool]
async fn changing(ctx: &Context, told: State<Told>) -> Result<String, ToolError> {
    told.tell("asked");
    let price = told.all().len();
    let first = ctx.elicit::<bool>(format!("Pay {price}?")).key("price").await?;
    let second = ctx.elicit::<bool>("Really?").await?;
    Ok(format!("{price} {first:?} {second:?}"))
}

fn app(told: &Told) -> App {
    App::from_module("asking", module_path!()).state(told.clone())
}

async fn call(wire: &mut RawClient, tool: &str, arguments: Value, more: Value) -> Value {
    let mut params = json!({"name": tool, "arguments": arguments});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}},
    });
    wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string());
    receive(wire).await
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"value": true}})
}

async fn session(app: App, revision: &str) -> RawClient {
    let mut wire = app.connect().await.unwrap();
    let params = json!({
        "protocolVersion": revision,
        "capabilities": {"elicitation": {}, "sampling": {}},
        "clientInfo": {"name": "tests", "version": "1"},
    });
    wire.send(json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}).to_string());
    wire.receive().await;
    wire.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    wire
}

fn begin(wire: &mut RawClient, id: u64, tool: &str, arguments: Value) {
    let params = json!({"name": tool, "arguments": arguments});
    wire.send(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string());
}

async fn receive(wire: &mut RawClient) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(20), wire.receive()).await.expect("a frame");
    serde_json::from_str(&frame).unwrap()
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_request_without_a_waiting_handler_is_cancelled() {
    for tool in ["hasty", "breaking", "impatient"] {
        let mut wire = session(app(&Told::default()), "2025-11-25").await;
        begin(&mut wire, 1, tool, json!({}));
        let asked = receive(&mut wire).await;
        assert_eq!(asked["method"], "elicitation/create", "{tool}: {asked}");
        let withdrawn = receive(&mut wire).await;
        assert_eq!(withdrawn["method"], "notifications/cancelled", "{tool}: {withdrawn}");
        assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
        assert_eq!(receive(&mut wire).await["id"], 1);
    }
}

#[tokio::test]
async fn a_handler_that_stops_waiting_ends_without_a_round() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    let answer = call(&mut wire, "impatient", json!({}), json!({})).await;
    assert_eq!(text(&answer), "done");
    assert_eq!(told.all(), ["moved on"]);
}

#[tokio::test]
async fn a_task_that_elicits_ends_with_its_call() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    let asked = call(&mut wire, "spawning", json!({}), json!({})).await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert_eq!(told.wait_for(1).await, ["the task is dropped"]);
}

#[tokio::test]
async fn a_thread_that_elicits_ends_with_its_call() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    let asked = call(&mut wire, "threaded", json!({}), json!({})).await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert_eq!(told.wait_for(1).await, ["the thread is dropped"]);
}

#[tokio::test]
async fn an_elicitation_after_the_end_of_its_call_is_an_error() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    assert_eq!(text(&call(&mut wire, "late", json!({}), json!({})).await), "bye");
    assert_eq!(told.wait_for(1).await, ["Err(Ended)"]);
    let told = Told::default();
    let mut wire = session(app(&told), "2025-11-25").await;
    begin(&mut wire, 1, "late", json!({}));
    assert_eq!(receive(&mut wire).await["id"], 1);
    assert_eq!(told.wait_for(1).await, ["Err(Ended)"]);
    assert_eq!(wire.try_receive(), None);
}

#[tokio::test]
async fn an_elicitation_of_a_task_is_cancelled_with_the_call() {
    let told = Told::default();
    let mut wire = session(app(&told), "2025-11-25").await;
    begin(&mut wire, 1, "careless", json!({}));
    let mut frames = Vec::new();
    while frames.len() < 3 && told.all().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        frames.extend(wire.try_receive());
    }
    assert_eq!(told.wait_for(2).await, ["Err(Ended)", "the question is dropped"]);
    frames.extend(std::iter::from_fn(|| wire.try_receive()));
    let asked = frames.iter().filter(|frame| frame.contains("elicitation/create")).count();
    let withdrawn = frames.iter().filter(|frame| frame.contains("notifications/cancelled")).count();
    assert_eq!(asked, withdrawn, "{frames:?}");

    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    call(&mut wire, "careless", json!({}), json!({})).await;
    assert_eq!(told.wait_for(2).await, ["Err(Ended)", "the question is dropped"]);
}

#[test]
fn the_request_of_a_task_is_sent_before_its_cancellation() {
    crate::run(async {
        for _ in 0..50 {
            let frames = Told::default();
            let seen = frames.clone();
            let client = app(&Told::default()).test_client().revision(Revision::V2025_11_25);
            let client = client.on_elicitation(|_| ClientReply::silence()).observe(move |origin, frame| {
                let frame: Value = serde_json::from_str(frame).unwrap();
                let method = frame["method"].as_str().unwrap_or("an answer");
                if origin == Origin::Server && !frame["id"].is_string() {
                    seen.tell(method);
                }
            });
            let client = client.await.unwrap();
            assert_eq!(client.call("busy", json!({})).await.unwrap().text(), "bye");
            // The responses to `initialize` and to the call are among them.
            let frames = frames.wait_for(4).await;
            let place = |method: &str| frames.iter().position(|frame| frame == method);
            let (asked, withdrawn) = (place("elicitation/create"), place("notifications/cancelled"));
            assert!(asked.is_some() && asked < withdrawn, "{frames:?}");
        }
    });
}

#[tokio::test]
async fn a_task_that_elicits_ends_with_the_connection() {
    let told = Told::default();
    let mut wire = session(app(&told), "2025-11-25").await;
    begin(&mut wire, 1, "spawning", json!({}));
    assert_eq!(receive(&mut wire).await["method"], "elicitation/create");
    drop(wire);
    assert_eq!(told.wait_for(1).await, ["the task is dropped"]);
}

#[tokio::test]
async fn nested_calls_remember_separately() {
    let mut wire = session(app(&Told::default()), "2025-11-25").await;
    begin(&mut wire, 1, "quote_two", json!({}));
    for _ in 0..2 {
        let asked = receive(&mut wire).await;
        wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    }
    let answer = receive(&mut wire).await;
    assert!(text(&answer).contains("price of a") && text(&answer).contains("price of b"), "{answer}");

    let mut wire = app(&Told::default()).connect().await.unwrap();
    let mut answer = call(&mut wire, "quote_two", json!({}), json!({})).await;
    for action in ["accept", "decline"] {
        let requests = answer["result"]["inputRequests"].as_object().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(requests.len(), 1);
        let key = requests.keys().next().unwrap().clone();
        let more = json!({
            "inputResponses": {key: {"action": action, "content": {"value": true}}},
            "requestState": answer["result"]["requestState"],
        });
        answer = call(&mut wire, "quote_two", json!({}), more).await;
    }
    assert!(text(&answer).contains("price of a Some(true)"), "{answer}");
    assert!(text(&answer).contains("price of b None"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_user_does_not_count_towards_the_timeout_of_a_nested_call() {
    let mut wire = session(app(&Told::default()), "2025-11-25").await;
    begin(&mut wire, 1, "through_brief", json!({}));
    let asked = receive(&mut wire).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    let answer = receive(&mut wire).await;
    assert!(answer.to_string().contains("Accepted(true)"), "{answer}");
}

#[tokio::test]
async fn a_call_may_have_1024_requests_open() {
    let mut wire = session(app(&Told::default()), "2025-11-25").await;
    begin(&mut wire, 1, "curious", json!({"count": 2000}));
    for _ in 0..1024 {
        let asked = receive(&mut wire).await;
        assert_eq!(asked["method"], "elicitation/create");
        wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    }
    let mut answer = receive(&mut wire).await;
    while answer["method"] == "elicitation/create" {
        wire.send(json!({"jsonrpc": "2.0", "id": answer["id"], "result": yes()}).to_string());
        answer = receive(&mut wire).await;
    }
    let counts: Vec<u32> = text(&answer).split(' ').map(|count| count.parse().unwrap()).collect();
    assert!(counts[0] >= 1024 && counts[0] + counts[1] == 2000, "{answer}");
}

#[tokio::test]
async fn a_slow_tool_can_elicit() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    for _ in 0..20 {
        let asked = call(&mut wire, "slow", json!({}), json!({})).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        let more = json!({"inputResponses": {"elicitation_1": yes()}, "requestState": asked["result"]["requestState"]});
        assert_eq!(text(&call(&mut wire, "slow", json!({}), more).await), "Accepted(true)");
    }
    assert_eq!(told.all().len(), 20);
}

#[tokio::test]
async fn calls_of_a_batch_can_request_sampling() {
    let mut wire = session(app(&Told::default()), "2025-03-26").await;
    let member = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "ask_model", "arguments": {}}});
    wire.send(json!([member(1), member(2), {"jsonrpc": "2.0", "id": 3, "method": "ping"}]).to_string());
    for words in ["one", "two"] {
        let asked = receive(&mut wire).await;
        assert_eq!(asked["method"], "sampling/createMessage", "{asked}");
        let result = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": words}});
        // The responses may come in a batch as well.
        wire.send(json!([{"jsonrpc": "2.0", "id": asked["id"], "result": result}]).to_string());
    }
    let answers = receive(&mut wire).await;
    assert_eq!(answers.as_array().map(Vec::len), Some(3), "{answers}");
}

#[tokio::test]
async fn malformed_responses_are_errors_and_foreign_ids_are_ignored() {
    let told = Told::default();
    let mut wire = session(app(&told), "2025-11-25").await;
    for (odd, expected) in [
        (r#""result":{"action":"decline"},"error":{"code":5,"message":"no"}"#, "returned an error"),
        (r#""error":{"code":5.5,"message":"no"}"#, "returned an error"),
        (r#""error":null"#, "returned an error"),
        (r#""error":"x""#, "returned an error"),
        (r#""result":null"#, "response is invalid"),
        (r#""result":1e999"#, "cannot be read"),
    ] {
        begin(&mut wire, 1, "brief", json!({}));
        let asked = receive(&mut wire).await;
        let id = &asked["id"];
        for wrong in [format!("\"{id}\""), format!("{id}.5"), "null".into(), "999".into()] {
            wire.send(format!(r#"{{"jsonrpc":"2.0","id":{wrong},"result":{{"action":"cancel"}}}}"#));
        }
        wire.send(format!(r#"{{"jsonrpc":"2.0","id":{id},{odd}}}"#));
        wire.send(format!(r#"{{"jsonrpc":"2.0","id":{id},{odd}}}"#));
        let answer = receive(&mut wire).await;
        assert!(text(&answer).contains(expected), "{odd}: {answer}");
    }
    assert_eq!(wire.try_receive(), None);
}

#[tokio::test]
async fn a_response_of_more_than_a_mebibyte_is_an_error() {
    let mut wire = session(app(&Told::default()), "2025-11-25").await;
    let result = |bytes: usize| json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "x".repeat(bytes)}});
    begin(&mut wire, 1, "ask_model", json!({}));
    let asked = receive(&mut wire).await;
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": result(1_000_000)}).to_string());
    assert_eq!(text(&receive(&mut wire).await).len(), 1_000_000);
    for member in ["result", "error"] {
        begin(&mut wire, 1, "ask_model", json!({}));
        let asked = receive(&mut wire).await;
        wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], member: result(1 << 20)}).to_string());
        let answer = receive(&mut wire).await;
        assert!(text(&answer).contains("the limit is 1048576 bytes"), "{answer}");
    }
}

#[tokio::test]
async fn a_response_counts_only_for_the_message_that_was_sent() {
    let told = Told::default();
    let mut wire = app(&told).connect().await.unwrap();
    let mut asked = call(&mut wire, "changing", json!({}), json!({})).await;
    let message = |asked: &Value| asked["result"]["inputRequests"]["price"]["params"]["message"].clone();
    assert_eq!(message(&asked), "Pay 1?");
    // The response was to another price.
    let again = |asked: &Value, responses: Value| json!({"inputResponses": responses, "requestState": asked["result"]["requestState"]});
    asked = call(&mut wire, "changing", json!({}), again(&asked, json!({"price": yes()}))).await;
    assert_eq!(message(&asked), "Pay 2?");
    // The same price is asked for in the next call, and in none after that.
    told.0.lock().unwrap().pop();
    asked = call(&mut wire, "changing", json!({}), again(&asked, json!({"price": yes()}))).await;
    assert_eq!(asked["result"]["inputRequests"]["elicitation_1"]["params"]["message"], "Really?", "{asked}");
    asked = call(&mut wire, "changing", json!({}), again(&asked, json!({"elicitation_1": yes()}))).await;
    assert_eq!(message(&asked), "Pay 3?", "an answer of an earlier round is none to other words");
}

#[tokio::test]
async fn malformed_states_are_refused_and_valid_ones_can_be_reused() {
    let mut wire = app(&Told::default()).connect().await.unwrap();
    for more in [
        json!({"requestState": null}),
        json!({"requestState": 5}),
        json!({"requestState": {}}),
        json!({"requestState": ""}),
        json!({"inputResponses": null}),
        json!({"inputResponses": []}),
        json!({"inputResponses": {"elicitation_1": null}}),
    ] {
        let answer = call(&mut wire, "brief", json!({}), more.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{more}: {answer}");
    }
    let asked = call(&mut wire, "brief", json!({}), json!({"inputResponses": {"other": yes()}})).await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let state = &asked["result"]["requestState"];
    let more = json!({"inputResponses": {"other": yes()}, "requestState": state});
    let again = call(&mut wire, "brief", json!({}), more).await;
    assert_eq!(again["result"]["inputRequests"], asked["result"]["inputRequests"]);
    let elsewhere = call(&mut wire, "spawning", json!({}), json!({"requestState": state})).await;
    assert_eq!(elsewhere["error"]["code"], -32602, "{elsewhere}");
    // A state can be used more than once: the handler has to prevent repeated side effects.
    for _ in 0..2 {
        let more = json!({"inputResponses": {"elicitation_1": yes()}, "requestState": state});
        assert_eq!(text(&call(&mut wire, "brief", json!({}), more).await), "Accepted(true)");
    }
}
