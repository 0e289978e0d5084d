//! Concurrent requests of a session: two with one id, and those of a session that ends.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastmcp_rs::http_server::SessionMode;
use fastmcp_rs::prelude::*;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::client::{Connection, Request, Response, Server};
use super::modern::wait_until;
use super::processes::Process;
use super::sessions::Session;
use super::support::Revision;
use super::support::client::example;
use super::support::revision::INITIALIZED;
use super::tools::{Seen, app, app_with};

const REVISION: Revision = Revision::V2025_11_25;

/// Counts the calls that have run.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicUsize>);

/// Is ready at its first poll, which takes a while.
#[mcp::tool]
async fn ready_slowly(runs: State<Runs>) -> String {
    runs.0.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(3));
    "done".into()
}

/// Takes its time at the first poll, and then waits.
#[mcp::tool]
async fn wait_slowly(runs: State<Runs>) -> String {
    runs.0.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(1));
    tokio::time::sleep(Duration::from_millis(5)).await;
    "done".into()
}

/// Tells how far it is before it waits.
#[mcp::tool]
async fn wait_with_stream(runs: State<Runs>, ctx: &Context) -> String {
    runs.0.fetch_add(1, Ordering::SeqCst);
    ctx.info("begun");
    tokio::time::sleep(Duration::from_millis(5)).await;
    "done".into()
}

/// The response to a request, as JSON or as a stream.
fn answer(response: &Response) -> Value {
    assert_ne!(response.status, 202, "a request has an answer");
    match response.header("content-type") {
        Some("application/json") => response.json(),
        _ => response.events().last().expect("an event").json(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_id_is_used_by_one_request_at_a_time() {
    for tool in ["ready_slowly", "wait_slowly", "wait_with_stream"] {
        let runs = Runs::default();
        let app = app().tool::<ready_slowly>().tool::<wait_slowly>().tool::<wait_with_stream>().state(runs.clone());
        let server = Server::start(app).await;
        let session = Session::open(&server, REVISION).await;
        let mut connections = [server.connect().await, server.connect().await];
        let (mut results, mut refused) = (0, 0);
        for id in 0..60 {
            let request = session.call(id, tool, json!({})).bytes();
            let [one, other] = &mut connections;
            tokio::join!(one.write(&request), other.write(&request));
            let responses = tokio::join!(one.response(), other.response());
            for response in [responses.0, responses.1] {
                let answer = answer(&response.expect("a response"));
                assert_eq!(answer["id"], id);
                match answer["error"]["code"].as_i64() {
                    None => results += 1,
                    code => {
                        assert_eq!(code, Some(-32600), "{answer}");
                        refused += 1;
                    }
                }
            }
        }
        println!("{tool}: {results} results, {refused} refused");
        assert_eq!(runs.0.load(Ordering::SeqCst), results, "each run is answered, and each result was run for");
        assert!(results >= 60 && refused > 0, "{results} results, {refused} refused");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_with_an_unread_response_is_refused_to_others() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let session = Session::open(&server, REVISION).await;
    // One that waits, and one whose stream is open.
    for (id, tool, arguments) in [(1, "sleep", json!({"milliseconds": 600})), (2, "steps", json!({"wait": 600}))] {
        let request = session.call_with_token(id, tool, arguments);
        let mut first = server.connect().await;
        first.write(&request.bytes()).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        for other in [request.clone(), session.call(id, "echo", json!({"text": "x"}))] {
            let refused = server.send(&other).await;
            assert_eq!((refused.status, refused.code()), (400, -32600), "{tool}");
        }
        let answer = answer(&first.response().await.expect("a response"));
        assert_eq!((&answer["id"], answer["result"].is_object()), (&json!(id), true), "{answer}");
        assert_eq!(session.text(&session.call(id, "echo", json!({"text": "again"}))).await, "again", "it is free");
    }
    // In one batch, none is answered before the others.
    let batching = Session::open(&server, Revision::V2025_03_26).await;
    let echo = |text: &str| {
        Revision::V2025_03_26.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": text}}))
    };
    let answers = server.send(&batching.post(format!("[{},{}]", echo("a"), echo("b")))).await.json();
    assert_eq!(answers[0]["result"]["content"][0]["text"], "a");
    assert_eq!(answers[1]["error"]["code"], -32600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_a_session_that_is_deleted_gets_an_error() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let session = Session::open(&server, REVISION).await;
    let mut waiting = server.connect().await;
    waiting.write(&session.call(1, "sleep", json!({"milliseconds": 60_000})).bytes()).await;
    let mut as_json = server.connect().await;
    let json_only = session.call_with_token(2, "steps", json!({"wait": 60_000})).set("Accept", "application/json");
    as_json.write(&json_only.bytes()).await;
    let (mut streaming, mut stream) =
        session.stream(&session.call_with_token(3, "steps", json!({"wait": 60_000}))).await;
    assert_eq!(streaming.message(&mut stream).await.expect("progress")["params"]["progress"], 1.0);
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let delete = || session.with_headers(Request::new("DELETE"));
    assert_eq!(server.send(&delete()).await.status, 204);
    for (id, connection) in [(1, &mut waiting), (2, &mut as_json)] {
        let gone = connection.response().await.expect("a response");
        assert_eq!((gone.status, gone.code()), (404, -32600), "{}", gone.text());
        assert_eq!(gone.json()["id"], id);
    }
    let gone = streaming.message(&mut stream).await.expect("an answer");
    assert_eq!((&gone["id"], &gone["error"]["code"]), (&json!(3), &json!(-32600)));
    assert_eq!(streaming.event(&mut stream).await, None);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.send(&session.request(4, "ping", json!({}))).await.status, 404);

    // In any order, each request gets a response.
    let mut answered = [0, 0];
    for round in 0..60_u64 {
        let session = Session::open(&server, REVISION).await;
        let (mut calling, mut deleting) = (server.connect().await, server.connect().await);
        let call = session.call(round as i64, "echo_later", json!({"text": "x"})).bytes();
        let delete = session.with_headers(Request::new("DELETE")).bytes();
        let later = Duration::from_micros(round * 20);
        let [call_after, delete_after] = if round % 2 == 0 { [Duration::ZERO, later] } else { [later, Duration::ZERO] };
        tokio::join!(
            async {
                tokio::time::sleep(call_after).await;
                calling.write(&call).await;
            },
            async {
                tokio::time::sleep(delete_after).await;
                deleting.write(&delete).await;
            }
        );
        let response = calling.response().await.expect("a response");
        let is_result = answer(&response)["result"].is_object();
        assert!(is_result || response.status == 404, "{}", response.text());
        answered[usize::from(is_result)] += 1;
        assert_eq!(deleting.response().await.expect("a response").status, 204);
    }
    println!("{} requests of 60 lost their session", answered[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_session_ends_with_its_connection() {
    let seen = Seen::default();
    let config = HttpConfig::new().sessions(SessionMode::Sessionless);
    let server = Server::start(app_with(seen.clone()).http(config)).await;
    let call = REVISION.request(1, "tools/call", json!({"name": "sleep", "arguments": {"milliseconds": 60_000}}));
    let mut connection = server.connect().await;
    connection.write(&Request::post(call).with("MCP-Protocol-Version", REVISION.name()).bytes()).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    drop(connection);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_request_of_a_session_gets_no_response() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, REVISION).await;
    let cancel = |id: i64| {
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        session.post(cancel.to_string())
    };
    let mut waiting = server.connect().await;
    waiting.write(&session.call(1, "sleep", json!({"milliseconds": 60_000})).bytes()).await;
    let (mut streaming, mut stream) =
        session.stream(&session.call_with_token(2, "steps", json!({"wait": 60_000}))).await;
    streaming.message(&mut stream).await.expect("progress");
    tokio::time::sleep(Duration::from_millis(100)).await;
    for id in [1, 2] {
        assert_eq!(server.send(&cancel(id)).await.status, 202);
    }
    let nothing = waiting.response().await.expect("a response");
    assert_eq!((nothing.status, nothing.body.len()), (202, 0));
    assert_eq!(streaming.event(&mut stream).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_never_sent_is_not_a_last_event_id() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, REVISION).await;
    let response = server.send(&session.call_with_token(1, "steps", json!({"wait": 1}))).await;
    let last = response.events().last().and_then(|event| event.id.clone()).expect("an id");
    let (stream, number) = last.split_once('_').expect("two parts");
    assert_eq!((stream, number), ("1", "3"));
    for sent in ["1_0", "1_1", "1_3", "0_0"] {
        let mut connection = server.connect().await;
        connection.write(&session.get().with("Last-Event-ID", sent).bytes()).await;
        assert_eq!(connection.response_head().await.expect("a head").status, 200, "{sent}");
    }
    for odd in [
        "1_4",
        "1_ffffffffffffffff",
        "0_1",
        "0_ffffffffffffffff",
        "2_0",
        "+1_2",
        "1_+2",
        "01_2",
        "1_02",
        "1_2_",
        "1-2",
        "",
        "_",
        "1_10000000000000000",
        "ä_1",
    ] {
        let refused = server.send(&session.get().with("Last-Event-ID", odd)).await;
        assert_eq!(refused.status, 400, "{odd:?}");
    }
    let twice = session.get().with("Last-Event-ID", "1_1").with("Last-Event-ID", "1_2");
    assert_eq!(server.send(&twice).await.status, 400);
}

fn session_request(session: &str, body: String) -> Request {
    Request::post(body).with("Mcp-Session-Id", session).with("MCP-Protocol-Version", REVISION.name())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_sessions_that_the_shutdown_ends_get_an_error() {
    let mut command = Command::new(example("fixture"));
    let mut process = Process::spawn(command.args(["--http", "127.0.0.1:0"]).env("FIXTURE_DRAIN_MS", "700"));
    let server = &process.server;
    let handshake = server.send(&Request::post(REVISION.initialize(0))).await;
    let session = handshake.header("mcp-session-id").expect("a session").to_owned();
    assert_eq!(server.send(&session_request(&session, INITIALIZED.into())).await.status, 202);
    let call = |id: i64, tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        session_request(&session, REVISION.request_with_meta(id, "tools/call", params, json!({"progressToken": "p"})))
    };
    let mut connections = Vec::new();
    for request in [
        call(1, "sleep_ms", json!({"ms": 400})),
        call(2, "sleep_ms", json!({"ms": 60_000})),
        call(3, "count", json!({"steps": 2, "rest_ms": 60_000})),
    ] {
        let mut connection = server.connect().await;
        connection.write(&request.bytes()).await;
        connections.push(connection);
    }
    // The transport before this one, too.
    let mut old = server.connect().await;
    let get = Request { path: "/sse".into(), ..Request::new("GET").set("Accept", "text/event-stream") };
    old.write(&get.bytes()).await;
    let mut old_stream = old.response_head().await.expect("a head");
    let path = old.event(&mut old_stream).await.and_then(|event| event.data).expect("where to send messages");
    let sleep =
        Revision::V2024_11_05.request(5, "tools/call", json!({"name": "sleep_ms", "arguments": {"ms": 60_000}}));
    for message in [Revision::V2024_11_05.initialize(4), INITIALIZED.into(), sleep] {
        let post = Request { path: path.clone(), ..Request::post(message) };
        assert_eq!(server.send(&post).await.status, 202);
    }
    assert_eq!(old.message(&mut old_stream).await.expect("an answer")["id"], 4);
    tokio::time::sleep(Duration::from_millis(150)).await;
    process.signal(Signal::TERM);
    let [in_time, waiting, streaming] = connections.as_mut_slice() else { panic!() };
    assert_eq!(
        in_time.response().await.expect("a response").json()["result"]["content"][0]["text"],
        r#"{"result":400}"#
    );
    let late = waiting.response().await.expect("a response");
    assert_eq!((late.status, late.code()), (503, -32603), "{}", late.text());
    assert_eq!(late.json()["id"], 2);
    let late = last_message(streaming).await;
    assert_eq!((&late["id"], &late["error"]["code"]), (&json!(3), &json!(-32603)));
    let late = old.message(&mut old_stream).await.expect("an answer");
    assert_eq!((&late["id"], &late["error"]["code"]), (&json!(5), &json!(-32603)));
    assert_eq!(old.event(&mut old_stream).await, None);
    assert!(process.wait().success());
}

async fn last_message(connection: &mut Connection) -> Value {
    connection.response().await.expect("a whole response").events().last().expect("an event").json()
}
