//! The revision 2026-07-28, in which each request is independent.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::client::{Request, Server, call, modern, modern_with_meta};
use super::support::{Revision, schema};
use super::tools::{Seen, app, app_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_notifications_get_a_json_response() {
    let server = Server::start(app()).await;
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("tools/call", json!({"name": "add", "arguments": {"a": 1, "b": 2}})),
        ("tools/call", json!({"name": "double", "arguments": {"number": 2}})),
        ("resources/read", json!({"uri": "note://one"})),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})),
    ] {
        let response = server.modern("q\"1", method, params).await;
        assert_eq!(response.status, 200, "{method}: {}", response.text());
        assert_eq!(response.header("mcp-session-id"), None);
        let answer = response.answer(method);
        assert_eq!(answer["id"], "q\"1");
        assert!(answer["result"].is_object(), "{answer}");
    }
    let sum = server.send(&call(1, "add", json!({"a": 40, "b": 2}))).await.answer("tools/call");
    assert_eq!(sum["result"]["content"][0]["text"], "42");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_up_to_256_bytes_are_accepted() {
    let server = Server::start(app()).await;
    for bytes in [255, 256] {
        let id = "x".repeat(bytes);
        let answer = server.send(&call(id.as_str(), "add", json!({"a": 40, "b": 2}))).await.answer("tools/call");
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], "42");
    }
    let refused = server.send(&call("x".repeat(257), "add", json!({"a": 40, "b": 2}))).await;
    assert_eq!((refused.status, refused.code()), (400, -32600), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_serves_one_request_after_another() {
    let server = Server::start(app()).await;
    let mut connection = server.connect().await;
    for number in 0..50 {
        connection.write(&call(1, "add", json!({"a": number, "b": 0})).bytes()).await;
        let answer = connection.response().await.unwrap().answer("tools/call");
        assert_eq!(answer["result"]["content"][0]["text"], number.to_string());
    }
    // Even after refusals and panics.
    for (request, status) in [
        (call(1, "boom", json!({})), 200),
        (call(1, "nothing", json!({})), 200),
        (Request::post("{"), 400),
        (Request::new("PUT"), 405),
        (call(1, "add", json!({"a": 1, "b": 1})), 200),
    ] {
        connection.write(&request.bytes()).await;
        let response = connection.response().await.unwrap();
        assert_eq!(response.status, status, "{}", response.text());
        assert!(!response.text().contains("secret"), "{}", response.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_notification_opens_a_stream() {
    let server = Server::start(app()).await;
    for (tool, arguments, expected) in [("steps", json!({"wait": 100}), 2), ("quick_steps", json!({}), 1)] {
        let params = json!({"name": tool, "arguments": arguments});
        let request = modern_with_meta(7, "tools/call", params.clone(), json!({"progressToken": "p"}));
        let response = server.send(&request).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("x-accel-buffering"), Some("no"));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
        let events = response.events();
        assert_eq!(events.len(), expected + 1, "{events:?}");
        for event in &events {
            assert!(event.id.is_none() && event.retry.is_none(), "modern streams are not resumable: {event:?}");
        }
        for event in &events[..expected] {
            schema::check(Revision::NEWEST, "ProgressNotification", &event.json()).unwrap();
        }
        let answer = events[expected].json();
        schema::check_answer(Revision::NEWEST, "tools/call", &answer).unwrap();
        assert_eq!(answer["id"], 7);
        // Without a token there is no progress, and so no stream.
        let quiet = server.modern(8, "tools/call", params.clone()).await;
        assert_eq!(quiet.answer("tools/call")["id"], 8);
        // Nor for a client that takes none.
        let only_json = server.send(&request.set("Accept", "application/json")).await;
        assert_eq!(only_json.answer("tools/call")["id"], 7);
    }
    let refused = server.send(&call(1, "add", json!({})).set("Accept", "image/png")).await;
    assert_eq!(refused.status, 406);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_requests_are_refused_in_the_specified_order() {
    let server = Server::start(app()).await;
    let good = || call(1, "add", json!({"a": 1, "b": 2}));
    let body = |change: &dyn Fn(&mut Value)| {
        let mut body: Value = serde_json::from_slice(&good().body).unwrap();
        change(&mut body);
        Request { body: body.to_string().into_bytes(), ..good() }
    };
    const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    let with_version = |version: Value| body(&|body| body["params"]["_meta"][VERSION] = version.clone());
    let cases = [
        (
            "no capabilities",
            body(&|body| {
                drop(
                    body["params"]["_meta"]
                        .as_object_mut()
                        .unwrap()
                        .remove("io.modelcontextprotocol/clientCapabilities"),
                )
            }),
            400,
            -32602,
        ),
        ("a version that is no text", with_version(json!(7)), 400, -32602),
        (
            "no envelope behind a modern header",
            body(&|body| drop(body["params"].as_object_mut().unwrap().remove("_meta"))),
            400,
            -32602,
        ),
        ("an unknown version in the header alone", good().set("MCP-Protocol-Version", "2027-01-01"), 400, -32020),
        ("no version header", good().without("MCP-Protocol-Version"), 400, -32020),
        ("two version headers", good().with("MCP-Protocol-Version", "2026-07-28"), 400, -32020),
        ("a bad version in the body alone", with_version(json!("1999-01-01")), 400, -32020),
        (
            "an unknown version in both",
            with_version(json!("2027-01-01")).set("MCP-Protocol-Version", "2027-01-01"),
            400,
            -32022,
        ),
        (
            "a legacy version in both",
            with_version(json!("2025-11-25")).set("MCP-Protocol-Version", "2025-11-25"),
            400,
            -32022,
        ),
        ("no method header", good().without("Mcp-Method"), 400, -32020),
        ("another method", good().set("Mcp-Method", "tools/list"), 400, -32020),
        ("the method in other case", good().set("Mcp-Method", "Tools/Call"), 400, -32020),
        ("no name", good().without("Mcp-Name"), 400, -32020),
        ("another name", good().set("Mcp-Name", "sub"), 400, -32020),
        ("two names", good().with("Mcp-Name", "add"), 400, -32020),
        ("a name that is no Base64", good().set("Mcp-Name", "=?base64?YWRk=?="), 400, -32020),
        (
            "an unknown version before a wrong method",
            with_version(json!("2027-01-01")).set("MCP-Protocol-Version", "2027-01-01").without("Mcp-Method"),
            400,
            -32022,
        ),
        (
            "a wrong method header before an unknown method",
            modern(1, "no/such", json!({})).without("Mcp-Method"),
            400,
            -32020,
        ),
        ("an unknown method", modern(1, "no/such", json!({})), 404, -32601),
        ("initialize with an envelope", modern(1, "initialize", json!({"protocolVersion": "2025-11-25"})), 404, -32601),
        ("ping with an envelope", modern(1, "ping", json!({})), 404, -32601),
        ("logging/setLevel with an envelope", modern(1, "logging/setLevel", json!({"level": "info"})), 404, -32601),
        (
            "resources/subscribe with an envelope",
            modern(1, "resources/subscribe", json!({"uri": "note://one"})),
            404,
            -32601,
        ),
        ("an unknown tool", call(1, "nothing", json!({})), 200, -32602),
        ("arguments that are no object", modern(1, "tools/call", json!({"name": "add", "arguments": []})), 200, -32602),
        ("an unknown resource", modern(1, "resources/read", json!({"uri": "note://two"})), 200, -32602),
        ("a question to a client that cannot be asked", call(1, "confirm", json!({})), 400, -32021),
        ("a batch", body(&|body| *body = json!([body.clone()])), 400, -32600),
        ("no JSON", Request { body: b"{".to_vec(), ..good() }, 400, -32700),
        ("no UTF-8", Request { body: vec![b'"', 0xFF, b'"'], ..good() }, 400, -32700),
        ("an id that is null", body(&|body| body["id"] = Value::Null), 400, -32600),
        ("a response", Request { body: br#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_vec(), ..good() }, 400, -32600),
    ];
    println!("ladder: {} cases", cases.len());
    for (what, request, status, code) in cases {
        let response = server.send(&request).await;
        assert_eq!((response.status, response.code()), (status, code), "{what}: {}", response.text());
        schema::check(Revision::NEWEST, "JSONRPCErrorResponse", &response.json()).unwrap();
    }
    for (what, request) in [
        ("header names in any case", good().without("Mcp-Method").with("MCP-METHOD", "tools/call")),
        ("blanks around a value", good().set("Mcp-Name", "  add \t")),
        ("an encoded name", good().set("Mcp-Name", "=?base64?YWRk?=")),
        ("a session id, which means nothing", good().with("Mcp-Session-Id", "x").with("Last-Event-ID", "1_1")),
        ("a content type with a parameter", good().set("Content-Type", "application/json; charset=utf-8")),
    ] {
        let response = server.send(&request).await;
        assert_eq!(response.status, 200, "{what}: {}", response.text());
        response.answer("tools/call");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirrored_headers_must_match_the_arguments() {
    let server = Server::start(app()).await;
    let route = |arguments: Value| call(1, "route", arguments);
    let eu = || route(json!({"region": "eu"}));
    let full = || route(json!({"region": "eu", "shard": 42, "dry_run": true})).with("Mcp-Param-Region", "eu");
    for (what, request) in [
        ("one", eu().with("Mcp-Param-Region", "eu")),
        ("encoded", eu().with("Mcp-Param-Region", "=?base64?ZXU=?=")),
        ("beyond ASCII", route(json!({"region": "grün"})).with("Mcp-Param-Region", "=?base64?Z3LDvG4=?=")),
        ("null", route(json!({"region": "eu", "shard": null})).with("Mcp-Param-Region", "eu")),
        ("all", full().with("Mcp-Param-Shard", "42").with("mcp-param-dry-run", "true")),
        ("numbers as such", full().with("Mcp-Param-Shard", "42.0").with("Mcp-Param-Dry-Run", "true")),
        ("unknown ones", eu().with("Mcp-Param-Region", "eu").with("Mcp-Param-Other", "x")),
    ] {
        let response = server.send(&request).await;
        assert_eq!(response.status, 200, "{what}: {}", response.text());
        assert_eq!(response.answer("tools/call")["result"]["isError"], Value::Null, "{what}");
    }
    for (what, request) in [
        ("missing", eu()),
        ("different", eu().with("Mcp-Param-Region", "us")),
        ("in other case", eu().with("Mcp-Param-Region", "EU")),
        ("twice", eu().with("Mcp-Param-Region", "eu").with("Mcp-Param-Region", "eu")),
        ("without an argument", eu().with("Mcp-Param-Region", "eu").with("Mcp-Param-Shard", "1")),
        (
            "for null",
            route(json!({"region": "eu", "shard": null})).with("Mcp-Param-Region", "eu").with("Mcp-Param-Shard", "1"),
        ),
        ("another number", full().with("Mcp-Param-Shard", "43").with("Mcp-Param-Dry-Run", "true")),
        ("no bool", full().with("Mcp-Param-Shard", "42").with("Mcp-Param-Dry-Run", "True")),
        ("raw bytes", route(json!({"region": "grün"})).with("Mcp-Param-Region", "grün")),
        ("bad padding", eu().with("Mcp-Param-Region", "=?base64?ZXU?=")),
    ] {
        let response = server.send(&request).await;
        assert_eq!((response.status, response.code()), (400, -32020), "{what}: {}", response.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_are_accepted_and_have_no_effect() {
    let server = Server::start(app()).await;
    let notification = |method: &str| {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}}).to_string();
        Request::post(body).with("MCP-Protocol-Version", "2026-07-28")
    };
    let accepted = server.send(&notification("notifications/cancelled")).await;
    assert_eq!((accepted.status, accepted.body.len()), (202, 0));
    let named = notification("notifications/cancelled").with("Mcp-Method", "notifications/cancelled");
    assert_eq!(server.send(&named).await.status, 202);
    let contradicting = notification("notifications/cancelled").with("Mcp-Method", "tools/call");
    let refused = server.send(&contradicting).await;
    assert_eq!((refused.status, refused.code()), (400, -32020));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_the_connection_cancels_the_call() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    // While the form of the answer is still open, and while a stream is.
    let waiting = call(1, "sleep", json!({"milliseconds": 60_000}));
    let mut connection = server.connect().await;
    connection.write(&waiting.bytes()).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    // A stranger's cancellation of the same id changes nothing.
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    server.send(&Request::post(cancel).with("MCP-Protocol-Version", "2026-07-28")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 0);
    drop(connection);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
    let steps = json!({"name": "steps", "arguments": {"wait": 60_000}});
    let mut connection = server.connect().await;
    connection.write(&modern_with_meta(1, "tools/call", steps, json!({"progressToken": 1})).bytes()).await;
    let mut stream = connection.response_head().await.unwrap();
    assert_eq!(connection.message(&mut stream).await.unwrap()["method"], "notifications/progress");
    drop(connection);
}

pub async fn wait_until(is_so: impl Fn() -> bool) {
    let end = tokio::time::Instant::now() + super::client::PATIENCE;
    while !is_so() {
        assert!(tokio::time::Instant::now() < end, "it never came to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elicitation_takes_another_round() {
    let server = Server::start(app()).await;
    let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let params = json!({"name": "confirm", "arguments": {}});
    let first = server.send(&modern_with_meta(1, "tools/call", params, meta.clone())).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let result = first.answer("tools/call")["result"].clone();
    assert_eq!(result["resultType"], "input_required");
    let retry = json!({
        "name": "confirm", "arguments": {}, "requestState": result["requestState"],
        "inputResponses": {"elicitation_1": {"action": "accept", "content": {"value": true}}},
    });
    let second = server.send(&modern_with_meta(2, "tools/call", retry, meta)).await;
    assert_eq!(second.answer("tools/call")["result"]["content"][0]["text"], "Accepted(true)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_is_a_stream_of_events() {
    let config = HttpConfig::new().keep_alive_interval(Duration::from_millis(50));
    let server = Server::start(app().http(config)).await;
    let missing = server.modern(1, "subscriptions/listen", json!({})).await;
    assert_eq!((missing.status, missing.code()), (200, -32602));
    let filter = json!({"notifications": {"resourceSubscriptions": ["note://one"]}});
    let only_json = modern(1, "subscriptions/listen", filter.clone()).set("Accept", "application/json");
    assert_eq!(server.send(&only_json).await.status, 406);
    let mut streams = Vec::new();
    for id in [json!(1), json!("1")] {
        let mut connection = server.connect().await;
        connection.write(&modern(id.clone(), "subscriptions/listen", filter.clone()).bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        assert_eq!((stream.status, stream.header("content-type")), (200, Some("text/event-stream")));
        let acknowledged = connection.event(&mut stream).await.unwrap().json();
        assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
        schema::check(Revision::NEWEST, "SubscriptionsAcknowledgedNotification", &acknowledged).unwrap();
        streams.push((id, connection, stream));
    }
    // An idle stream gets keep-alive comments.
    let (_, connection, stream) = &mut streams[0];
    assert_eq!(connection.event(stream).await.unwrap().comment.as_deref(), Some("keep-alive"));
    server.send(&call(2, "touch", json!({}))).await.answer("tools/call");
    for (id, connection, stream) in &mut streams {
        let updated = connection.message(stream).await.unwrap();
        schema::check(Revision::NEWEST, "ResourceUpdatedNotification", &updated).unwrap();
        assert_eq!(updated["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], *id);
        assert_eq!(updated["params"]["uri"], "note://one");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_a_round_fits_into_one_message() {
    let schema = json!({"type": "object"});
    let essay = DynamicTool::new("essay", schema, |_, ctx: Context| async move {
        let text = ctx.elicit::<String>("Write!").await?.accepted().unwrap_or_default();
        let more = ctx.elicit::<bool>("Is that all?").await?;
        Ok::<_, ToolError>(format!("{} bytes, {more:?}", text.len()))
    });
    let server = Server::start(App::empty("x").add_tool(essay).http(HttpConfig::new().max_body(65_536))).await;
    let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let ask = async |answers: Value, state: &Value| {
        let mut params = json!({"name": "essay", "arguments": {}, "inputResponses": answers});
        if !state.is_null() {
            params["requestState"] = state.clone();
        }
        server.send(&modern_with_meta(1, "tools/call", params, meta.clone())).await.answer("tools/call")
    };
    let write =
        |length: usize| json!({"elicitation_1": {"action": "accept", "content": {"value": "x".repeat(length)}}});
    let asked = ask(json!({}), &Value::Null).await;
    let state = &asked["result"]["requestState"];
    // The state of the next round would not fit into a request of the client.
    let refused = ask(write(40_000), state).await;
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("the limit of this server is 32768 bytes (`App::max_request_state`)"), "{message}");
    let second = ask(write(24_000), state).await;
    let yes = json!({"elicitation_2": {"action": "accept", "content": {"value": true}}});
    let done = ask(yes, &second["result"]["requestState"]).await;
    assert_eq!(done["result"]["content"][0]["text"], "24000 bytes, Accepted(true)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_visibility_function_does_not_delay_other_requests() {
    let barrier = Arc::new((Mutex::new(false), Condvar::new()));
    let waiting = Arc::clone(&barrier);
    let app = app().visible_if(move |_, ctx| {
        if ctx.meta().contains_key("com.example/slow") {
            let limit = Duration::from_secs(10);
            drop(waiting.1.wait_timeout_while(waiting.0.lock().unwrap(), limit, |is_open| !*is_open).unwrap());
        }
        true
    });
    let server = Server::start(app).await;
    let slow = json!({"com.example/slow": true});
    let mut blocked = Vec::new();
    for (method, params) in [
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "add", "arguments": {"a": 1, "b": 2}})),
        ("resources/read", json!({"uri": "note://one"})),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})),
    ] {
        let mut connection = server.connect().await;
        connection.write(&modern_with_meta(1, method, params, slow.clone()).bytes()).await;
        blocked.push((method, connection));
    }
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        let sum = server.send(&call(1, "add", json!({"a": 40, "b": 2}))).await.answer("tools/call");
        assert_eq!(sum["result"]["content"][0]["text"], "42");
    }
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    *barrier.0.lock().unwrap() = true;
    barrier.1.notify_all();
    for (method, mut connection) in blocked {
        assert!(connection.response().await.unwrap().answer(method)["result"].is_object(), "{method}");
    }
}
