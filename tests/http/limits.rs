//! Limits of the memory and calls that many clients hold at a time, and the share of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastmcp_rs::SealingKey;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::prelude::*;
use serde_json::json;
use tokio::net::TcpStream;

use super::client::{Connection, PATIENCE, Request, Response, Server, call, modern};
use super::modern::wait_until;
use super::sessions::Session;
use super::support::Revision;
use super::tools::{Seen, app, app_with};

const KIB: usize = 1 << 10;

async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.map(Principal::new).ok_or(AccessError::unauthorized())
}

/// The memory of calls that run.
#[derive(Clone, Default)]
struct Weight {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Weighed(Weight, usize);

impl Weighed {
    fn new(weight: &Weight, text: &str) -> Weighed {
        let now = weight.now.fetch_add(text.len(), Ordering::SeqCst) + text.len();
        weight.most.fetch_max(now, Ordering::SeqCst);
        Weighed(weight.clone(), text.len())
    }
}

impl Drop for Weighed {
    fn drop(&mut self) {
        self.0.now.fetch_sub(self.1, Ordering::SeqCst);
    }
}

/// Keeps its argument for a time.
#[mcp::tool]
async fn keep(text: String, milliseconds: u64, weight: State<Weight>) -> usize {
    let _weighed = Weighed::new(&weight, &text);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    text.len()
}

/// Keeps its argument on a thread.
#[mcp::tool(timeout = "100ms")]
fn keep_on_thread(text: String, milliseconds: u64, weight: State<Weight>) -> usize {
    let _weighed = Weighed::new(&weight, &text);
    std::thread::sleep(Duration::from_millis(milliseconds));
    text.len()
}

fn keeping(tool: &str, bytes: usize, milliseconds: u64) -> Request {
    call(1, tool, json!({"text": "x".repeat(bytes), "milliseconds": milliseconds}))
}

fn keeper(weight: &Weight) -> App {
    App::empty("limits").tool::<keep>().tool::<keep_on_thread>().state(weight.clone())
}

/// Room for four messages.
fn tight() -> HttpConfig {
    HttpConfig::new().max_body(1 << 20).max_bytes_in_flight(4 << 20)
}

/// Sends a request with the first `sent` bytes of its body.
async fn begin(server: &Server, request: &Request, sent: usize) -> Connection<TcpStream> {
    let mut connection = server.connect().await;
    connection.write(&request.bytes()[..request.head().len() + sent]).await;
    connection
}

async fn written(server: &Server, request: &Request) -> Connection<TcpStream> {
    begin(server, request, request.body.len()).await
}

/// Sends a request again and again, until it has that status.
pub async fn answers(server: &Server, request: &Request, status: u16) {
    let start = Instant::now();
    while server.send(request).await.status != status {
        assert!(start.elapsed() < PATIENCE, "it is never {status}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Sends requests at the same time.
async fn at_once(server: &Server, requests: Vec<Request>) -> Vec<Response> {
    let address = server.address;
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| tokio::spawn(async move { Server::at(address).send(&request).await }))
        .collect();
    let mut responses = Vec::new();
    for task in tasks {
        responses.push(task.await.unwrap());
    }
    responses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_trickling_uploads_do_not_hold_memory_from_others() {
    let weight = Weight::default();
    let server = Server::start(keeper(&weight).http(tight())).await;
    let upload = keeping("keep", 1_000 * KIB, 0);
    // More than there is room for, of each kind: nothing but the head, the first 64 KiB, much more, and a bit now and then.
    let mut silent = Vec::new();
    for (sent, count) in [(0, 16), (1, 16), (64 * KIB, 16), (64 * KIB + 1, 32), (200 * KIB, 8), (999 * KIB, 2)] {
        for _ in 0..count {
            silent.push(begin(&server, &upload, sent).await);
        }
    }
    let mut trickling = silent.split_off(silent.len() - 26);
    let trickle = tokio::spawn(async move {
        loop {
            for connection in &mut trickling {
                connection.write(b"x").await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    for bytes in [100 * KIB, 1_000 * KIB] {
        let start = Instant::now();
        let response = server.send(&keeping("keep", bytes, 0)).await;
        assert_eq!(response.status, 200, "{bytes} after {:?}: {}", start.elapsed(), response.text());
        println!("beside silent uploads, a message of {bytes} bytes took {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    }
    trickle.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_upload_gets_an_error_response() {
    let weight = Weight::default();
    let server = Server::start(keeper(&weight).http(tight())).await;
    let upload = keeping("keep", 1_000 * KIB, 0);
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(begin(&server, &upload, 999 * KIB).await);
    }
    // Long enough for all of them to be read.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    assert_eq!(server.send(&upload).await.status, 200);
    // The upload that was silent longest, and no more than necessary.
    let mut refused = silent.remove(0);
    assert_eq!(refused.response().await.map(|response| response.status), Some(408));
    assert!(start.elapsed() < Duration::from_secs(15), "it is not the time limit of messages: {:?}", start.elapsed());
    let rest = &upload.bytes()[upload.head().len() + 999 * KIB..];
    let last = silent.last_mut().unwrap();
    last.write(rest).await;
    assert_eq!(last.response().await.map(|response| response.status), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_uploads_all_complete() {
    let weight = Weight::default();
    let server = Server::start(keeper(&weight).http(tight())).await;
    let uploads = (0..24).map(|_| keeping("keep", 1_000 * KIB, 5)).collect();
    for response in at_once(&server, uploads).await {
        assert_eq!(response.status, 200, "{}", response.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_calls_hold_the_memory_of_their_arguments() {
    let weight = Weight::default();
    let server = Server::start(keeper(&weight).http(tight())).await;
    let uploads = (0..12).map(|_| keeping("keep", 1_000 * KIB, 300)).collect();
    for response in at_once(&server, uploads).await {
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let most = weight.most.load(Ordering::SeqCst);
    assert!((2_000 * KIB..=4 << 20).contains(&most), "{most}");
    assert_eq!(weight.now.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_holds_the_memory_of_its_arguments_beyond_the_call() {
    let weight = Weight::default();
    let config = HttpConfig::new().max_body(1 << 20).max_bytes_in_flight(1 << 20);
    let server = Server::start(keeper(&weight).http(config)).await;
    let timed_out = server.send(&keeping("keep_on_thread", 1_000 * KIB, 800)).await;
    assert!(timed_out.text().contains("timed out"), "{}", timed_out.text());
    assert_eq!(weight.now.load(Ordering::SeqCst), 1_000 * KIB, "the thread still has it");
    assert_eq!(server.send(&keeping("keep", 1_000 * KIB, 0)).await.status, 200);
    assert_eq!(weight.most.load(Ordering::SeqCst), 1_000 * KIB);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_its_client_holds_its_memory_until_its_session_is_deleted() {
    let weight = Weight::default();
    let config = HttpConfig::new().max_body(1 << 20).max_bytes_in_flight(1 << 20);
    let server = Server::start(keeper(&weight).http(config)).await;
    let opened = server.send(&Request::post(Revision::V2025_11_25.initialize(0))).await;
    let id = opened.header("mcp-session-id").unwrap();
    let arguments = json!({"text": "x".repeat(1_000 * KIB), "milliseconds": 60_000});
    let body = Revision::V2025_11_25.request(1, "tools/call", json!({"name": "keep", "arguments": arguments}));
    let gone = written(&server, &Request::post(body).with("Mcp-Session-Id", id)).await;
    wait_until(|| weight.now.load(Ordering::SeqCst) > 0).await;
    drop(gone);
    let waiting = written(&server, &keeping("keep", 1_000 * KIB, 0)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(weight.now.load(Ordering::SeqCst), 1_000 * KIB, "the call runs on");
    let mut waiting = waiting;
    assert_eq!(server.send(&Request::new("DELETE").with("Mcp-Session-Id", id)).await.status, 204);
    assert_eq!(waiting.response().await.map(|response| response.status), Some(200));
    assert_eq!(weight.most.load(Ordering::SeqCst), 1_000 * KIB);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_principal_has_a_share_of_the_memory() {
    let weight = Weight::default();
    let server = Server::start(keeper(&weight).authenticate(by_key).http(tight())).await;
    let upload = |key, milliseconds| keeping("keep", 900 * KIB, milliseconds).with("X-Api-Key", key);
    let mut flood = Vec::new();
    for _ in 0..8 {
        flood.push(written(&server, &upload("eve", 60_000)).await);
    }
    wait_until(|| weight.now.load(Ordering::SeqCst) > 0).await;
    let start = Instant::now();
    let responses = at_once(&server, vec![upload("ada", 0), upload("bob", 0), upload("cy", 0)]).await;
    assert!(responses.iter().all(|response| response.status == 200), "{responses:?}");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(weight.now.load(Ordering::SeqCst), 900 * KIB, "one message of a quarter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_without_clients_count_against_their_principal() {
    let seen = Seen::default();
    let config = HttpConfig::new().max_calls(16);
    let server = Server::start(app_with(seen.clone()).authenticate(by_key).http(config)).await;
    let initialize = Request::post(Revision::V2025_11_25.initialize(0)).with("X-Api-Key", "eve");
    let opened = server.send(&initialize).await;
    let id = opened.header("mcp-session-id").unwrap();
    let of_eve = |request: Request| request.with("X-Api-Key", "eve").with("Mcp-Session-Id", id);
    let mut gone = Vec::new();
    for number in 0..20 {
        let params = json!({"name": "sleep", "arguments": {"milliseconds": 60_000}});
        let request = Request::post(Revision::V2025_11_25.request(number, "tools/call", params));
        gone.push(written(&server, &of_eve(request)).await);
    }
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 4).await;
    drop(gone);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let add = |key| call(1, "add", json!({"a": 1, "b": 2})).with("X-Api-Key", key);
    let refused = server.send(&add("eve")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert!(refused.text().contains("of this client"), "{}", refused.text());
    let sleeping: Vec<_> =
        (0..4).map(|_| call(1, "sleep", json!({"milliseconds": 100})).with("X-Api-Key", "ada")).collect();
    for response in at_once(&server, sleeping).await {
        assert_eq!(response.status, 200, "a quarter for each");
    }
    assert_eq!((seen.calls.load(Ordering::SeqCst), seen.dropped.load(Ordering::SeqCst)), (8, 4), "calls run on");
    assert_eq!(server.send(&of_eve(Request::new("DELETE"))).await.status, 204);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 8).await;
    answers(&server, &add("eve"), 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_batches_count_one_by_one() {
    let seen = Seen::default();
    let config = HttpConfig::new().max_calls(24);
    let server = Server::start(app_with(seen.clone()).authenticate(by_key).http(config)).await;
    let open = |key| Request::post(Revision::V2025_03_26.initialize(0)).with("X-Api-Key", key);
    let opened = server.send(&open("eve")).await;
    let id = opened.header("mcp-session-id").unwrap().to_owned();
    let of_eve = |body: String| Request::post(body).with("X-Api-Key", "eve").with("Mcp-Session-Id", &id);
    let sleep = |number: i64, milliseconds: i64| {
        let params = json!({"name": "sleep", "arguments": {"milliseconds": milliseconds}});
        Revision::V2025_03_26.request(number, "tools/call", params)
    };
    let batch = |first: i64, count: i64, milliseconds: i64| {
        let calls: Vec<_> = (first..first + count).map(|number| sleep(number, milliseconds)).collect();
        of_eve(format!("[{}]", calls.join(",")))
    };
    // One that is larger than all that a principal may have is served alone.
    assert_eq!(server.send(&batch(0, 9, 1)).await.json().as_array().unwrap().len(), 9);
    let _waiting = written(&server, &batch(10, 4, 60_000)).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 13).await;
    assert_eq!(server.send(&batch(20, 3, 1)).await.status, 503);
    assert_eq!(server.send(&batch(20, 2, 1)).await.json().as_array().unwrap().len(), 2);
    assert_eq!(server.send(&open("ada")).await.status, 200);
    assert_eq!(seen.calls.load(Ordering::SeqCst), 15, "nothing of the batch that was refused has run");
}

/// Returns a text of a given length, at once or later, after a notification or without one.
#[mcp::tool]
async fn tell(bytes: usize, milliseconds: u64, notifies: bool, ctx: &Context) -> String {
    if notifies {
        ctx.info("begun");
    }
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    "x".repeat(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_on_connections_that_are_not_read_take_bounded_memory() {
    let config = HttpConfig::new().max_bytes_unread(4 << 20).keep_alive_interval(Duration::from_millis(20));
    let app = App::empty("limits").tool::<tell>().authenticate(by_key);
    let server = Server::start(app.http(config)).await;
    let told = |key, milliseconds| {
        let arguments = json!({"bytes": 400 * KIB, "milliseconds": milliseconds, "notifies": false});
        call(1, "tell", arguments).with("X-Api-Key", key)
    };
    let mut deaf = Vec::new();
    for milliseconds in [0, 1] {
        let mut connection = server.connect_deaf().await;
        connection.write(&told("eve", milliseconds).bytes()).await;
        let head = connection.response_head().await.unwrap();
        let length = head.header("content-length").and_then(|length| length.parse().ok());
        assert!(length.is_some_and(|length: usize| length > 400 * KIB), "it is no response");
        deaf.push(connection);
    }
    // At once, later, and on a stream.
    for milliseconds in [0, 1, 100] {
        let start = Instant::now();
        loop {
            let response = server.send(&told("eve", milliseconds)).await;
            assert_eq!(response.status, 200);
            let text = response.text();
            if text.contains("-32603") && text.contains("unread bytes of other responses") {
                assert!(text.contains(r#""id":1,"#) && text.len() < KIB, "{text}");
                break;
            }
            assert!(start.elapsed() < PATIENCE, "nothing is dropped");
        }
        let other = server.send(&told("ada", milliseconds)).await;
        assert!(other.text().contains("xxx"), "{}", other.text());
    }
    // The stream of a session ends before its response, and is read on later.
    let opened = server.send(&Request::post(Revision::V2025_11_25.initialize(0)).with("X-Api-Key", "eve")).await;
    let session = opened.header("mcp-session-id").unwrap();
    let params = json!({"name": "tell", "arguments": {"bytes": 400 * KIB, "milliseconds": 50, "notifies": true}});
    let request = Request::post(Revision::V2025_11_25.request(1, "tools/call", params));
    let cut = server.send(&request.with("X-Api-Key", "eve").with("Mcp-Session-Id", session)).await;
    assert!(!cut.text().contains("result"), "{}", cut.text());
    let last = cut.events().into_iter().rev().find_map(|event| event.id).unwrap();
    drop(deaf);
    let start = Instant::now();
    while !server.send(&told("eve", 0)).await.text().contains("xxx") {
        assert!(start.elapsed() < PATIENCE, "it is never read");
    }
    let rest = Request::new("GET").set("Accept", "text/event-stream").with("X-Api-Key", "eve");
    let rest = server.send(&rest.with("Mcp-Session-Id", session).with("Last-Event-ID", &last)).await;
    assert!(rest.text().contains(r#""id":1,"result""#) && rest.text().contains("xxx"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_messages_count_against_their_principal() {
    let config = HttpConfig::new().max_calls(8).max_calls_per_principal(3);
    let server = Server::start(app().authenticate(by_key).http(config)).await;
    let add = |key| call(1, "add", json!({"a": 1, "b": 2})).with("X-Api-Key", key);
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(begin(&server, &add("eve"), 1).await);
    }
    answers(&server, &add("eve"), 503).await;
    assert_eq!(server.send(&add("ada")).await.status, 200);
    drop(silent);
    answers(&server, &add("eve"), 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_clients_have_no_share_limit() {
    let config = HttpConfig::new().max_calls(8).max_calls_per_principal(1).max_streams_per_principal(1);
    let server = Server::start(app().http(config)).await;
    let listen = modern(1, "subscriptions/listen", json!({"notifications": {}}));
    let mut open = Vec::new();
    for _ in 0..4 {
        // The header of an untrusted peer is not read.
        let listen = listen.clone().with("X-Forwarded-For", "192.0.2.1").with("Forwarded", "for=192.0.2.1");
        let mut connection = written(&server, &listen).await;
        assert_eq!(connection.response_head().await.unwrap().status, 200);
        open.push(connection);
    }
    let sleeping = (0..4).map(|_| call(1, "sleep", json!({"milliseconds": 200}))).collect();
    for response in at_once(&server, sleeping).await {
        assert_eq!(response.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_limits_and_timeouts_stand_for_none() {
    let (most, long) = (usize::MAX, Duration::MAX);
    let config = HttpConfig::new()
        .max_body(most)
        .max_bytes_in_flight(most)
        .max_bytes_in_flight_per_principal(most)
        .max_bytes_unread(most)
        .max_calls(most)
        .max_calls_per_principal(most)
        .max_streams(most)
        .max_streams_per_principal(most)
        .max_connections(most)
        .max_connections_per_address(most)
        .max_sessions(most)
        .max_sessions_per_principal(most)
        .session_idle_timeout(long)
        .session_lifetime(long)
        .header_read_timeout(long)
        .body_read_timeout(long)
        .authenticate_timeout(long)
        .idle_timeout(long)
        .write_timeout(long)
        .keep_alive_interval(long)
        .graceful_shutdown_timeout(long);
    for keys in [&[] as &[&str], &["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]] {
        let keys = keys.iter().map(|key| SealingKey::from_base64(key).unwrap());
        let app = App::empty("limits")
            .tool::<keep>()
            .state(Weight::default())
            .authenticate(by_key)
            .timeout(long)
            .page_size(most)
            .request_state_ttl(long)
            .sealing_keys(keys);
        let server = Server::start(app.http(config.clone())).await;
        let large = call(1, "keep", json!({"text": "x".repeat(3 << 20), "milliseconds": 1})).with("X-Api-Key", "ada");
        let first = server.send(&large).await.answer("tools/call");
        assert_eq!(first["result"]["structuredContent"], 3 << 20);
        let h2 = super::h2::Client::connect(&server).await;
        let second = h2.answer(&large).await;
        assert_eq!(second["result"]["structuredContent"], 3 << 20);
        let session = Session::open_with(&server, Revision::V2025_11_25, json!({}), &[("X-Api-Key", "ada")]).await;
        let request = session.call(2, "keep", json!({"text": "x", "milliseconds": 20})).with("X-Api-Key", "ada");
        assert_eq!(session.text(&request).await, "{\"result\":1}");
    }
}
