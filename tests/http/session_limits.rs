//! Limits of sessions: their number, their idle time, and the memory of unread messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::{Request, Server};
use super::modern::wait_until;
use super::sessions::Session;
use super::support::Revision;
use super::support::revision::INITIALIZED;
use super::tools::{Dropped, app};

const REVISION: Revision = Revision::V2025_11_25;

/// Counts the calls of `report` that have ended.
#[derive(Clone, Default)]
struct Reported(Arc<AtomicUsize>);

/// Tells how far it is, and answers with as many bytes as are asked for.
#[mcp::tool]
async fn report(bytes: usize, ctx: &Context, reported: State<Reported>) -> String {
    ctx.progress(1.0, 2.0, "begun");
    // On a loaded machine, a short sleep may be over before its first poll, and a ready response has no ids.
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    reported.0.fetch_add(1, Ordering::SeqCst);
    "x".repeat(bytes)
}

/// Sends notifications that take as many bytes as are asked for, and then ends.
#[mcp::tool]
async fn chatter(bytes: usize, ctx: &Context, reported: State<Reported>) -> String {
    for _ in 0..bytes.div_ceil(1000) {
        ctx.info("x".repeat(1000));
        tokio::task::yield_now().await;
    }
    reported.0.fetch_add(1, Ordering::SeqCst);
    "done".into()
}

async fn server(reported: &Reported, config: HttpConfig) -> Server {
    Server::start(app().tool::<report>().tool::<chatter>().state(reported.clone()).http(config)).await
}

/// Calls a tool, reads the first event of its stream, and hangs up. Returns that event's id.
async fn call_and_hang_up(session: &Session<'_>, id: i64, tool: &str, arguments: Value) -> String {
    let (mut connection, mut stream) = session.stream(&session.call_with_token(id, tool, arguments)).await;
    connection.event(&mut stream).await.expect("an event").id.expect("an id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_of_a_session_take_bounded_memory() {
    let reported = Reported::default();
    let server = server(&reported, HttpConfig::new()).await;
    let session = Session::open(&server, REVISION).await;
    let mut ids = Vec::new();
    for id in 0..24 {
        ids.push(call_and_hang_up(&session, id, "report", json!({"bytes": 1_000_000})).await);
    }
    wait_until(|| reported.0.load(Ordering::SeqCst) == ids.len()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut results = Vec::new();
    for (id, last) in ids.iter().enumerate() {
        let response = server.send(&session.get().with("Last-Event-ID", last)).await;
        let answer = response.events().last().expect("an event").json();
        assert_eq!(answer["id"], json!(id), "every request is answered");
        match answer["error"]["code"].as_i64() {
            None => results.push(id),
            code => assert_eq!(code, Some(-32603), "{answer}"),
        }
    }
    assert!((3..=4).contains(&results.len()), "4 MiB of 24 MB are kept: {results:?}");
    assert_eq!(results.last(), Some(&23), "the oldest go first");
}

/// The memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    resident.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_of_many_sessions_take_bounded_memory() {
    let reported = Reported::default();
    let server = server(&reported, HttpConfig::new()).await;
    let before = memory();
    let mut unread = Vec::new();
    for _ in 0..24 {
        let session = Session::open(&server, REVISION).await;
        let mut ids = Vec::new();
        for id in 0..10 {
            ids.push(call_and_hang_up(&session, id, "report", json!({"bytes": 1_000_000})).await);
        }
        unread.push((session, ids));
    }
    wait_until(|| reported.0.load(Ordering::SeqCst) == 240).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let grown = memory().saturating_sub(before);
    let mut kept = 0;
    for (session, ids) in &unread {
        for last in ids {
            let response = server.send(&session.get().with("Last-Event-ID", last)).await;
            kept += usize::from(response.body.len() > 1_000_000);
        }
    }
    println!("240 responses of 1 MB: {} MiB, {kept} of them are kept", grown >> 20);
    // Other tests run in this process, too.
    assert!(grown < 160 << 20, "{} MiB", grown >> 20);
    assert!((40..=67).contains(&kept), "64 MiB are kept, not {kept} MB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_of_a_principal_leave_room_for_others() {
    let reported = Reported::default();
    let app = app().tool::<report>().state(reported.clone()).authenticate(by_key);
    let server = Server::start(app).await;
    let call = |id: i64| {
        let params = json!({"name": "report", "arguments": {"bytes": 1_000_000}});
        REVISION.request_with_meta(id, "tools/call", params, json!({"progressToken": "p"}))
    };
    let mut unread = Vec::new();
    for key in ["ada"].into_iter().chain([&"eve"; 8].map(|eve| *eve)) {
        let ping = begin(&server, Request::post(REVISION.initialize(1)), &[("X-Api-Key", key)]).await;
        for id in 0..3 {
            let mut connection = server.connect().await;
            connection.write(&Request { body: call(id).into(), ..ping.clone() }.bytes()).await;
            let mut stream = connection.response_head().await.expect("a head");
            let last = connection.event(&mut stream).await.and_then(|event| event.id).expect("an id");
            let get = Request { method: "GET".into(), body: Vec::new(), ..ping.clone() };
            unread.push((key, get.with("Last-Event-ID", &last)));
        }
    }
    wait_until(|| reported.0.load(Ordering::SeqCst) == unread.len()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut kept = [0, 0];
    for (key, get) in &unread {
        let response = server.send(get).await;
        kept[usize::from(*key == "eve")] += usize::from(response.body.len() > 1_000_000);
    }
    assert_eq!(kept[0], 3, "the responses of another principal stay");
    assert!((8..=17).contains(&kept[1]), "16 MiB of 24 MB are kept: {kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_notifications_do_not_block_the_call_and_are_dropped_before_its_response() {
    let reported = Reported::default();
    let server = server(&reported, HttpConfig::new().max_calls(2)).await;
    let session = Session::open(&server, REVISION).await;
    for id in 0..6 {
        // More than the buffer of a stream: the call must end, or it would hold its permit for ever.
        let last = call_and_hang_up(&session, id, "chatter", json!({"bytes": 1_000_000})).await;
        wait_until(|| reported.0.load(Ordering::SeqCst) == id as usize + 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let response = server.send(&session.get().with("Last-Event-ID", &last)).await;
        let events = response.events();
        assert_eq!(events.last().expect("an event").json()["result"]["content"][0]["text"], "done");
        assert!(response.body.len() < 400_000, "{} bytes were kept", response.body.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_when_its_client_left_before_its_stream_began() {
    /// Sends more than a stream has room for, after its client has left.
    #[mcp::tool]
    async fn late_chatter(ctx: &Context, reported: State<Reported>) -> String {
        tokio::time::sleep(Duration::from_millis(150)).await;
        for _ in 0..1000 {
            ctx.info("x".repeat(1000));
        }
        reported.0.fetch_add(1, Ordering::SeqCst);
        "done".into()
    }

    let reported = Reported::default();
    let app = app().tool::<late_chatter>().state(reported.clone()).http(HttpConfig::new().max_calls(2));
    let server = Server::start(app).await;
    let session = Session::open(&server, REVISION).await;
    for round in 1..=2 {
        for id in 0..2 {
            let mut connection = server.connect().await;
            connection.write(&session.call(round * 2 + id, "late_chatter", json!({})).bytes()).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        wait_until(|| reported.0.load(Ordering::SeqCst) == 2 * round as usize).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sum = session.text(&session.call(9, "add", json!({"a": 1, "b": 2}))).await;
    assert_eq!(sum, r#"{"result":3}"#, "their places are free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_stream_expires() {
    let reported = Reported::default();
    let server = server(&reported, HttpConfig::new().session_idle_timeout(Duration::from_millis(800))).await;
    let session = Session::open(&server, REVISION).await;
    let last = call_and_hang_up(&session, 1, "report", json!({"bytes": 10})).await;
    let resumed = server.send(&session.get().with("Last-Event-ID", &last)).await;
    assert_eq!(resumed.events().last().expect("an event").json()["id"], 1);
    // The session itself is used all the time.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1600) {
        assert_eq!(server.send(&session.request(2, "ping", json!({}))).await.status, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let gone = server.send(&session.get().with("Last-Event-ID", &last)).await;
    assert_eq!(gone.status, 400, "{}", gone.text());
    assert!(gone.text().contains("Last-Event-ID"), "{}", gone.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idle_time_of_a_session_begins_when_its_last_use_ends() {
    let server = Server::start(app().http(HttpConfig::new().session_idle_timeout(Duration::from_millis(1000)))).await;
    let session = Session::open(&server, REVISION).await;
    let ping = || session.request(100, "ping", json!({}));
    // A stream.
    let (connection, _) = session.stream(&session.get()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    drop(connection);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.send(&ping()).await.status, 200, "after a stream");
    // A call, whose client has left.
    let mut connection = server.connect().await;
    connection.write(&session.call(1, "sleep", json!({"milliseconds": 1500})).bytes()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(connection);
    tokio::time::sleep(Duration::from_millis(1700)).await;
    assert_eq!(server.send(&ping()).await.status, 200, "after a call");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.send(&ping()).await.status, 404, "it was idle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_sessions_of_a_mounted_service_end_without_new_ones() {
    let config = HttpConfig::new().session_idle_timeout(Duration::from_millis(300));
    let service = app().http(config).into_service().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    let router = Router::new().route_service("/mcp", service.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    for _ in 0..3 {
        Session::open(&server, REVISION).await;
        assert!(!format!("{service:?}").contains("sessions: 0"));
        wait_until(|| format!("{service:?}").contains("sessions: 0")).await;
    }
}

#[tokio::test]
async fn a_service_with_sessions_is_freed_when_it_is_dropped() {
    struct Held {
        _dropped: Dropped,
    }
    use hyper::service::Service;
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Held { _dropped: Dropped(Arc::clone(&dropped)) };
    let service = App::empty("freed").state(held).into_service().await.unwrap();
    let service = hyper_util::service::TowerToHyperService::new(service);
    let handshake = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(hyper::body::Bytes::from(REVISION.initialize(1))))
        .unwrap();
    let response = service.call(handshake).await.unwrap();
    assert!(response.headers().contains_key("mcp-session-id"));
    drop((service, response));
    tokio::task::yield_now().await;
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "the task that ends idle sessions keeps nothing alive");
}

async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.map(Principal::new).ok_or(AccessError::unauthorized())
}

/// A handshake that says as much of its client as it may.
fn fat() -> Request {
    let mut initialize: Value = serde_json::from_str(&REVISION.initialize(1)).unwrap();
    initialize["params"]["capabilities"]["experimental"] = json!({"x": {"y": "z".repeat(65_000)}});
    initialize["params"]["clientInfo"]["x"] = json!("z".repeat(65_000));
    Request::post(initialize.to_string())
}

/// Begins a session with some headers, and returns a request that uses it.
async fn begin(server: &Server, handshake: Request, headers: &[(&str, &str)]) -> Request {
    let with = |request: Request| headers.iter().fold(request, |request, (name, value)| request.with(name, value));
    let response = server.send(&with(handshake)).await;
    let id = response.header("mcp-session-id").unwrap_or_else(|| panic!("{}", response.text())).to_owned();
    with(Request::post(REVISION.request(1, "ping", json!({})))).with("Mcp-Session-Id", &id)
}

async fn is_alive(server: &Server, ping: &Request) -> bool {
    match server.send(ping).await.status {
        200 => true,
        404 => false,
        other => panic!("{other}"),
    }
}

/// Floods a server as one peer. Returns the remaining sessions of another peer, and the number of those of the flood.
async fn flood(server: &Server, handshake: &Request, count: usize, headers: [&[(&str, &str)]; 2]) -> (bool, usize) {
    let [good, flooder] = headers;
    let thin = || Request::post(REVISION.initialize(1));
    // Neither was used since its handshake, nor is it any younger than those of the flood.
    let quiet = begin(server, thin(), good).await;
    let mut flood = Vec::new();
    for _ in 0..count {
        flood.push(begin(server, handshake.clone(), flooder).await);
    }
    let is_left = is_alive(server, &quiet).await;
    assert!(is_alive(server, flood.last().expect("some")).await, "the newest is there");
    let mut left = 0;
    for ping in &flood {
        left += usize::from(is_alive(server, ping).await);
    }
    (is_left, left)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_that_floods_sessions_evicts_its_own() {
    let headers: [&[_]; 2] = [&[("X-Api-Key", "ada")], &[("X-Api-Key", "eve")]];
    let thin = Request::post(REVISION.initialize(1));
    // A quarter of all, unless the operator says otherwise.
    for (config, limit) in [
        (HttpConfig::new().max_sessions(32), 8),
        (HttpConfig::new().max_sessions(32).max_sessions_per_principal(3), 3),
        // Beyond the global limit, the peer with the most sessions loses its own.
        (HttpConfig::new().max_sessions(8).max_sessions_per_principal(100), 7),
    ] {
        let server = Server::start(app().authenticate(by_key).http(config)).await;
        assert_eq!(flood(&server, &thin, 40, headers).await, (true, limit));
    }
    // The handshakes of clients have a limit of their own: 4 MiB.
    let server = Server::start(app().authenticate(by_key)).await;
    let (is_left, left) = flood(&server, &fat(), 60, headers).await;
    assert!(is_left && (25..=32).contains(&left), "{is_left} {left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_floods_sessions_evicts_its_own() {
    let thin = Request::post(REVISION.initialize(1));
    let from = |address: &'static str| [("X-Forwarded-For", address)];
    for (good, flooder) in [("203.0.113.1", "203.0.113.2"), ("2001:db8:0:1::1", "2001:db8:0:2::2")] {
        let config = HttpConfig::new().max_sessions(32).trusted_proxies(["127.0.0.1"]);
        let server = Server::start(app().http(config)).await;
        assert_eq!(flood(&server, &thin, 40, [&from(good), &from(flooder)]).await, (true, 8));
    }
    // All addresses of a network of IPv6 are one peer.
    let server = Server::start(app().http(HttpConfig::new().max_sessions(8).trusted_proxies(["127.0.0.1"]))).await;
    let first = begin(&server, thin.clone(), &from("2001:db8::1")).await;
    for other in ["2001:db8::2", "2001:db8::3"] {
        begin(&server, thin.clone(), &from(other)).await;
    }
    assert!(!is_alive(&server, &first).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_peer_addresses_large_and_unused_sessions_are_evicted_first() {
    let server = Server::start(app()).await;
    // It takes 16 MiB and more, and small responses stay.
    let (is_left, left) = flood(&server, &fat(), 140, [&[], &[]]).await;
    assert!(is_left && left < 140, "{is_left} {left}");

    let server = Server::start(app().http(HttpConfig::new().max_sessions(16))).await;
    let used = begin(&server, Request::post(REVISION.initialize(1)), &[]).await;
    let initialized = Request { body: INITIALIZED.into(), ..used.clone() };
    assert_eq!(server.send(&initialized).await.status, 202);
    for _ in 0..64 {
        begin(&server, Request::post(REVISION.initialize(1)), &[]).await;
    }
    assert!(is_alive(&server, &used).await, "those go first that were never used");
}
