//! HTTP/2: a real client, and raw frames that no real client sends.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use fastmcp_rs::HttpConfig;
use http::{Request as HttpRequest, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::client::{PATIENCE, Request, Server, call, modern, modern_with_meta};
use super::modern::wait_until;
use super::tls::Authority;
use super::tools::{Seen, app, app_with};

/// A connection of HTTP/2, and the task that drives it.
pub struct Client {
    requests: http2::SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    pub async fn connect(server: &Server) -> Client {
        Client::over(TcpStream::connect(server.address).await.unwrap()).await
    }

    /// Opens a client with windows of this size, which grow as it reads.
    pub async fn with_window(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, window: u32) -> Client {
        Client::with(stream, |builder| {
            builder.initial_stream_window_size(window).initial_connection_window_size(window);
        })
        .await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Client {
        Client::with(stream, |_| {}).await
    }

    async fn with(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        set: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> Client {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        set(&mut builder);
        let (requests, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        Client { requests, connection: tokio::spawn(connection) }
    }

    pub async fn begin(&self, request: &Request) -> hyper::Result<Response<Incoming>> {
        let mut builder = HttpRequest::builder().method(request.method.as_str());
        let mut host = "localhost";
        for (name, value) in &request.headers {
            match name.as_str() {
                "Host" => host = value,
                name => builder = builder.header(name, value),
            }
        }
        let uri = format!("http://{host}{}", request.path);
        let body = Full::new(Bytes::from(request.body.clone()));
        self.requests.clone().send_request(builder.uri(uri).body(body).unwrap()).await
    }

    async fn send(&self, request: &Request) -> (u16, Bytes) {
        let response = timeout(PATIENCE, self.begin(request)).await.unwrap().unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }

    pub async fn answer(&self, request: &Request) -> Value {
        let (status, body) = self.send(request).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// Sends a request in a task of its own. Aborting the task resets the stream.
    pub fn calling(&self, request: Request) -> JoinHandle<Value> {
        let client = Client { requests: self.requests.clone(), connection: tokio::spawn(async { Ok(()) }) };
        tokio::spawn(async move { client.answer(&request).await })
    }

    /// Waits for the end of the connection, at most for a time.
    pub async fn end(self, time: Duration) -> Option<hyper::Result<()>> {
        timeout(time, self.connection).await.ok().map(Result::unwrap)
    }
}

/// Returns the text of the next frame of a stream.
pub async fn next(stream: &mut Incoming) -> String {
    let frame = timeout(PATIENCE, stream.frame()).await.unwrap().expect("the stream is open").unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

fn add() -> Request {
    call(1, "add", json!({"a": 1, "b": 2}))
}

pub fn listen(id: &str) -> Request {
    modern(id, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_eras_are_served_on_one_connection_beside_http_1() {
    let server = Server::start(app().routes(Router::new().route("/", get(|| async { "a page" })))).await;
    let client = Client::connect(&server).await;
    assert_eq!(client.answer(&add()).await["result"]["content"][0]["text"], "3");
    let response = client.begin(&legacy("initialize", None)).await.unwrap();
    let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let opened: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(opened["result"]["protocolVersion"], "2025-11-25");
    let (status, _) = client.send(&legacy("notifications/initialized", Some(&session))).await;
    assert_eq!(status, 202);
    let (status, body) = client.send(&legacy("ping", Some(&session))).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    assert_eq!(client.send(&Request { path: "/".into(), ..Request::new("GET") }).await.1, "a page");
    assert_eq!(client.send(&Request { path: "/readyz".into(), ..Request::new("GET") }).await.1, "ok\n");
    // The same checks as on HTTP/1.
    assert_eq!(client.send(&add().set("Host", "evil.example")).await.0, 403);
    assert_eq!(client.send(&add().with("Origin", "https://evil.example")).await.0, 403);
    assert_eq!(client.send(&(0..70).fold(add(), |request, n| request.with(&format!("x-{n}"), "y"))).await.0, 431);
    let large = client.answer(&call(2, "much", json!({"bytes": 3_000_000}))).await;
    assert_eq!(large["result"]["content"][0]["text"].as_str().unwrap().len(), 3_000_000);
    let echo = client.answer(&call(2, "echo", json!({"text": "y".repeat(1_000_000)}))).await;
    assert_eq!(echo["result"]["content"][0]["text"].as_str().unwrap().len(), 1_000_000);
    assert_eq!(server.send(&add()).await.status, 200, "HTTP/1.1 on the same port");
}

fn legacy(method: &str, session: Option<&str>) -> Request {
    let params = match method {
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        }),
        _ => json!({}),
    };
    let mut message = json!({"jsonrpc": "2.0", "method": method, "params": params});
    if !method.starts_with("notifications/") {
        message["id"] = json!(1);
    }
    let request = Request::post(message.to_string());
    match session {
        Some(session) => request.with("mcp-session-id", session).with("MCP-Protocol-Version", "2025-11-25"),
        None => request,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_negotiated_in_the_tls_handshake() {
    let authority = Authority::new("h2");
    authority.renew();
    let server = Server::start(app().http(HttpConfig::new().tls(authority.tls()))).await;
    let stream = authority.connect(server.address, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let client = Client::over(stream).await;
    assert_eq!(client.answer(&add()).await["result"]["content"][0]["text"], "3");
    let large = client.answer(&call(2, "much", json!({"bytes": 3_000_000}))).await;
    assert_eq!(large["result"]["content"][0]["text"].as_str().unwrap().len(), 3_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_independent_and_a_reset_cancels_its_call() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let client = Client::connect(&server).await;
    let mut streams = Vec::new();
    for number in 0..50 {
        let mut stream = client.begin(&listen(&format!("l{number}"))).await.unwrap().into_body();
        assert!(next(&mut stream).await.contains("acknowledged"));
        streams.push(stream);
    }
    let talk = json!({"name": "talk", "arguments": {}});
    let mut talking = client
        .begin(&modern_with_meta(1, "tools/call", talk, json!({"progressToken": "p"})))
        .await
        .unwrap()
        .into_body();
    assert!(next(&mut talking).await.starts_with("data: "));
    assert_eq!(client.answer(&add()).await["result"]["content"][0]["text"], "3");
    // A reset of the stream cancels a modern call.
    let sleeping = client.calling(call(1, "sleep", json!({"milliseconds": 60_000})));
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    sleeping.abort();
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
    assert_eq!(client.answer(&add()).await["result"]["content"][0]["text"], "3", "the connection stays open");
    // So does the end of the connection.
    let sleeping = tokio::spawn(async move { client.begin(&call(1, "sleep", json!({"milliseconds": 60_000}))).await });
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 2).await;
    sleeping.abort();
    drop((streams, talking));
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_is_closed_and_a_subscribed_one_is_kept() {
    let config = HttpConfig::new()
        .header_read_timeout(Duration::from_millis(200))
        .idle_timeout(Duration::from_millis(500))
        .write_timeout(Duration::from_secs(2));
    let router = Router::new().route("/never", get(std::future::pending::<()>));
    let server = Server::start(app().routes(router).http(config)).await;
    let listening = Client::connect(&server).await;
    let mut stream = listening.begin(&listen("l")).await.unwrap().into_body();
    next(&mut stream).await;
    // Nothing but the preface; half of it; and a client that only pings.
    let mut half = server.connect().await;
    half.write(b"PRI * HTTP/2.0\r\n").await;
    assert!(half.is_closed_within(Duration::from_secs(5)).await);
    let silent = Client::connect(&server).await;
    let begin = Instant::now();
    assert!(silent.end(Duration::from_secs(5)).await.unwrap().is_ok(), "it is closed");
    assert!(begin.elapsed() > Duration::from_millis(400), "{:?}", begin.elapsed());
    let mut pinging = Raw::connect(&server).await;
    let begin = Instant::now();
    while pinging.frame(6, 0, 0, b"12345678").await && begin.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "pings keep nothing open");
    assert!(pinging.rest().await.contains(&GOAWAY));
    // A connection that rests is closed, although not at once.
    let resting = Client::connect(&server).await;
    resting.answer(&add()).await;
    let begin = Instant::now();
    assert!(resting.end(Duration::from_secs(5)).await.unwrap().is_ok());
    assert!(begin.elapsed() > Duration::from_millis(400), "{:?}", begin.elapsed());
    // A connection that answers no pings is closed, even with open streams.
    let mut dead = Raw::connect(&server).await;
    dead.request(1, "/never").await;
    assert!(dead.is_closed_within(Duration::from_secs(10)).await);
    assert_eq!(listening.answer(&add()).await["result"]["content"][0]["text"], "3", "who listens is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeouts_may_be_unlimited() {
    let forever = Duration::MAX;
    let config = HttpConfig::new()
        .header_read_timeout(forever)
        .idle_timeout(forever)
        .write_timeout(forever)
        .body_read_timeout(forever);
    let router = Router::new().route("/", post(|body: String| async { body }));
    let server = Server::start(app().routes(router).http(config)).await;
    let echo = Request { path: "/".into(), ..Request::post("words") };
    let mut connection = server.connect().await;
    let client = Client::connect(&server).await;
    for _ in 0..2 {
        connection.write(&echo.bytes()).await;
        assert_eq!(connection.response().await.unwrap().text(), "words");
        assert_eq!(client.send(&echo).await.1, "words");
        assert_eq!(client.answer(&add()).await["result"]["content"][0]["text"], "3");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_opens_no_window_loses_its_stream() {
    let seen = Seen::default();
    let server =
        Server::start(app_with(seen.clone()).http(HttpConfig::new().write_timeout(Duration::from_millis(500)))).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let client = Client::with(stream, |builder| {
        builder.initial_stream_window_size(20_000).initial_connection_window_size(1 << 20);
    })
    .await;
    let mut deaf = client.begin(&call(1, "much", json!({"bytes": 1_000_000}))).await.unwrap().into_body();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // The bytes that fit into the window arrive, and then the reset.
    let mut read = 0;
    let end = loop {
        match timeout(PATIENCE, deaf.frame()).await.unwrap() {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(error)) => break error,
            None => panic!("all has arrived"),
        }
    };
    assert!(read <= 20_000 && format!("{end:?}").contains("CANCEL"), "{read}, {end:?}");
    let answer = client.answer(&call(2, "much", json!({"bytes": 500_000}))).await;
    assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap().len(), 500_000, "the connection stays open");
    // A stream on which nothing happens waits for us, not for the client.
    let mut stream = client.begin(&listen("l")).await.unwrap().into_body();
    next(&mut stream).await;
    assert!(timeout(Duration::from_millis(1500), stream.frame()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_reads_nothing_is_closed() {
    let router = Router::new().route("/", get(|| async { vec![b'x'; 30_000_000] }));
    let config = HttpConfig::new().write_timeout(Duration::from_millis(300));
    let server = Server::start(app().routes(router).http(config)).await;
    let mut deaf = Raw::over(server.connect_deaf().await.stream).await;
    // There is all the room that HTTP/2 has, but none in the socket.
    assert!(deaf.frame(4, 0, 0, &[&4_u16.to_be_bytes()[..], &(1_u32 << 30).to_be_bytes()].concat()).await);
    assert!(deaf.frame(8, 0, 0, &(1_u32 << 30).to_be_bytes()).await);
    deaf.request(1, "/").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    deaf.rest().await;
    assert!(deaf.buffer.len() < 25_000_000, "{}", deaf.buffer.len());
    assert!(deaf.buffer.len() > 10_000, "{}", deaf.buffer.len());
    assert_eq!(server.send(&add()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_beyond_the_limit_of_a_connection_are_refused() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let mut raw = Raw::connect(&server).await;
    // More than a hundred at a time, which a client was told not to do: each waits for a body.
    for number in 0..150_u32 {
        raw.headers(number * 2 + 1, "POST", "/mcp", false).await;
    }
    let rest = raw.until(Duration::from_secs(2)).await;
    assert_eq!(rest.iter().filter(|&&kind| kind == RST_STREAM).count(), 50);
    assert_eq!(server.send(&add()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_counted_until_it_ends() {
    let server = Server::start(app().http(HttpConfig::new().max_connections(1))).await;
    let client = Client::connect(&server).await;
    client.answer(&add()).await;
    assert!(server.connect().await.is_closed_within(Duration::from_secs(2)).await, "there is one already");
    client.connection.abort();
    drop(client);
    let mut is_served = false;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        is_served = server.raw(&add().bytes()).await.is_some();
        if is_served {
            break;
        }
    }
    assert!(is_served, "the place is free again");
}

/// CVE-2023-44487: streams that are reset as soon as they are opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_closes_the_connection() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let mut floods = Vec::new();
    for _ in 0..4 {
        let mut raw = Raw::connect(&server).await;
        floods.push(tokio::spawn(async move {
            let mut flood = Vec::new();
            for number in 0..20_000_u32 {
                flood.extend(headers(number * 2 + 1, "POST", "/mcp", false));
                flood.extend(frame(3, 0, number * 2 + 1, &8_u32.to_be_bytes()));
            }
            let mut sent = 0;
            for part in flood.chunks(64 << 10) {
                if raw.stream.write_all(part).await.is_err() {
                    break;
                }
                sent += part.len();
            }
            (sent, flood.len(), raw.rest().await)
        }));
    }
    let client = Client::connect(&server).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let begin = Instant::now();
        client.answer(&add()).await;
        slowest = slowest.max(begin.elapsed());
    }
    for flood in floods {
        let (sent, length, rest) = timeout(PATIENCE, flood).await.unwrap().unwrap();
        println!("resets: {sent} of {length} bytes were taken, and then {rest:?}");
        assert!(rest.contains(&GOAWAY) || sent < length, "{sent} of {length}");
    }
    println!("resets: the slowest of 100 calls beside four floods took {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(server.send(&add()).await.status, 200);
}

/// CVE-2024-27316: a head that never ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_have_the_size_limit_of_http_1() {
    let server = Server::start(app()).await;
    let client = Client::connect(&server).await;
    for (length, status) in [(30 << 10, 200), (33 << 10, 431)] {
        let (got, _) = client.send(&add().with("x-long", &"x".repeat(length))).await;
        assert_eq!(got, status, "{length}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_is_refused() {
    let server = Server::start(app()).await;
    let mut raw = Raw::connect(&server).await;
    raw.frame(1, 0, 1, &[0x82, 0x86]).await;
    let header = [&[0_u8, 1, b'x', 127, 0x81, 0x7e][..], &[b'y'; 16_000 + 384]].concat();
    let part = &header[..16_000];
    let mut sent = 0;
    while sent < 1000 && raw.frame(9, 0, 1, part).await {
        sent += 1;
    }
    println!("continuation: {sent} parts of 16 KB were taken");
    assert!(raw.is_closed_within(Duration::from_secs(10)).await);
    assert!(sent < 1000);
    // One that ends, but is too long, is answered.
    let client = Client::connect(&server).await;
    let long = add().with("x-long", &"y".repeat(40 << 10));
    let refused = client.begin(&long).await;
    assert!(refused.is_err() || refused.unwrap().status() == 431);
    assert_eq!(Client::connect(&server).await.answer(&add()).await["result"]["content"][0]["text"], "3");
}

const RST_STREAM: u8 = 3;
pub const GOAWAY: u8 = 7;

/// A client that sends raw frames.
pub struct Raw {
    stream: TcpStream,
    buffer: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn headers(stream: u32, method: &str, path: &str, is_last: bool) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    // `:method`, `:scheme: http`, `:path`, `:authority`, without compression.
    let mut block = [&[0x02], &text(method)[..], &[0x86, 0x04], &text(path), &[0x01], &text("localhost")].concat();
    for (name, value) in [("content-type", "application/json"), ("accept", "application/json, text/event-stream")] {
        block.extend([&[0], &text(name)[..], &text(value)].concat());
    }
    frame(1, 4 | u8::from(is_last), stream, &block)
}

impl Raw {
    pub async fn connect(server: &Server) -> Raw {
        Raw::over(TcpStream::connect(server.address).await.unwrap()).await
    }

    async fn over(mut stream: TcpStream) -> Raw {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        stream.write_all(&[frame(4, 0, 0, &[]), frame(4, 1, 0, &[])].concat()).await.unwrap();
        Raw { stream, buffer: Vec::new() }
    }

    /// Reports whether the frame could be sent.
    async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.stream.write_all(&frame(kind, flags, stream, payload)).await.is_ok()
    }

    async fn headers(&mut self, stream: u32, method: &str, path: &str, is_last: bool) {
        self.stream.write_all(&headers(stream, method, path, is_last)).await.unwrap();
    }

    pub async fn request(&mut self, stream: u32, path: &str) {
        self.headers(stream, "GET", path, true).await;
    }

    /// The types of the frames that come until the end.
    pub async fn rest(&mut self) -> Vec<u8> {
        self.until(PATIENCE).await
    }

    /// The types of the frames that come, for a time.
    async fn until(&mut self, time: Duration) -> Vec<u8> {
        let read = async {
            let mut chunk = [0; 16 << 10];
            while let Ok(read @ 1..) = self.stream.read(&mut chunk).await {
                self.buffer.extend_from_slice(&chunk[..read]);
            }
        };
        let _ = timeout(time, read).await;
        let mut kinds = Vec::new();
        let mut rest = &self.buffer[..];
        while rest.len() >= 9 {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            kinds.push(rest[3]);
            rest = rest.get(9 + length..).unwrap_or_default();
        }
        kinds
    }

    async fn is_closed_within(&mut self, time: Duration) -> bool {
        let begin = Instant::now();
        self.until(time).await;
        begin.elapsed() < time
    }
}
