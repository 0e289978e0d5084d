//! Connections whose client is silent, slow or has closed one side.

use std::future::Future;
use std::io::{Result, Write};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use fastmcp_rs::http_server::{AccessError, SessionMode};
use fastmcp_rs::{HttpConfig, Principal};
use http::request::Parts;
use http_body_util::BodyExt;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;

use super::client::{Connection, Request, Server, call};
use super::h2;
use super::modern::wait_until;
use super::support::Revision;
use super::support::revision::{INITIALIZED, initialize};
use super::tls::Authority;
use super::tools::{Seen, app, app_with};

const PART: Duration = Duration::from_millis(100);

/// The headers of a session of 2025-11-25 or before.
struct Session {
    id: String,
    revision: Revision,
}

impl Session {
    async fn open(server: &Server, revision: Revision) -> Session {
        let opened = server.send(&Request::post(initialize(0, revision.name()))).await;
        let id = opened.header("mcp-session-id").expect("a session").to_owned();
        let session = Session { id, revision };
        assert_eq!(server.send(&session.with_headers(Request::post(INITIALIZED))).await.status, 202);
        session
    }

    fn with_headers(&self, request: Request) -> Request {
        request.with("Mcp-Session-Id", &self.id).with("MCP-Protocol-Version", self.revision.name())
    }

    fn call(&self, tool: &str, arguments: Value) -> Request {
        let params = json!({"name": tool, "arguments": arguments});
        self.with_headers(Request::post(self.revision.request(1, "tools/call", params)))
    }
}

fn sleep(milliseconds: u64) -> Value {
    json!({"milliseconds": milliseconds})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_call_begins_its_stream_when_a_keep_alive_is_due() {
    let server = Server::start(app().http(HttpConfig::new().keep_alive_interval(PART))).await;
    let sessionless =
        Server::start(app().http(HttpConfig::new().keep_alive_interval(PART).sessions(SessionMode::Sessionless))).await;
    let newest = Session::open(&server, Revision::V2025_11_25).await;
    let older = Session::open(&server, Revision::V2025_06_18).await;
    let without = Session { id: "none".into(), revision: Revision::V2025_06_18 };
    for (server, request, has_id) in [
        (&server, call(1, "sleep", sleep(800)), false),
        (&server, newest.call("sleep", sleep(800)), true),
        (&server, older.call("sleep", sleep(800)), false),
        (&sessionless, without.call("sleep", sleep(800)), false),
    ] {
        let mut connection = server.connect().await;
        let start = Instant::now();
        connection.write(&request.bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        let first = connection.event(&mut stream).await.unwrap();
        let waited = start.elapsed();
        assert!((PART..Duration::from_millis(700)).contains(&waited), "{waited:?}");
        // Something that is no message, and for clients that can come back, where to.
        assert_eq!((first.id.is_some(), first.comment.is_some()), (has_id, !has_id), "{first:?}");
        let again = connection.event(&mut stream).await.unwrap();
        assert_eq!(again.comment.as_deref(), Some("keep-alive"));
        let answer = connection.message(&mut stream).await.unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "slept");
        assert_eq!(connection.event(&mut stream).await, None);
    }
    // A client that accepts no stream waits, and a quick call gets its response as usual.
    let only_json = call(1, "sleep", sleep(300)).set("Accept", "application/json");
    assert_eq!(server.send(&only_json).await.answer("tools/call")["result"]["content"][0]["text"], "slept");
    assert_eq!(
        server.send(&call(1, "sleep", sleep(5))).await.answer("tools/call")["result"]["content"][0]["text"],
        "slept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_call_that_lost_its_connection_gets_its_response_later() {
    let server = Server::start(app().http(HttpConfig::new().keep_alive_interval(PART))).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    let mut lost = server.connect().await;
    lost.write(&session.call("sleep", sleep(600)).bytes()).await;
    let mut stream = lost.response_head().await.unwrap();
    let id = lost.event(&mut stream).await.unwrap().id.unwrap();
    drop(lost);
    let mut found = server.connect().await;
    let resume = Request::new("GET").set("Accept", "text/event-stream").with("Last-Event-ID", &id);
    found.write(&session.with_headers(resume).bytes()).await;
    let mut stream = found.response_head().await.unwrap();
    let answer = found.message(&mut stream).await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "slept");
}

/// More than systems keep for a client that does not read.
const LENGTH: usize = 8_000_000;
/// The bytes that are read at once, ten times a second.
const PIECE: usize = 100_000;

/// A stream whose first bytes are read slowly. By itself a system that has taken megabytes takes nothing more until a
/// good part of them has gone, which is longer than the server waits.
struct Slow<S> {
    stream: S,
    slow: usize,
    timer: Pin<Box<Sleep>>,
}

impl<S> Slow<S> {
    fn new(stream: S) -> Slow<S> {
        Slow { stream, slow: 15 * PIECE, timer: Box::pin(tokio::time::sleep(PART)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Slow<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.slow == 0 {
            return Pin::new(&mut self.stream).poll_read(task, buffer);
        }
        ready!(self.timer.as_mut().poll(task));
        let mut piece = vec![0; buffer.remaining().min(PIECE).min(self.slow)];
        let mut read = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(task, &mut read))?;
        buffer.put_slice(read.filled());
        self.slow -= read.filled().len();
        let pause = PART.mul_f64(read.filled().len() as f64 / PIECE as f64);
        self.timer.as_mut().reset(tokio::time::Instant::now() + pause);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Slow<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}

/// Waits less than clients take for what a system keeps. Rest is not counted while something of an answer waits.
fn impatient() -> HttpConfig {
    HttpConfig::new().write_timeout(Duration::from_millis(700)).idle_timeout(Duration::from_millis(400))
}

async fn ask_for_much(stream: impl AsyncRead + AsyncWrite + Unpin, tool: &str) {
    let mut connection = Connection::over(Slow::new(stream));
    connection.write(&call(1, tool, json!({"bytes": LENGTH})).bytes()).await;
    assert!(connection.response().await.expect(tool).body.len() > LENGTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_its_whole_response() {
    let server = Server::start(app().http(impatient())).await;
    let (ready, late) = (server.connect().await.stream, server.connect().await.stream);
    tokio::join!(ask_for_much(ready, "much"), ask_for_much(late, "much_later"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_its_whole_response_on_https() {
    let authority = Authority::new("slow");
    authority.renew();
    let server = Server::start(app().http(impatient().tls(authority.tls()))).await;
    let stream = server.connect().await.stream;
    let stream = authority.client(&[]).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    ask_for_much(stream, "much").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_get_their_whole_responses_on_http_2() {
    let server = Server::start(app().http(impatient().idle_timeout(Duration::from_secs(20)))).await;
    // A slow socket, and a client that opens its window slowly; each with several responses at a time.
    for (window, length, piece) in [(64 << 20, LENGTH / 2, 0), (64 << 10, 500_000, PIECE)] {
        let stream = server.connect().await.stream;
        let slow = if piece == 0 { 15 * PIECE } else { 0 };
        let client = h2::Client::with_window(Slow { slow, ..Slow::new(stream) }, window).await;
        let client = Arc::new(client);
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let client = Arc::clone(&client);
            reading.spawn(async move {
                let mut body = client.begin(&call(1, "much", json!({"bytes": length}))).await.unwrap().into_body();
                let mut read = 0;
                while let Some(frame) = body.frame().await {
                    let more = frame.unwrap().into_data().unwrap().len();
                    read += more;
                    if piece > 0 {
                        tokio::time::sleep(PART.mul_f64(more as f64 / piece as f64)).await;
                    }
                }
                assert!(read > length, "{read} of {length} bytes have come");
            });
        }
        while let Some(read) = reading.join_next().await {
            read.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_call_completes_when_its_client_closes_its_side() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    // One that is answered at once, one later, and one by a stream.
    for (tool, arguments, text) in
        [("add", json!({"a": 1, "b": 2}), "3"), ("sleep", sleep(400), "slept"), ("polled", json!({"wait": 10}), "")]
    {
        let mut half = server.connect().await;
        half.write(&session.call(tool, arguments).bytes()).await;
        half.stream.shutdown().await.unwrap();
        let answer = half.response().await.unwrap_or_else(|| panic!("{tool} is not answered"));
        assert!(answer.status == 200 && answer.text().contains(text), "{}", answer.text());
        assert!(half.is_closed_within(Duration::from_secs(5)).await, "there can be no other request");
    }
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 1, "it has run to its end");
    // A half-sent request is not a call.
    let request = session.call("sleep", sleep(400)).bytes();
    let mut broken = server.connect().await;
    broken.write(&request[..request.len() - 5]).await;
    broken.stream.shutdown().await.unwrap();
    assert!(broken.is_closed_within(Duration::from_secs(5)).await);
    // A stream without a pending response ends with its client.
    let mut listening = server.connect().await;
    let get = session.with_headers(Request::new("GET").set("Accept", "text/event-stream"));
    listening.write(&get.bytes()).await;
    assert_eq!(listening.response_head().await.unwrap().status, 200);
    listening.stream.shutdown().await.unwrap();
    assert!(listening.is_closed_within(Duration::from_secs(5)).await);
    assert_eq!(seen.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_call_is_cancelled_when_its_client_closes_its_side() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone()).http(HttpConfig::new().keep_alive_interval(PART))).await;
    // Before there is anything of an answer, and when its stream has begun.
    for (count, wait) in [(1, Duration::ZERO), (2, 3 * PART)] {
        let mut half = server.connect().await;
        half.write(&call(1, "sleep", sleep(60_000)).bytes()).await;
        wait_until(|| seen.calls.load(Ordering::SeqCst) == count).await;
        tokio::time::sleep(wait).await;
        half.stream.shutdown().await.unwrap();
        assert!(half.is_closed_within(Duration::from_secs(5)).await);
        wait_until(|| seen.dropped.load(Ordering::SeqCst) == count).await;
    }
    // The same where the end comes together with the request.
    let mut half = server.connect().await;
    half.write(&call(1, "sleep", sleep(60_000)).bytes()).await;
    half.stream.shutdown().await.unwrap();
    assert!(half.is_closed_within(Duration::from_secs(5)).await);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == seen.calls.load(Ordering::SeqCst)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partial_head_after_a_request_has_the_header_timeout() {
    let config =
        HttpConfig::new().header_read_timeout(Duration::from_millis(600)).idle_timeout(Duration::from_secs(60));
    let server = Server::start(app().http(config)).await;
    let half = &call(2, "add", json!({"a": 1, "b": 2})).bytes()[..40];
    for first in [call(1, "add", json!({"a": 1, "b": 2})), call(1, "sleep", sleep(900))] {
        let mut connection = server.connect().await;
        connection.write(&[&first.bytes()[..], half].concat()).await;
        assert_eq!(connection.response().await.unwrap().status, 200);
        assert!(connection.is_closed_within(Duration::from_secs(10)).await);
    }
    // The timeout begins when the head could be read, however long the first request took.
    let second = call(2, "add", json!({"a": 1, "b": 2})).bytes();
    let mut connection = server.connect().await;
    connection.write(&[&call(1, "sleep", sleep(900)).bytes()[..], half].concat()).await;
    assert_eq!(connection.response().await.unwrap().status, 200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    connection.write(&second[40..]).await;
    assert_eq!(connection.response().await.expect("an answer").status, 200);
    // And a whole one behind it may wait.
    connection.write(&[call(1, "sleep", sleep(900)).bytes(), second].concat()).await;
    for _ in 0..2 {
        assert_eq!(connection.response().await.expect("an answer").status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_message_is_refused() {
    let server = Server::start(app().http(HttpConfig::new().legacy_sse("/sse"))).await;
    let add = || call(1, "add", json!({"a": 1, "b": 2}));
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        for request in [add(), Request { path: "/sse?sessionId=x".into(), ..add() }] {
            let refused = server.send(&request.with("Content-Encoding", encoding)).await;
            assert_eq!((refused.status, refused.header("accept-encoding")), (415, Some("identity")), "{encoding}");
        }
    }
    assert_eq!(server.send(&add().with("Content-Encoding", "identity")).await.status, 200);
    let coded = add().with("Transfer-Encoding", "gzip, chunked");
    let refused = server.raw(&[coded.head(), b"0\r\n\r\n".to_vec()].concat()).await.unwrap();
    assert_eq!((refused.status, refused.header("connection")), (415, Some("close")));
}

/// Panics, hangs or fails, as the request says.
async fn by_mode(parts: &Parts) -> std::result::Result<Principal, AccessError> {
    match parts.headers.get("x-mode").map(|mode| mode.as_bytes()) {
        Some(b"panic") => panic!("the key store is gone"),
        Some(b"late panic") => {
            tokio::task::yield_now().await;
            panic!("the key store is gone")
        }
        Some(b"hang") => std::future::pending().await,
        Some(b"slow") => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(Principal::new("ada"))
        }
        _ => Ok(Principal::new("ada")),
    }
}

/// Text that is written by several.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// On one thread, so that all that is logged is logged here.
#[tokio::test]
async fn an_authenticate_function_that_panics_or_hangs_refuses_the_request() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let seen = Seen::default();
    let config = HttpConfig::new().authenticate_timeout(Duration::from_millis(300)).legacy_sse("/sse");
    let server = Server::start(app_with(seen.clone()).authenticate(by_mode).http(config)).await;
    let echo = call(1, "echo", json!({"text": "x"}));
    let mut connection = server.connect().await;
    for (mode, status) in [("panic", 500), ("late panic", 500), ("hang", 503), ("slow", 200), ("", 200)] {
        // One connection: it outlives all of them.
        connection.write(&echo.clone().with("X-Mode", mode).bytes()).await;
        let answer = connection.response().await.unwrap();
        assert_eq!(answer.status, status, "{mode}: {}", answer.text());
        assert!(!answer.text().contains("key store"), "{}", answer.text());
        if mode != "slow" {
            let stream = Request { path: "/sse".into(), ..Request::new("GET") }.with("X-Mode", mode);
            let mut other = server.connect().await;
            other.write(&stream.bytes()).await;
            assert_eq!(other.response_head().await.unwrap().status, status, "{mode} on /sse");
        }
    }
    assert_eq!(seen.calls.load(Ordering::SeqCst), 2);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let panics = log.lines().filter(|line| line.contains("the key store is gone, at tests/http/connections.rs:"));
    assert_eq!(panics.count(), 4, "{log}");
    assert!(log.contains("`authenticate` took longer than 300ms"), "{log}");
}
