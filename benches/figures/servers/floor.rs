//! A minimal server as a lower bound: borrowed fields, prepared responses, one write per read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Order;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
    #[serde(borrow, default)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(default)]
    name: &'a str,
    #[serde(borrow, default)]
    arguments: Option<Arguments<'a>>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(default)]
    a: i64,
    #[serde(default)]
    b: i64,
    #[serde(default)]
    order_id: &'a str,
    #[serde(default)]
    ms: Option<u64>,
}

/// The state of a message after it was handled.
enum Done {
    Now,
    /// The response to the id comes later.
    Later(String, Duration),
}

/// Returns the text after the id in the response for each order, with the newline.
fn orders() -> &'static HashMap<String, String> {
    static ORDERS: OnceLock<HashMap<String, String>> = OnceLock::new();
    ORDERS.get_or_init(|| {
        let answer = |(order_id, order): (String, Order)| {
            let json = serde_json::to_string(&order).expect("an order has a JSON form");
            let text = serde_json::to_string(&json).expect("a text has a JSON form");
            let content = format!("\"content\":[{{\"type\":\"text\",\"text\":{text}}}]");
            (order_id, format!(",\"result\":{{{content},\"structuredContent\":{json}}}}}\n"))
        };
        (0..1_000).map(Order::number).map(answer).collect()
    })
}

/// Writes the response to one message, with the newline; `list` is the result of `tools/list`.
fn answer(message: &str, list: &str, out: &mut Vec<u8>) -> Done {
    let message: Message<'_> = serde_json::from_str(message).expect("the client is known");
    let Some(id) = message.id else { return Done::Now };
    let (name, arguments) = message.params.map(|params| (params.name, params.arguments)).unwrap_or_default();
    if let Some(ms) = arguments.as_ref().and_then(|arguments| arguments.ms) {
        return Done::Later(id.get().to_owned(), Duration::from_millis(ms));
    }
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    match message.method {
        "window" => {
            super::figures_window();
            out.extend_from_slice(b",\"result\":{}}\n");
        }
        "server/discover" => out.extend_from_slice(b",\"result\":{\"supportedVersions\":[\"2026-07-28\"]}}\n"),
        "initialize" => out.extend_from_slice(
            b",\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\
              \"serverInfo\":{\"name\":\"floor\",\"version\":\"1\"}}}\n",
        ),
        "tools/list" => {
            out.extend_from_slice(b",\"result\":");
            out.extend_from_slice(list.as_bytes());
            out.extend_from_slice(b"}\n");
        }
        _ if name == "add" => {
            let sum = arguments.map_or(0, |arguments| arguments.a + arguments.b);
            let _ = writeln!(
                out,
                ",\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{{\\\"result\\\":{sum}}}\"}}],\"structuredContent\":{{\"result\":{sum}}}}}}}"
            );
        }
        _ if name == "get_order" => {
            let order = arguments.and_then(|arguments| orders().get(arguments.order_id));
            out.extend_from_slice(order.expect("the client asks for what there is").as_bytes());
        }
        _ => {
            out.extend_from_slice(b",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
            let text = arguments.and_then(|arguments| arguments.text).map_or("\"\"", RawValue::get);
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"}],\"isError\":false}}\n");
        }
    }
    Done::Now
}

fn slept(id: &str, out: &mut Vec<u8>) {
    let _ = writeln!(
        out,
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"slept\"}}],\"isError\":false}}}}"
    );
}

fn list(tools: usize) -> String {
    let tool = |number| {
        format!(
            "{{\"name\":\"tool_{number}\",\"description\":\"Does one thing to an order\",\"inputSchema\":{{\"type\":\"object\",\
             \"properties\":{{\"order_id\":{{\"type\":\"string\",\"description\":\"The order, such as A-1001\"}}}},\
             \"required\":[\"order_id\"]}}}}"
        )
    };
    format!("{{\"tools\":[{}]}}", (0..tools).map(tool).collect::<Vec<_>>().join(","))
}

fn write(bytes: &[u8]) {
    let mut output = std::io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).expect("the client reads");
}

pub fn stdio() {
    let list = list(crate::number_argument());
    let mut input = std::io::stdin().lock();
    let mut timer: Option<mpsc::Sender<(Instant, String)>> = None;
    let (mut buffer, mut used, mut out) = (vec![0; 64 << 10], 0, Vec::new());
    loop {
        let read = input.read(&mut buffer[used..]).expect("the client writes");
        if read == 0 {
            return;
        }
        let searched = used;
        used += read;
        let mut start = 0;
        let mut from = searched;
        while let Some(end) = memchr::memchr(b'\n', &buffer[from..used]).map(|at| from + at) {
            let line = std::str::from_utf8(&buffer[start..end]).expect("the client is known");
            if let Done::Later(id, time) = answer(line, &list, &mut out) {
                let timer = timer.get_or_insert_with(start_timer);
                timer.send((Instant::now() + time, id)).expect("the timer runs");
            }
            start = end + 1;
            from = start;
        }
        buffer.copy_within(start..used, 0);
        used -= start;
        if used == buffer.len() {
            buffer.resize(2 * used, 0);
        }
        if !out.is_empty() {
            write(&out);
            out.clear();
        }
    }
}

/// Starts a thread that answers sleeping calls, all of which sleep for the same time.
fn start_timer() -> mpsc::Sender<(Instant, String)> {
    let (sender, sleeping) = mpsc::channel::<(Instant, String)>();
    thread::spawn(move || {
        let mut out = Vec::new();
        while let Ok((deadline, id)) = sleeping.recv() {
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            slept(&id, &mut out);
            write(&out);
            out.clear();
        }
    });
    sender
}

/// Serves with hyper on one thread, or on a runtime like that of `#[mcp::main]` on two cores.
pub fn http() {
    let mut runtime = match crate::is_of_kind("worker") {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(1).enable_all().build().expect("there are threads");
    runtime.block_on(serve_http());
}

async fn serve_http() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", crate::port())).await.expect("the port is free");
    loop {
        let (stream, _) = listener.accept().await.expect("connections can be accepted");
        stream.set_nodelay(true).expect("it is TCP");
        tokio::spawn(async move {
            let service = hyper::service::service_fn(respond);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("the client is known").to_bytes();
    let message = std::str::from_utf8(&body).expect("the client is known");
    let mut out = Vec::with_capacity(256);
    if let Done::Later(id, time) = answer(message, "{\"tools\":[]}", &mut out) {
        tokio::time::sleep(time).await;
        slept(&id, &mut out);
    }
    let is_empty = out.is_empty();
    let mut response = Response::new(Full::new(Bytes::from(out)));
    if is_empty {
        *response.status_mut() = hyper::StatusCode::ACCEPTED;
    }
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}
