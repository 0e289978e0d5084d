//! Export of spans to a collector: a small one that reads the real protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use serde_json::{Value, json};

use super::client::{Request, Server, modern_with_meta};
use super::metrics::value;
use super::support::Revision;
use super::support::client::{PATIENCE, example};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const CARRIER: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";

/// A span that a service has sent.
struct Sent {
    service: String,
    span: Span,
}

impl Sent {
    fn attribute(&self, name: &str) -> Option<String> {
        text(&self.span.attributes, name)
    }

    fn parent(&self) -> String {
        hexadecimal(&self.span.parent_span_id)
    }

    fn status(&self) -> StatusCode {
        self.span.status.as_ref().map_or(StatusCode::Unset, |status| status.code())
    }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()? {
        AnyValue { value: Some(Any::StringValue(text)) } => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A collector on a port of its own.
fn collector() -> (SocketAddr, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || collect(stream, &sender));
        }
    });
    (address, receiver)
}

fn collect(stream: TcpStream, sender: &Sender<Sent>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_ascii_lowercase());
        }
        assert_eq!(head[0], "post /v1/traces http/1.1");
        assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        for resource in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
            let service = text(&resource.resource.unwrap().attributes, "service.name").unwrap();
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let _ = sender.send(Sent { service: service.clone(), span });
            }
        }
        (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

/// The example, with a collector at that address.
fn start(collector: SocketAddr, arguments: &[&str]) -> Child {
    Command::new(example("observed"))
        .args(arguments)
        .env_clear()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        .env("OTEL_SERVICE_NAME", "shop")
        // The spans must be those that the end of the server sends.
        .env("OTEL_BSP_SCHEDULE_DELAY", "600000")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn call(id: &str, order: &str, meta: Value) -> String {
    let params = json!({"name": "price_of", "arguments": {"order": order}});
    Revision::NEWEST.request_with_meta(id, "tools/call", params, meta)
}

fn traced() -> Value {
    json!({"traceparent": format!("00-{TRACE}-{PARENT}-01"), "tracestate": "rojo=1"})
}

fn by_id(receiver: &Receiver<Sent>, count: usize) -> Vec<Sent> {
    let mut sent: Vec<Sent> = (0..count).map(|_| receiver.recv_timeout(PATIENCE).expect("a span")).collect();
    sent.sort_by_key(|sent| sent.attribute("jsonrpc.request.id"));
    sent
}

#[test]
fn a_subscription_sent_with_another_request_is_not_counted_as_cancelled() {
    let mut child = Command::new(example("observed"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // Both come in one read, so the answer of the first is still with the reader when the second sends its own.
    let list = Revision::NEWEST.request(1, "tools/list", json!({}));
    let listen = Revision::NEWEST.request(2, "subscriptions/listen", json!({"notifications": {}}));
    input.write_all(format!("{list}\n{listen}\n").as_bytes()).unwrap();
    let output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(output.take(2).count(), 2);
    drop(input);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    let numbers = &told[told.find("# HELP").unwrap_or_else(|| panic!("numbers in {told}"))..];
    let method = ("mcp_method_name", "subscriptions/listen");
    assert_eq!(value(numbers, "mcp_server_requests_total", &[method]), Some(1.0), "{numbers}");
    assert_eq!(value(numbers, "mcp_server_requests_total", &[method, ("error_type", "cancelled")]), None);
}

#[test]
fn spans_of_a_stdio_server_are_exported_at_its_end() {
    let (address, receiver) = collector();
    let mut child = start(address, &[]);
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for message in [call("1", "ORD-12", traced()), call("2", "secret-order", Value::Null)] {
        writeln!(input, "{message}").unwrap();
        let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();
        assert!(answer["result"].is_object(), "{answer}");
    }
    drop(input);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(output.next().is_none(), "only answers are on standard output");

    // Lines say which request they belong to, and the numbers come last.
    let (lines, numbers) = told.split_at(told.find("# HELP").unwrap_or_else(|| panic!("numbers in {told}")));
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&line["span"]["gen_ai.tool.name"], &line["span"]["name"]), (&json!("price_of"), &json!("tools/call")));
    let calls = [("mcp_method_name", "tools/call"), ("gen_ai_tool_name", "price_of")];
    assert_eq!(value(numbers, "mcp_server_requests_total", &calls), Some(1.0));
    let failed = [calls[0], calls[1], ("error_type", "tool_error")];
    assert_eq!(value(numbers, "mcp_server_requests_total", &failed), Some(1.0));
    assert_eq!(value(numbers, "mcp_server_requests_waiting", &[]), Some(0.0));

    let sent = by_id(&receiver, 2);
    let (first, second) = (&sent[0], &sent[1]);
    assert_eq!((first.service.as_str(), first.span.name.as_str()), ("shop", "tools/call price_of"));
    assert_eq!((hexadecimal(&first.span.trace_id), first.parent()), (TRACE.into(), PARENT.into()));
    assert_eq!(first.span.trace_state, "rojo=1");
    assert_eq!((first.span.kind(), first.status()), (SpanKind::Server, StatusCode::Unset));
    for (name, value) in [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "price_of"),
        ("jsonrpc.request.id", "1"),
        ("mcp.method.name", "tools/call"),
        ("mcp.protocol.version", "2026-07-28"),
        ("network.transport", "pipe"),
    ] {
        assert_eq!(first.attribute(name).as_deref(), Some(value), "{name}");
    }
    let events: Vec<&str> = first.span.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["looking up the price"]);
    assert_eq!((second.status(), second.attribute("error.type").as_deref()), (StatusCode::Error, Some("tool_error")));
    assert_eq!(second.parent(), "");
    assert_ne!(hexadecimal(&second.span.trace_id), TRACE);
    assert!(!format!("{:?}", second.span).contains("secret"), "an argument was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_of_an_http_server_are_exported_at_its_end() {
    let (address, receiver) = collector();
    let mut child = start(address, &["127.0.0.1:0"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listens = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned())).unwrap();
    let server = Server::at(listens.split('/').next().unwrap().parse().unwrap());
    let params = json!({"name": "price_of", "arguments": {"order": "ORD-1"}});
    let request = |id: &str, meta: Value| -> Request {
        modern_with_meta(id, "tools/call", params.clone(), meta).with("traceparent", CARRIER)
    };
    server.send(&request("1", Value::Null)).await;
    server.send(&request("2", traced())).await;
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());

    let sent = by_id(&receiver, 2);
    let (first, second) = (&sent[0], &sent[1]);
    assert_eq!((hexadecimal(&first.span.trace_id), first.parent()), ("a".repeat(32), "b".repeat(16)));
    assert_eq!(first.attribute("network.protocol.version").as_deref(), Some("1.1"));
    assert_eq!(first.attribute("client.address").as_deref(), Some("127.0.0.1"));
    assert_eq!((hexadecimal(&second.span.trace_id), second.parent()), (TRACE.into(), PARENT.into()));
    let links: Vec<String> = second.span.links.iter().map(|link| hexadecimal(&link.trace_id)).collect();
    assert_eq!(links, ["a".repeat(32)], "the trace of what carried it is linked");
}

#[test]
fn an_unreachable_collector_does_not_delay_the_server() {
    // It takes connections and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [listener.local_addr().unwrap(), "127.0.0.1:9".parse().unwrap()] {
        let mut child = start(address, &[]);
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        let begin = Instant::now();
        for id in 0..100 {
            writeln!(input, "{}", call(&id.to_string(), "ORD-1", Value::Null)).unwrap();
            let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["result"]["isError"], Value::Null, "{answer}");
        }
        drop(input);
        assert!(child.wait().unwrap().success());
        assert!(output.next().is_none(), "only answers are on standard output");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    }
}
