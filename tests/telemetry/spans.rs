//! Each request runs in a span with the fields of OpenTelemetry's conventions and without private data.

use serde_json::{Value, json};
use tracing::Instrument as _;

use super::client::{Request, Server, modern_with_meta};
use super::recorder::{everything, install, request, requests};
use super::support::Revision;
use super::tools::app;
use fastmcp_rs::testing::RawClient;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";

async fn modern(wire: &mut RawClient, id: &str, method: &str, params: Value, meta: Value) -> Value {
    wire.send(Revision::NEWEST.request_with_meta(id, method, params, meta));
    serde_json::from_str(&wire.receive().await).unwrap()
}

#[tokio::test]
async fn a_call_has_the_fields_of_the_conventions() {
    install();
    let mut wire = app("fields").connect().await.unwrap();
    let meta = json!({"traceparent": TRACEPARENT, "tracestate": "rojo=1", "baggage": "user=alice"});
    modern(&mut wire, "fields-1", "tools/call", json!({"name": "add", "arguments": {"a": 1234321, "b": 2}}), meta)
        .await;
    let span = request("fields-1").await;
    assert_eq!((span.name, span.target), ("tools/call", "fastmcp_rs"));
    let expected = [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "add"),
        ("jsonrpc.request.id", "fields-1"),
        ("mcp.method.name", "tools/call"),
        ("mcp.protocol.version", "2026-07-28"),
        ("otel.kind", "server"),
        ("otel.name", "tools/call add"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "rojo=1"),
    ];
    let fields: Vec<(&str, &str)> = span.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(fields, expected);
    assert_eq!(span.events, ["adding"]);
    assert_eq!(span.parent, None);
    assert!(!everything().contains("1234321"), "an argument was recorded");
    assert!(!everything().contains("alice"), "baggage was recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_handler_are_inside_its_span() {
    install();
    let mut wire = app("inside").connect().await.unwrap();
    for (tool, event) in [("add", "adding"), ("add_later", "adding later"), ("add_elsewhere", "adding elsewhere")] {
        let params = json!({"name": tool, "arguments": {"a": 1, "b": 2}});
        modern(&mut wire, &format!("inside-{tool}"), "tools/call", params, Value::Null).await;
        assert_eq!(request(&format!("inside-{tool}")).await.events, [event]);
    }
    modern(&mut wire, "inside-read", "resources/read", json!({"uri": "orders://s3cr3t"}), Value::Null).await;
    let read = request("inside-read").await;
    assert_eq!(read.events, ["reading"]);
    assert_eq!((read.field("otel.name"), read.field("mcp.resource.name")), (Some("resources/read"), Some("order")));
    assert!(!everything().contains("s3cr3t"), "the URI of a template holds arguments");
}

#[tokio::test]
async fn the_end_of_a_request_is_recorded() {
    install();
    let mut wire = app("ends").connect().await.unwrap();
    for (id, method, params, error, status, code) in [
        ("ends-ok", "tools/list", json!({}), None, None, None),
        ("ends-tool", "tools/call", json!({"name": "refuse"}), Some("tool_error"), Some("ERROR"), None),
        ("ends-panic", "tools/call", json!({"name": "panic"}), Some("tool_error"), Some("ERROR"), None),
        ("ends-args", "tools/call", json!({"name": "add"}), Some("tool_error"), Some("ERROR"), None),
        ("ends-no", "tools/call", json!({"name": "nope"}), Some("-32602"), Some("ERROR"), Some("-32602")),
        ("ends-method", "no/such", json!({}), Some("-32601"), Some("ERROR"), Some("-32601")),
        ("ends-uri", "resources/read", json!({"uri": "x://y"}), Some("-32602"), Some("ERROR"), Some("-32602")),
    ] {
        modern(&mut wire, id, method, params, Value::Null).await;
        let span = request(id).await;
        assert_eq!(span.field("error.type"), error, "{id}");
        assert_eq!(span.field("otel.status_code"), status, "{id}");
        assert_eq!(span.field("rpc.response.status_code"), code, "{id}");
    }
    assert!(!everything().contains("hunter2"), "a result was recorded");
    let unknown = request("ends-no").await;
    assert_eq!(unknown.field("otel.name"), Some("tools/call"), "a made up name makes no class of spans");
    let method = request("ends-method").await;
    assert_eq!((method.name, method.field("otel.name")), ("_OTHER", Some("_OTHER")));
}

#[tokio::test]
async fn a_cancelled_call_is_not_recorded_as_a_failure() {
    install();
    let mut wire = app("cancelled").connect().await.unwrap();
    wire.send(Revision::NEWEST.request("cancelled-1", "tools/call", json!({"name": "hang"})));
    assert!(requests("cancelled-1").iter().all(|span| !span.is_closed));
    let params = json!({"requestId": "cancelled-1"});
    wire.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
    let span = request("cancelled-1").await;
    assert_eq!((span.field("error.type"), span.field("otel.status_code")), (Some("cancelled"), None));
}

#[tokio::test]
async fn every_method_has_a_span() {
    install();
    let mut wire = app("others").connect().await.unwrap();
    let name = |id: String| async move { request(&id).await.field("otel.name").unwrap_or_default().to_owned() };
    for (method, params, expected) in [
        ("server/discover", json!({}), "server/discover"),
        ("resources/read", json!({"uri": "shop://goods"}), "resources/read"),
        ("prompts/get", json!({"name": "poem", "arguments": {"about": "pears"}}), "prompts/get poem"),
        ("subscriptions/listen", json!({"notifications": {}}), "subscriptions/listen"),
    ] {
        let id = format!("others-{method}");
        modern(&mut wire, &id, method, params, Value::Null).await;
        assert_eq!(name(id).await, expected);
    }
    let goods = request("others-resources/read").await;
    assert_eq!(goods.field("mcp.resource.uri"), Some("shop://goods"));
    assert_eq!(request("others-subscriptions/listen").await.field("error.type"), None);
    let poem = request("others-prompts/get").await;
    assert_eq!(poem.field("gen_ai.prompt.name"), Some("poem"));
    assert_eq!(poem.field("gen_ai.operation.name"), None);
}

#[tokio::test]
async fn spans_of_a_session_have_its_revision() {
    install();
    let mut wire = app("legacy").connect().await.unwrap();
    wire.send(Revision::V2025_06_18.initialize("legacy-1"));
    wire.receive().await;
    wire.send(Revision::V2025_06_18.request(
        "legacy-2",
        "tools/call",
        json!({"name": "add", "arguments": {"a": 1, "b": 1}}),
    ));
    wire.receive().await;
    assert_eq!(request("legacy-1").await.name, "initialize");
    assert_eq!(request("legacy-2").await.field("mcp.protocol.version"), Some("2025-06-18"));
}

#[tokio::test]
async fn a_span_around_the_server_is_the_parent() {
    install();
    async {
        let mut wire = app("parent").connect().await.unwrap();
        modern(&mut wire, "parent-1", "tools/list", json!({}), Value::Null).await;
    }
    .instrument(tracing::info_span!("around"))
    .await;
    assert_eq!(request("parent-1").await.parent, Some("around"));
}

#[tokio::test]
async fn http_spans_have_the_client_the_session_and_the_trace_of_the_headers() {
    install();
    let server = Server::start(app("http")).await;
    let call = |id: &str, meta: Value| modern_with_meta(id, "tools/call", json!({"name": "trace"}), meta);
    let traced = |request: Request| request.with("traceparent", OTHER).with("baggage", "a=b");
    let answer = server.send(&traced(call("http-1", Value::Null))).await.answer("tools/call");
    let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains(OTHER) && text.contains("a=b"), "{text}");
    let span = request("http-1").await;
    for (name, value) in [
        ("client.address", "127.0.0.1"),
        ("network.transport", "tcp"),
        ("network.protocol.name", "http"),
        ("network.protocol.version", "1.1"),
        ("traceparent", OTHER),
    ] {
        assert_eq!(span.field(name), Some(value), "{name}");
    }
    assert!(span.field("client.port").is_some() && span.field("mcp.session.id").is_none());

    // The trace context of the request itself goes first.
    let answer = server.send(&traced(call("http-2", json!({"traceparent": TRACEPARENT})))).await.answer("tools/call");
    let text = answer["result"]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains(TRACEPARENT) && text.contains("a=b"), "{text}");
    assert_eq!(request("http-2").await.field("traceparent"), Some(TRACEPARENT));
    let bad = call("http-3", Value::Null).with("traceparent", "00-nonsense");
    server.send(&bad).await;
    assert_eq!(request("http-3").await.field("traceparent"), None);

    let response = server.send(&Request::post(Revision::V2025_11_25.initialize("http-4"))).await;
    let session = response.header("mcp-session-id").expect("a session").to_owned();
    let list = Revision::V2025_11_25.request("http-5", "tools/list", json!({}));
    server.send(&Request::post(list).with("Mcp-Session-Id", &session)).await;
    let span = request("http-5").await;
    assert_eq!(span.field("mcp.session.id").map(str::len), Some(16));
    assert!(!everything().contains(&session), "the id of a session opens it");
}

#[tokio::test]
async fn long_names_are_cut() {
    install();
    let mut wire = app("long").connect().await.unwrap();
    let name = "ä".repeat(5000);
    modern(&mut wire, "long-1", "tools/call", json!({"name": name}), Value::Null).await;
    let span = request("long-1").await;
    assert_eq!(span.field("gen_ai.tool.name").map(str::len), Some(128));
}
