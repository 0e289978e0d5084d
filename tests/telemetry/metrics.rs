//! Metrics: they are right after known traffic, are read by a parser of Prometheus' format, and contain no names that
//! a peer made up.

use std::time::Duration;

use fastmcp_rs::metrics::Metrics;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use openmetrics_parser::prometheus::parse_prometheus;
use openmetrics_parser::{MetricNumber, PrometheusValue};
use serde_json::{Value, json};

use super::client::{Request, Server, call, modern};
use super::support::Revision;
use super::tools::app;

/// The sample with exactly these labels, besides empty ones. The whole text has to be well formed.
pub fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let exposition = parse_prometheus(text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"));
    let number = |number: MetricNumber| match number {
        MetricNumber::Int(number) => number as f64,
        MetricNumber::Float(number) => number,
    };
    let (family, part) = ["_count", "_sum"]
        .iter()
        .find_map(|part| Some((name.strip_suffix(part).filter(|_| name.contains("duration"))?, *part)))
        .unwrap_or((name, ""));
    let family = exposition.families.get(family)?;
    let sample = family.iter_samples().find(|sample| {
        let found = sample.get_labelset().ok();
        let mut found: Vec<(String, String)> = found
            .map(|set| set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>())
            .unwrap_or_default();
        // An empty label counts as absent.
        found.retain(|(_, value)| !value.is_empty());
        found.sort();
        let mut wanted: Vec<(String, String)> =
            labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        wanted.sort();
        found == wanted
    })?;
    Some(match &sample.value {
        PrometheusValue::Gauge(value) | PrometheusValue::Unknown(value) => number(*value),
        PrometheusValue::Counter(counter) => number(counter.value),
        PrometheusValue::Histogram(histogram) if part == "_sum" => number(histogram.sum?),
        PrometheusValue::Histogram(histogram) => histogram.count? as f64,
        PrometheusValue::Summary(_) => panic!("there are no summaries"),
    })
}

fn total(metrics: &Metrics, labels: &[(&str, &str)]) -> Option<f64> {
    let text = metrics.render();
    let total = value(&text, "mcp_server_requests_total", labels);
    let count = value(&text, "mcp_server_operation_duration_seconds_count", labels);
    assert_eq!(total, count, "{labels:?}");
    total
}

fn tool(name: &str) -> Vec<(&'static str, &str)> {
    vec![("mcp_method_name", "tools/call"), ("gen_ai_tool_name", name)]
}

fn failed<'a>(name: &'a str, error: &'a str) -> Vec<(&'static str, &'a str)> {
    [tool(name), vec![("error_type", error)]].concat()
}

async fn send(wire: &mut RawClient, id: i64, method: &str, params: Value) -> Value {
    wire.send(Revision::NEWEST.request(id, method, params));
    serde_json::from_str(&wire.receive().await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_by_method_and_outcome() {
    let app = app("counted");
    let metrics = app.metrics();
    let mut wire = app.connect().await.unwrap();
    let sum = json!({"a": 1, "b": 2});
    for id in 0..5 {
        send(&mut wire, id, "tools/call", json!({"name": "add", "arguments": sum})).await;
    }
    for id in 0..3 {
        send(&mut wire, id, "tools/call", json!({"name": "add_later", "arguments": sum})).await;
    }
    send(&mut wire, 10, "tools/call", json!({"name": "add", "arguments": {"a": "x"}})).await;
    send(&mut wire, 11, "tools/call", json!({"name": "refuse"})).await;
    send(&mut wire, 12, "tools/call", json!({"name": "panic"})).await;
    send(&mut wire, 13, "tools/call", json!({"name": "nobody_has_this"})).await;
    send(&mut wire, 14, "made/up", json!({})).await;
    send(&mut wire, 15, "tools/list", json!({})).await;
    send(&mut wire, 16, "prompts/get", json!({"name": "poem", "arguments": {"about": "pears"}})).await;
    send(&mut wire, 17, "resources/read", json!({"uri": "orders://4711"})).await;
    let labels = |method: &'static str| vec![("mcp_method_name", method)];
    let with = |method, label, name: &'static str| [labels(method), vec![(label, name)]].concat();
    for (labels, expected) in [
        (tool("add"), Some(5.0)),
        (tool("add_later"), Some(3.0)),
        (failed("add", "tool_error"), Some(1.0)),
        (failed("refuse", "tool_error"), Some(1.0)),
        (failed("panic", "tool_error"), Some(1.0)),
        (tool("refuse"), None),
        (with("tools/call", "error_type", "-32602"), Some(1.0)),
        (with("_OTHER", "error_type", "-32601"), Some(1.0)),
        (labels("tools/list"), Some(1.0)),
        (with("prompts/get", "gen_ai_prompt_name", "poem"), Some(1.0)),
        (with("resources/read", "mcp_resource_name", "order"), Some(1.0)),
    ] {
        assert_eq!(total(&metrics, &labels), expected, "{labels:?}");
    }
    let text = metrics.render();
    assert!(!text.contains("nobody_has_this") && !text.contains("made/up") && !text.contains("//4711"), "{text}");
    assert!(value(&text, "mcp_server_panics_total", &[]).unwrap() >= 1.0);
    let took = value(&text, "mcp_server_operation_duration_seconds_sum", &tool("add_later")).unwrap();
    assert!((0.015..15.0).contains(&took), "three times five milliseconds, not {took}");
    assert_eq!(text, metrics.to_string());
}

#[tokio::test]
async fn running_calls_are_counted_until_they_are_cancelled() {
    let app = app("running");
    let metrics = app.metrics();
    let mut wire = app.connect().await.unwrap();
    for id in 0..2 {
        wire.send(Revision::NEWEST.request(id, "tools/call", json!({"name": "hang"})));
    }
    let running = |text: &str| value(text, "mcp_server_requests_in_flight", &tool("hang"));
    assert_eq!(running(&metrics.render()), Some(2.0));
    for id in 0..2 {
        let params = json!({"requestId": id});
        wire.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
    }
    for _ in 0..1000 {
        if running(&metrics.render()) == Some(0.0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(running(&metrics.render()), Some(0.0));
    assert_eq!(total(&metrics, &failed("hang", "cancelled")), Some(2.0));
}

#[tokio::test]
async fn a_thousand_unknown_names_are_one_series() {
    let app = app("strangers");
    let metrics = app.metrics();
    let mut wire = app.connect().await.unwrap();
    send(&mut wire, 0, "tools/call", json!({"name": "x"})).await;
    let lines = metrics.render().lines().count();
    for id in 1..1000 {
        send(&mut wire, id, "tools/call", json!({"name": format!("x{id}")})).await;
    }
    assert_eq!(metrics.render().lines().count(), lines);
}

#[tokio::test]
async fn names_are_escaped_in_the_exposition() {
    let app = App::empty("a \"quoted\" \\ name\nin two lines");
    let metrics = app.metrics();
    let tool_of_words =
        DynamicTool::new("words", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("done") });
    let mut wire = app.add_tool(tool_of_words).connect().await.unwrap();
    send(&mut wire, 1, "tools/call", json!({"name": "words"})).await;
    let text = metrics.render();
    assert!(text.contains(r#"server_name="a \"quoted\" \\ name\nin two lines""#), "{text}");
    assert_eq!(total(&metrics, &tool("words")), Some(1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_serves_metrics_at_their_own_path() {
    let server = Server::start(app("web").http(HttpConfig::new().metrics(true))).await;
    let get = || Request { path: "/metrics".into(), ..Request::new("GET") };
    for id in 0..4 {
        server.send(&call(id, "add", json!({"a": id, "b": 2}))).await;
    }
    server.send(&call(5, "add_later", json!({"a": 1, "b": 2}))).await;
    server.send(&Request::post(Revision::V2025_11_25.initialize(1))).await;
    assert_eq!(server.send(&Request::new("PUT")).await.status, 405);
    assert_eq!(server.send(&modern(1, "tools/list", json!({})).set("Host", "evil.example")).await.status, 403);

    let response = server.send(&get()).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some(Metrics::CONTENT_TYPE)));
    let text = response.text();
    let status = |status| value(&text, "mcp_server_http_responses_total", &[("http_response_status_code", status)]);
    assert_eq!((status("200"), status("403"), status("405")), (Some(6.0), Some(1.0), Some(1.0)));
    assert_eq!(value(&text, "mcp_server_requests_total", &tool("add")), Some(4.0));
    assert_eq!(value(&text, "mcp_server_requests_total", &tool("add_later")), Some(1.0));
    assert_eq!(value(&text, "mcp_server_sessions", &[]), Some(1.0));
    assert!(value(&text, "mcp_server_connections", &[]).unwrap() >= 1.0);
    assert_eq!(value(&text, "mcp_server_queued_bytes", &[]), Some(0.0));

    assert_eq!(server.send(&get().set("Host", "evil.example")).await.status, 403);
    let posted = Request { path: "/metrics".into(), ..Request::post("{}") };
    let refused = server.send(&posted).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    let mut connection = server.connect().await;
    for _ in 0..2 {
        // A body would be in the way of the second answer.
        connection.write(&Request { path: "/metrics".into(), ..Request::new("HEAD") }.bytes()).await;
        assert_eq!(connection.response_head().await.unwrap().status, 200);
    }
    let silent = Server::start(app("silent")).await;
    assert_eq!(silent.send(&get()).await.status, 404);
}

#[tokio::test]
async fn gauges_of_open_objects_return_to_zero() {
    let config = HttpConfig::new()
        .metrics(true)
        .legacy_sse("/sse")
        .session_idle_timeout(Duration::from_millis(200))
        .max_connections_per_address(8);
    let server = Server::start(app("open").http(config)).await;
    let get = |path: &str| Request { path: path.into(), ..Request::new("GET").set("Accept", "text/event-stream") };
    server.send(&Request::post(Revision::V2025_11_25.initialize(1))).await;
    let mut stream = server.connect().await;
    stream.write(&get("/sse").bytes()).await;
    assert_eq!(stream.response_head().await.unwrap().status, 200);

    // More connections of this address than there may be.
    let mut connections = Vec::new();
    for _ in 0..7 {
        connections.push(server.connect().await);
    }
    assert!(server.connect().await.is_closed_within(Duration::from_secs(10)).await);
    drop(connections.split_off(1));
    let mut reader = connections.remove(0);
    let mut wait_for = async |name: &str, expected: f64| {
        let mut text = String::new();
        for _ in 0..1000 {
            reader.write(&get("/metrics").bytes()).await;
            text = reader.response().await.unwrap().text();
            if value(&text, name, &[]) == Some(expected) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{name} is not {expected} in {text}");
    };
    wait_for("mcp_server_connections_refused_total", 1.0).await;
    wait_for("mcp_server_streams", 1.0).await;
    // The one session is not used again; the other lives as long as its stream.
    wait_for("mcp_server_sessions", 1.0).await;
    drop(stream);
    wait_for("mcp_server_sessions", 0.0).await;
    wait_for("mcp_server_streams", 0.0).await;
    let text = server.send(&get("/metrics")).await.text();
    let ok = &[("http_response_status_code", "200")];
    assert_eq!(value(&text, "mcp_server_http_responses_total", ok), Some(2.0), "the session and the stream");
}

#[tokio::test]
async fn the_outbox_gauge_returns_to_zero_once_read() {
    let app = app("read");
    let metrics = app.metrics();
    let mut wire = app.connect().await.unwrap();
    send(&mut wire, 1, "tools/call", json!({"name": "add_later", "arguments": {"a": 1, "b": 2}})).await;
    assert_eq!(value(&metrics.render(), "mcp_server_queued_bytes", &[]), Some(0.0));
}

#[tokio::test]
async fn another_endpoint_at_the_metrics_path_is_an_error() {
    let config = HttpConfig::new().metrics(true).legacy_sse("/metrics/");
    let error = App::empty("two").http(config).into_service().await.unwrap_err();
    assert!(error.to_string().contains("the path of the metrics"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queued_calls_are_counted_once() {
    let app = app("waiting");
    let metrics = app.metrics();
    let mut wire = app.connect().await.unwrap();
    for id in 0..5000 {
        let params = json!({"name": "add_later", "arguments": {"a": 1, "b": 2}});
        wire.send(Revision::NEWEST.request(id, "tools/call", params));
    }
    for _ in 0..5000 {
        wire.receive().await;
    }
    // An answer is on its way before it is counted.
    for _ in 0..1000 {
        if total(&metrics, &tool("add_later")) == Some(5000.0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(total(&metrics, &tool("add_later")), Some(5000.0));
    let text = metrics.render();
    assert_eq!(value(&text, "mcp_server_requests_total", &[("mcp_method_name", "tools/call")]), None, "{text}");
    assert_eq!(value(&text, "mcp_server_requests_total", &failed("add_later", "cancelled")), None, "{text}");
    assert_eq!(value(&text, "mcp_server_requests_in_flight", &tool("add_later")), Some(0.0));
    assert_eq!(value(&text, "mcp_server_requests_waiting", &[]), Some(0.0));
}
