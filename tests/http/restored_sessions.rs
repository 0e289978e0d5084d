//! Sessions whose ids carry them: after a restart, and in other processes with the same keys. Two servers of one test
//! are two processes to a client, as they share nothing but the key.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use fastmcp_rs::SealingKey;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::prelude::*;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::{Connection, Request, Response, Server, modern_with_meta};
use super::modern::wait_until;
use super::processes::Process;
use super::sessions::Session;
use super::support::client::example;
use super::support::revision::{INITIALIZED, initialize_with};
use super::support::{Revision, schema};
use super::tools::{Seen, app, app_with};

const REVISION: Revision = Revision::V2025_11_25;
/// A key of 32 bytes, as Base64.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// Longer than any test takes.
const LONG: u64 = 60_000;

/// Tells what the server knows of its client.
#[mcp::tool]
fn client(ctx: &Context) -> String {
    let info = ctx.client_info();
    json!([info.name, info.version, info.title, ctx.client_capabilities(), ctx.revision().as_str()]).to_string()
}

/// Sends a log message of low severity.
#[mcp::tool]
async fn murmur(ctx: &Context) -> String {
    ctx.info("something happened");
    "done".into()
}

fn key(byte: u8) -> SealingKey {
    SealingKey::new([byte; 32])
}

fn keyed() -> App {
    app().tool::<client>().tool::<murmur>().sealing_keys([key(1)])
}

async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.map(Principal::new).ok_or(AccessError::unauthorized())
}

/// Reads a stream to its end, which comes soon.
async fn wait_for_end(connection: &mut Connection, stream: &mut Response) {
    let end = async { while connection.event(stream).await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), end).await.expect("it ends");
}

/// Another server for the same session.
async fn at(server: &Server, request: Request) -> Response {
    server.send(&request).await
}

fn delete(session: &Session<'_>) -> Request {
    session.with_headers(Request::new("DELETE"))
}

fn ping(session: &Session<'_>) -> Request {
    session.request(900, "ping", json!({}))
}

fn cancel(session: &Session<'_>, id: impl Into<Value>) -> Request {
    let params = json!({"requestId": id.into()});
    session.post(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string())
}

fn text(response: &Response) -> String {
    let answer = response.json();
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_continues_after_a_restart_of_its_server() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let start = || {
        let mut command = Command::new(example("everything"));
        Process::spawn(command.args(["--http", &port.to_string()]).env("SEALING_KEY", KEY))
    };
    let mut process = start();
    let call = Session::open(&process.server, REVISION).await.call(1, "test_simple_text", json!({}));
    for signal in [Signal::TERM, Signal::KILL] {
        assert_eq!(process.server.send(&call).await.status, 200);
        process.signal(signal);
        process.wait();
        process = start();
        let answer = process.server.send(&call).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!text(&answer).is_empty());
    }
    let mut command = Command::new(example("everything"));
    let other = Process::spawn(command.args(["--http", "127.0.0.1:0"]).env_remove("SEALING_KEY"));
    assert_eq!(other.server.send(&call).await.status, 404, "a process without the key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_with_the_key_serves_a_session() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await, Server::start(keyed()).await];
    for revision in Revision::LEGACY {
        let first = Session::open(&servers[0], revision).await;
        for server in &servers {
            // The notification that ends the handshake may reach another process than `initialize`.
            assert_eq!(at(server, first.post(INITIALIZED)).await.status, 202, "{revision}");
            for (id, method, params) in [
                (1, "ping", json!({})),
                (2, "tools/list", json!({})),
                (3, "tools/call", json!({"name": "echo", "arguments": {"text": "hello"}})),
                (4, "resources/subscribe", json!({"uri": "note://one"})),
                (5, "logging/setLevel", json!({"level": "error"})),
            ] {
                let answer = at(server, first.request(id, method, params)).await;
                let method = if method.contains("subscribe") { "ping" } else { method };
                assert!(answer.answer_in(revision, method)["result"].is_object(), "{revision} {method}");
            }
            let other = if revision == REVISION { "2025-06-18" } else { "2025-11-25" };
            let wrong = ping(&first).set("MCP-Protocol-Version", other);
            assert_eq!(at(server, wrong).await.status, 400, "the revision is what was agreed on");
        }
    }
    // A notification alone restores a session, and a GET.
    let session = Session::open(&servers[0], REVISION).await;
    assert_eq!(at(&servers[1], session.post(INITIALIZED)).await.status, 202);
    let mut connection = servers[2].connect().await;
    connection.write(&session.get().bytes()).await;
    let mut stream = connection.response_head().await.unwrap();
    assert_eq!(stream.status, 200);
    connection.event(&mut stream).await.expect("an id to come back with");
    at(&servers[2], session.request(4, "resources/subscribe", json!({"uri": "note://one"}))).await.json();
    at(&servers[2], session.call(5, "touch", json!({}))).await.json();
    let updated = connection.message(&mut stream).await.unwrap();
    schema::check(REVISION, "ResourceUpdatedNotification", &updated).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_keys_a_session_lives_in_one_process() {
    let servers = [Server::start(app()).await, Server::start(app()).await];
    let session = Session::open(&servers[0], REVISION).await;
    assert_eq!(session.id.len(), 32);
    assert_eq!(at(&servers[0], ping(&session)).await.status, 200);
    assert_eq!(at(&servers[1], ping(&session)).await.status, 404);
}

/// A handshake of a client that says much of itself.
fn handshake(info: Value, capabilities: Value) -> Request {
    let mut initialize: Value = serde_json::from_str(&initialize_with(1, REVISION.name(), capabilities)).unwrap();
    initialize["params"]["clientInfo"] = info;
    Request::post(initialize.to_string())
}

/// Begins a session, and returns a request that calls a tool in it.
async fn begin(server: &Server, handshake: Request, tool: &str) -> Request {
    let response = server.send(&handshake).await;
    let id = response.header("mcp-session-id").unwrap_or_else(|| panic!("{}", response.text())).to_owned();
    let body = REVISION.request(2, "tools/call", json!({"name": tool, "arguments": {}}));
    let headers = handshake.headers.iter().filter(|(name, _)| name == "X-Api-Key");
    let call = headers.fold(Request::post(body), |request, (name, value)| request.with(name, value));
    call.with("Mcp-Session-Id", &id)
}

fn session_id(request: &Request) -> &str {
    &request.headers.iter().find(|(name, _)| name == "Mcp-Session-Id").expect("an id").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_session_knows_its_client() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    for (info, capabilities) in [
        (json!({"name": "héllo", "version": "1.2.3", "title": "Say \"hi\"\n"}), json!({"elicitation": {"url": {}}})),
        (json!({"name": "x", "version": ""}), json!({"extensions": {"io.example/x": {"y": [1, 2]}}, "roots": {}})),
        (json!({"name": "x", "version": "1", "icons": [], "websiteUrl": "https://example.com"}), json!({})),
    ] {
        let call = begin(&servers[0], handshake(info, capabilities), "client").await;
        let told = text(&at(&servers[0], call.clone()).await);
        assert_eq!(text(&at(&servers[1], call).await), told);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_id_has_at_most_2_kib_for_every_client() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    for letter in ["x", "é", "\u{1}", "\"", "\u{1F980}"] {
        let long = letter.repeat(40_000 / serde_json::to_string(letter).unwrap().len() / 3);
        let info = json!({"name": long, "version": long, "title": long});
        let mut capabilities = json!({"sampling": {"tools": {}}, "elicitation": {"form": {}, "other": {}}});
        capabilities["experimental"] = json!({"x": {"y": long}});
        let call = begin(&servers[0], handshake(info, capabilities), "client").await;
        let id = session_id(&call);
        assert!(id.len() <= 2048 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{} bytes", id.len());
        // The text is cut between two characters, and of long capabilities those stay that questions need.
        let told: Value = serde_json::from_str(&text(&at(&servers[1], call).await)).unwrap();
        for part in 0..3 {
            let kept = told[part].as_str().unwrap();
            assert!(long.starts_with(kept) && kept.len() >= 20, "{told}");
        }
        assert_eq!(told[3], json!({"elicitation": {"form": {}}, "sampling": {"tools": {}}}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_id_gets_the_response_of_an_unknown_one() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    let session = Session::open(&servers[0], REVISION).await;
    let with = |id: &str| ping(&session).set("Mcp-Session-Id", id);
    let unknown = at(&servers[1], with("made-up")).await;
    assert_eq!((unknown.status, unknown.code()), (404, -32600));
    let mut connection = servers[1].connect().await;
    let mut forged: Vec<String> = Vec::new();
    for at in 0..session.id.len() {
        let letter = if session.id.as_bytes()[at] == b'A' { "B" } else { "A" };
        forged.push([&session.id[..at], letter, &session.id[at + 1..]].concat());
    }
    forged.extend((1..session.id.len()).step_by(7).map(|length| session.id[..length].to_owned()));
    forged.extend(["A", "=", "AAAA", ".", "~"].map(|more| format!("{}{more}", session.id)));
    forged.extend([2047, 2048, 2049, 16_000].map(|length| "A".repeat(length)));
    forged.push(format!("{}{}", session.id, "A".repeat(2049 - session.id.len())));
    for id in forged {
        connection.write(&with(&id).bytes()).await;
        let refused = connection.response().await.expect("a response");
        assert_eq!((refused.status, refused.text()), (404, unknown.text()), "{id}");
    }
    assert_eq!(at(&servers[1], ping(&session)).await.status, 200, "the id itself is good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_and_the_state_of_a_request_are_never_exchanged() {
    let server = Server::start(keyed()).await;
    let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let confirm = |state: &str| {
        let answer = json!({"action": "accept", "content": {"value": true}});
        let params = json!({"name": "confirm", "arguments": {}});
        let mut params = params.as_object().unwrap().clone();
        if !state.is_empty() {
            params.insert("requestState".into(), state.into());
            params.insert("inputResponses".into(), json!({"elicitation_1": answer}));
        }
        modern_with_meta(1, "tools/call", params.into(), meta.clone())
    };
    let state = server.send(&confirm("")).await.json()["result"]["requestState"].as_str().unwrap().to_owned();
    let session = Session::open(&server, REVISION).await;
    assert_eq!(at(&server, ping(&session).set("Mcp-Session-Id", &state)).await.status, 404);
    assert_eq!(server.send(&confirm(&session.id)).await.code(), -32602);
    assert!(server.send(&confirm(&state)).await.json()["result"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_invalid_for_another_app_endpoint_or_key() {
    let server = Server::start(keyed()).await;
    let session = Session::open(&server, REVISION).await;
    let other_app = Server::start(App::empty("another").sealing_keys([key(1)])).await;
    let other_key = Server::start(keyed().sealing_keys([key(2)])).await;
    let other_path = Server::start(keyed().http(HttpConfig::new().path("/other"))).await;
    assert_eq!(at(&other_app, ping(&session)).await.status, 404);
    assert_eq!(at(&other_key, ping(&session)).await.status, 404);
    let moved = Request { path: "/other".into(), ..ping(&session) };
    assert_eq!(at(&other_path, moved).await.status, 404);
    let with_slash = Request { path: "/mcp/".into(), ..ping(&session) };
    assert_eq!(at(&Server::start(keyed()).await, with_slash).await.status, 200, "the same endpoint");
    // Two services in one server.
    let service = || async { keyed().into_service().await.unwrap() };
    let router = Router::new().route_service("/one", service().await).route_service("/mcp", service().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mounted = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(at(&mounted, Request { path: "/one".into(), ..ping(&session) }).await.status, 404);
    assert_eq!(at(&mounted, ping(&session)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_restores_only_the_session_of_its_principal() {
    let authenticated = || keyed().authenticate(by_key);
    let servers = [Server::start(authenticated()).await, Server::start(authenticated()).await];
    let open = Server::start(keyed()).await;
    let begun = handshake(json!({"name": "x", "version": "1"}), json!({})).with("X-Api-Key", "ada");
    let call = begin(&servers[0], begun, "whoami").await;
    let unknown = at(&servers[1], call.clone().set("X-Api-Key", "eve").set("Mcp-Session-Id", "x")).await;
    for stranger in ["eve", "", "ada2", "Ada"] {
        for method in ["POST", "GET", "DELETE"] {
            let request = Request { method: method.into(), ..call.clone() }.set("X-Api-Key", stranger);
            let refused = at(&servers[1], request).await;
            assert_eq!((refused.status, refused.text()), (404, unknown.text()), "{stranger} {method}");
        }
    }
    assert_eq!(at(&servers[1], call.clone().without("X-Api-Key")).await.status, 401);
    assert_eq!(at(&open, call.clone()).await.status, 404, "a server without authentication");
    assert_eq!(text(&at(&servers[1], call.clone()).await), "ada");
    // A session without a principal belongs to no principal.
    let anonymous = begin(&open, handshake(json!({"name": "x", "version": "1"}), json!({})), "whoami").await;
    assert_eq!(at(&servers[1], anonymous.with("X-Api-Key", "ada")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_of_an_older_key_is_opened() {
    let old = Server::start(keyed()).await;
    let both = Server::start(keyed().sealing_keys([key(2), key(1)])).await;
    let new = Server::start(keyed().sealing_keys([key(2)])).await;
    let session = Session::open(&old, REVISION).await;
    assert_eq!(at(&both, ping(&session)).await.status, 200);
    assert_eq!(at(&new, ping(&session)).await.status, 404, "the key is gone");
    let newer = Session::open(&both, REVISION).await;
    assert_eq!(at(&new, ping(&newer)).await.status, 200, "the first key seals");
    assert_eq!(at(&old, ping(&newer)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_id_is_refused_by_every_process() {
    let config = || HttpConfig::new().session_lifetime(Duration::from_millis(1500));
    let seen = Seen::default();
    let creator = Server::start(app_with(seen.clone()).sealing_keys([key(1)]).http(config())).await;
    let patient = Server::start(keyed()).await;
    let strict = Server::start(keyed().http(HttpConfig::new().session_lifetime(Duration::from_millis(1)))).await;
    let session = Session::open(&creator, REVISION).await;
    assert_eq!(at(&patient, ping(&session)).await.status, 200);
    assert_eq!(at(&strict, ping(&session)).await.status, 404, "where less is allowed, that counts");
    // It ends even if it is in use.
    let (mut connection, mut stream) = session.stream(&session.get()).await;
    let mut calling = creator.connect().await;
    calling.write(&session.call(1, "sleep", json!({"milliseconds": LONG})).bytes()).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let unknown = at(&creator, ping(&session).set("Mcp-Session-Id", "x")).await;
    for server in [&creator, &patient, &Server::start(keyed()).await] {
        for request in [ping(&session), session.get(), session.post(INITIALIZED), delete(&session)] {
            let refused = at(server, request).await;
            assert_eq!((refused.status, refused.text()), (404, unknown.text()));
        }
    }
    let ended = calling.response().await.expect("a response");
    assert_eq!((ended.status, &ended.json()["id"]), (404, &json!(1)));
    wait_for_end(&mut connection, &mut stream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_in_use_ends_with_its_lifetime_without_a_request() {
    let config =
        HttpConfig::new().session_lifetime(Duration::from_millis(700)).session_idle_timeout(Duration::from_secs(1));
    let server = Server::start(keyed().http(config)).await;
    let session = Session::open(&server, REVISION).await;
    let (mut connection, mut stream) = session.stream(&session.get()).await;
    wait_for_end(&mut connection, &mut stream).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_deleted_is_not_restored() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    let session = Session::open(&servers[0], REVISION).await;
    assert_eq!(at(&servers[0], delete(&session)).await.status, 204);
    for request in [ping(&session), session.get(), session.post(INITIALIZED), delete(&session)] {
        assert_eq!(at(&servers[0], request).await.status, 404);
    }
    // A process that has not had it ends it as well.
    let session = Session::open(&servers[0], REVISION).await;
    assert_eq!(at(&servers[1], delete(&session)).await.status, 204);
    for request in [ping(&session), session.get(), delete(&session)] {
        assert_eq!(at(&servers[1], request).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_idle_is_not_restored() {
    let config = HttpConfig::new().session_idle_timeout(Duration::from_millis(300));
    let server = Server::start(keyed().http(config)).await;
    // One is found by its request, the other one by the task that looks for them.
    for pause in [Duration::from_millis(350), Duration::from_millis(900)] {
        let session = Session::open(&server, REVISION).await;
        tokio::time::sleep(pause).await;
        for _ in 0..2 {
            assert_eq!(at(&server, ping(&session)).await.status, 404);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_idle_in_one_of_several_replicas_is_restored_there() {
    let config = HttpConfig::new().replicas(2).session_idle_timeout(Duration::from_millis(300));
    let server = Server::start(keyed().http(config)).await;
    let session = Session::open(&server, REVISION).await;
    for pause in [Duration::from_millis(350), Duration::from_millis(900)] {
        tokio::time::sleep(pause).await;
        assert_eq!(at(&server, ping(&session)).await.status, 200, "another replica may have served it meanwhile");
    }
    assert_eq!(at(&server, delete(&session)).await.status, 204);
    assert_eq!(at(&server, ping(&session)).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_batch_makes_no_stray_cancellation_acceptable() {
    let (server, other) = (Server::start(keyed()).await, Server::start(keyed()).await);
    let session = Session::open(&server, REVISION).await;
    assert_eq!(at(&other, cancel(&session, 77)).await.status, 400);
    for batch in ["[", "[]", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#] {
        at(&other, session.post(batch.to_owned())).await;
        assert_eq!(at(&other, cancel(&session, 77)).await.status, 400, "after {batch}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evicted_session_is_restored() {
    let server = Server::start(keyed().http(HttpConfig::new().max_sessions(1))).await;
    let sessions = [Session::open(&server, REVISION).await, Session::open(&server, REVISION).await];
    for _ in 0..2 {
        for session in &sessions {
            assert_eq!(session.text(&session.call(1, "echo", json!({"text": "hi"}))).await, "hi");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_sessions_count_against_the_limits_of_their_principal() {
    let config = || HttpConfig::new().max_sessions_per_principal(2);
    let creator = Server::start(keyed().authenticate(by_key)).await;
    let service = keyed().authenticate(by_key).http(config()).into_service().await.unwrap();
    let router = Router::new().route_service("/mcp", service.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let begin = async |name: &str| {
        let info = json!({"name": "x", "version": "1"});
        begin(&creator, handshake(info, json!({})).with("X-Api-Key", name), "whoami").await
    };
    let quiet = begin("ada").await;
    assert_eq!(at(&server, quiet.clone()).await.status, 200);
    let mut flood = Vec::new();
    for _ in 0..5 {
        flood.push(begin("eve").await);
    }
    for call in &flood {
        assert_eq!(at(&server, call.clone()).await.status, 200);
    }
    assert_eq!(format!("{service:?}").split("sessions: ").nth(1).unwrap().chars().next(), Some('3'), "{service:?}");
    // While all that it may have are in use, there is no room for others.
    let mut streams = Vec::new();
    for call in &flood[..2] {
        let mut connection = server.connect().await;
        let get = Request { method: "GET".into(), body: Vec::new(), ..call.clone() };
        connection.write(&get.bytes()).await;
        assert_eq!(connection.response_head().await.unwrap().status, 200);
        streams.push(connection);
    }
    let refused = at(&server, flood[2].clone()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    assert_eq!(at(&server, quiet).await.status, 200);
    drop(streams);
    let again = || async { at(&server, flood[2].clone()).await.status };
    for _ in 0..100 {
        if again().await == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("there is room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn simultaneous_requests_restore_one_session() {
    let creator = Server::start(keyed()).await;
    for _ in 0..20 {
        // With room for one session, a second one would make the first one go or be refused.
        let service = keyed().http(HttpConfig::new().max_sessions(1)).into_service().await.unwrap();
        let router = Router::new().route_service("/mcp", service.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::at(listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let session = Session::open(&creator, REVISION).await;
        let mut connections = Vec::new();
        for _ in 0..8 {
            connections.push(server.connect().await);
        }
        let asked = connections.into_iter().enumerate().map(|(id, mut connection)| {
            let request = session.call(id as i64, "echo_later", json!({"text": "hi"})).bytes();
            tokio::spawn(async move {
                connection.write(&request).await;
                connection.response().await.expect("a response")
            })
        });
        for response in asked.collect::<Vec<_>>() {
            assert_eq!(text(&response.await.unwrap()), "hi");
        }
        assert!(format!("{service:?}").contains("sessions: 1"), "{service:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_lost_with_its_process_begins_anew() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    let session = Session::open(&servers[0], REVISION).await;
    let (mut own, mut own_stream) = session.stream(&session.get()).await;
    let own_id = own.event(&mut own_stream).await.and_then(|event| event.id).expect("an id");
    let (mut called, mut call_stream) =
        session.stream(&session.call_with_token(9, "steps", json!({"wait": LONG}))).await;
    let call_id = called.event(&mut call_stream).await.and_then(|event| event.id).expect("an id");
    for lost in [&own_id, &call_id] {
        let mut connection = servers[1].connect().await;
        connection.write(&session.get().with("Last-Event-ID", lost).bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        assert_eq!(stream.status, 200, "{lost}");
        connection.event(&mut stream).await.expect("an id to come back with");
        at(&servers[1], session.request(1, "resources/subscribe", json!({"uri": "note://one"}))).await.json();
        at(&servers[1], session.call(2, "touch", json!({}))).await.json();
        assert_eq!(connection.message(&mut stream).await.unwrap()["method"], "notifications/resources/updated");
        // Lost streams do not take a stream that is read away from each other for ever.
        let other = at(&servers[1], session.get().with("Last-Event-ID", &call_id)).await;
        assert_eq!(other.status, 400, "{}", other.text());
        drop(connection);
        // Until the server has noticed.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // The stream resumes at its last event; a text that was never an event id is refused as before.
    let again = session.get().with("Last-Event-ID", &own_id);
    session.stream(&again).await;
    for odd in ["", "x", "1_", "zz_1"] {
        assert_eq!(at(&servers[1], session.get().with("Last-Event-ID", odd)).await.status, 400, "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_after_the_handshake_are_lost_with_their_process() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    let session = Session::open(&servers[0], REVISION).await;
    at(&servers[0], session.request(1, "logging/setLevel", json!({"level": "error"}))).await.json();
    let murmur = || session.call(2, "murmur", json!({}));
    assert_eq!(at(&servers[0], murmur()).await.header("content-type"), Some("application/json"));
    let events = at(&servers[1], murmur()).await.events();
    assert!(
        events.iter().any(|event| event.data.as_deref().is_some_and(|data| data.contains("notifications/message")))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_reaches_no_client_request_of_another_process() {
    let servers = [Server::start(keyed()).await, Server::start(keyed()).await];
    let session = Session::open_with(&servers[0], REVISION, json!({"elicitation": {}}), &[]).await;
    let mut asked = Vec::new();
    // Each process asks its first question.
    for server in &servers {
        let mut connection = server.connect().await;
        connection.write(&session.call(6, "confirm", json!({})).bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        let question = connection.message(&mut stream).await.unwrap();
        schema::check(REVISION, "ElicitRequest", &question).unwrap();
        asked.push((connection, stream, question["id"].clone()));
    }
    assert_ne!(asked[0].2, asked[1].2);
    let answer = |id: &Value, value: bool| {
        let result = json!({"action": "accept", "content": {"value": value}});
        session.post(json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string())
    };
    for (server, (_, _, id)) in servers.iter().zip(asked.iter().rev()) {
        let refused = at(server, answer(id, false)).await;
        assert_eq!((refused.status, refused.code()), (400, -32600), "{}", refused.text());
        assert_eq!(refused.json().get("id"), None);
    }
    for (server, (connection, stream, id)) in servers.iter().zip(&mut asked) {
        assert_eq!(at(server, answer(id, true)).await.status, 202);
        let answered = connection.message(stream).await.unwrap();
        assert_eq!(answered["result"]["content"][0]["text"], "Accepted(true)");
        assert_eq!(at(server, answer(id, true)).await.status, 202, "one that comes late is no error");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_without_a_request_is_refused_in_every_session() {
    for app in [app(), keyed()] {
        let server = Server::start(app.http(HttpConfig::new().legacy_sse("/sse"))).await;
        let session = Session::open(&server, REVISION).await;
        for (message, status) in [
            (json!({"jsonrpc": "2.0", "id": 1, "result": {}}), 400),
            (json!({"jsonrpc": "2.0", "id": 0, "result": {}}), 400),
            (json!({"jsonrpc": "2.0", "id": -1, "result": {}}), 400),
            (json!({"jsonrpc": "2.0", "id": "1", "result": {}}), 400),
            (json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}}), 400),
            (json!({"jsonrpc": "2.0", "id": null, "result": {}}), 400),
            (json!({"jsonrpc": "2.0", "result": {}}), 400),
            // A client could not read what it was sent.
            (json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "x"}}), 202),
            (json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "x"}}), 202),
        ] {
            let response = at(&server, session.post(message.to_string())).await;
            assert_eq!(response.status, status, "{message}: {}", response.text());
            if status == 400 {
                assert_eq!(response.code(), -32600);
            }
        }
        let batching = Session::open(&server, Revision::V2025_03_26).await;
        let stray = json!({"jsonrpc": "2.0", "id": 1, "result": {}}).to_string();
        let ping = Revision::V2025_03_26.request(7, "ping", json!({}));
        let answers = at(&server, batching.post(format!("[{stray},{ping}]"))).await.json();
        assert_eq!((&answers[0]["error"]["code"], &answers[1]["id"]), (&json!(-32600), &json!(7)), "{answers}");
        // The transport before this one is as it was.
        let mut connection = server.connect().await;
        let get = Request { path: "/sse".into(), ..Request::new("GET").set("Accept", "text/event-stream") };
        connection.write(&get.bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        let endpoint = connection.event(&mut stream).await.and_then(|event| event.data).expect("where to send");
        let (_, query) = endpoint.split_once('?').expect("a query");
        let id = query.split_once('=').expect("an id").1;
        assert!(id.len() < 40, "it lives with its stream, and no other process can have it: {id}");
        let post = |body: String| Request { path: format!("/sse?{query}"), ..Request::post(body) };
        assert_eq!(server.send(&post(Revision::V2024_11_05.initialize(1))).await.status, 202);
        assert_eq!(server.send(&post(stray)).await.status, 202);
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}"#;
        assert_eq!(server.send(&post(cancelled.into())).await.status, 202);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_in_another_process_than_its_call_is_refused() {
    let seen = Seen::default();
    let servers = [Server::start(app_with(seen.clone()).sealing_keys([key(1)])).await, Server::start(keyed()).await];
    let session = Session::open(&servers[0], REVISION).await;
    for id in [json!(7), json!("seven")] {
        let before = seen.dropped.load(Ordering::SeqCst);
        let mut calling = servers[0].connect().await;
        let params = json!({"name": "sleep", "arguments": {"milliseconds": LONG}});
        calling.write(&session.post(REVISION.request(id.clone(), "tools/call", params)).bytes()).await;
        wait_until(|| seen.calls.load(Ordering::SeqCst) == before + 1).await;
        let refused = at(&servers[1], cancel(&session, id.clone())).await;
        assert_eq!((refused.status, refused.code()), (400, -32600), "{}", refused.text());
        assert_eq!(seen.dropped.load(Ordering::SeqCst), before, "the call continues");
        assert_eq!(at(&servers[0], cancel(&session, id.clone())).await.status, 202);
        wait_until(|| seen.dropped.load(Ordering::SeqCst) == before + 1).await;
        assert_eq!(calling.response().await.expect("a response").status, 202);
    }
}

/// Some clients cancel every request that has just been answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_of_an_ended_request_is_not_an_error() {
    let keyed = [Server::start(keyed()).await, Server::start(keyed()).await];
    let without = Server::start(app()).await;
    let session = Session::open(&keyed[0], REVISION).await;
    let unkeyed = Session::open(&without, REVISION).await;
    for (server, session) in [(&keyed[0], &session), (&keyed[1], &session), (&without, &unkeyed)] {
        let first = at(server, cancel(session, 0)).await.status;
        assert_eq!(first, if std::ptr::eq(server, &keyed[1]) { 400 } else { 202 }, "the handshake was there");
        let requests = [
            REVISION.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "x"}})),
            REVISION.request(2, "tools/call", json!({"name": "echo_later", "arguments": {"text": "x"}})),
            REVISION.request("three", "tools/list", json!({})),
            REVISION.request(4, "ping", json!({})),
            REVISION.request(5, "no/such", json!({})),
            REVISION.request(6, "tools/call", json!({"name": "steps", "arguments": {"wait": 1}})),
        ];
        for request in &requests {
            let id = serde_json::from_str::<Value>(request).unwrap()["id"].clone();
            assert_eq!(at(server, session.post(request.clone())).await.status, 200);
            assert_eq!(at(server, cancel(session, id.clone())).await.status, 202, "{id}");
        }
        assert_eq!(at(server, cancel(session, "three")).await.status, 202, "again, and later");
        // A cancellation without a request id is ignored as before.
        let odd = session.post(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#);
        assert_eq!(at(server, odd).await.status, 202);
    }
    assert_eq!(at(&without, cancel(&unkeyed, 99)).await.status, 202, "without keys there is no other process");
    // The requests of a batch are not looked at one by one.
    let batching = Session::open(&keyed[0], Revision::V2025_03_26).await;
    let ping = Revision::V2025_03_26.request(41, "ping", json!({}));
    assert_eq!(at(&keyed[1], batching.post(format!("[{ping}]"))).await.status, 200);
    assert_eq!(at(&keyed[1], cancel(&batching, 41)).await.status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_sessions_are_not_logged() {
    for key in [Some(KEY), None] {
        let start = || {
            let mut command = Command::new(example("fixture"));
            command.args(["--http", "127.0.0.1:0"]).env("RUST_LOG", "trace").env("FIXTURE_LOG", "requests");
            match key {
                Some(key) => command.env("FIXTURE_SEALING_KEY", key),
                None => command.env_remove("FIXTURE_SEALING_KEY"),
            };
            Process::spawn(&mut command)
        };
        let mut processes = [start(), start()];
        let session = Session::open(&processes[0].server, REVISION).await;
        let id = session.id.clone();
        let requests = vec![
            session.post(INITIALIZED),
            ping(&session),
            session.call(1, "no_such_tool", json!({})),
            session.call(2, "panic_now", json!({})),
            session.post("{"),
            cancel(&session, 77),
            session.post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
            ping(&session).set("Mcp-Session-Id", &format!("{id}A")),
            delete(&session),
            ping(&session),
        ];
        for request in &requests {
            for process in &processes {
                process.server.send(request).await;
            }
        }
        for (at, process) in processes.iter_mut().enumerate() {
            process.signal(Signal::TERM);
            process.wait();
            let said = process.said().join("\n");
            let has_session = at == 0 || key.is_some();
            assert_eq!(said.contains("panic_now"), has_session, "it logs requests: {said}");
            assert_eq!(said.contains("mcp.session.id"), has_session, "and what their sessions are called: {said}");
            assert!(!said.contains(&id) && !said.contains(&id[..20]), "{said}");
        }
    }
}

#[test]
fn without_keys_the_effect_of_a_restart_is_logged_once() {
    for (key, mode, count) in [(None, "", 1), (Some(KEY), "", 0), (None, "refused", 0), (None, "sessionless", 0)] {
        let mut command = Command::new(example("fixture"));
        command.args(["--http", "127.0.0.1:0"]).env("FIXTURE_SESSIONS", mode).stderr(Stdio::piped());
        match key {
            Some(key) => command.env("FIXTURE_SEALING_KEY", key),
            None => command.env_remove("FIXTURE_SEALING_KEY"),
        };
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("listens on") {
            assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
        }
        let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        lines.read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        assert_eq!(said.matches("App::sealing_keys").count(), count, "{mode}: {said}");
    }
}
