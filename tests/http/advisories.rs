//! Published advisories that concern servers of this kind. Others are in the files of their subjects: `security.rs`,
//! `sessions.rs`, `processes.rs`. Each test has the number of an advisory in its name.
//!
//! Advisories about authorization servers, clients that follow links, shells, paths, databases or web pages of a server
//! have no test here: this server has none of them.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::prelude::*;
use fastmcp_rs::visibility::Component;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::client::{Request, Server, call, modern, modern_with_meta};
use super::processes::Process;
use super::support::Revision;
use super::support::client::example;
use super::support::revision::INITIALIZED;
use super::tools::{Seen, app, app_with};

/// CVE-2026-27896, GHSA-q382-vc8q-7jhj: a duplicate member, or a nearly equal one, has one meaning for all readers of
/// the message, or the message is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_27896_and_ghsa_q382_vc8q_7jhj_a_message_has_one_meaning() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let good = call(1, "echo", json!({"text": "honest"}));
    let body = String::from_utf8(good.body.clone()).unwrap();
    // Each member, what another reader could take it for, and whether the reading is checked before a tool is called.
    let members = [
        ("jsonrpc", json!("1.0")),
        ("id", json!(2)),
        ("method", json!("tools/list")),
        ("params", json!({"name": "boom", "arguments": {}})),
        ("name", json!("boom")),
        ("arguments", json!({"text": "smuggled"})),
        ("text", json!("smuggled")),
        ("_meta", json!({})),
        ("io.modelcontextprotocol/protocolVersion", json!("2025-11-25")),
    ];
    let (mut refused, mut read) = (0, 0);
    for (member, other) in &members {
        let key = format!("\"{member}\":");
        assert_eq!(body.matches(&key).count(), 1, "{body}");
        let escaped = format!("\\u{:04x}{}", u32::from(member.chars().next().unwrap()), &member[1..]);
        let capital = format!("{}{}", member[..1].to_uppercase(), &member[1..]);
        for (twin, is_same) in [
            (member.to_string(), true),
            (escaped, true),
            (member.to_uppercase(), false),
            (capital, false),
            (format!("{member}\\u0000"), false),
            (format!("{member} "), false),
        ] {
            if !is_same && twin == *member {
                continue;
            }
            let before = body.replace(&key, &format!("\"{twin}\":{other},{key}"));
            // Behind the honest one: in front of what follows it, wherever its object ends.
            let mut value: Value = serde_json::from_str(&body).unwrap();
            let behind = if is_same {
                let honest = json!(find(&value, member)).to_string();
                body.replace(&format!("{key}{honest}"), &format!("{key}{honest},\"{twin}\":{other}"))
            } else {
                let name: String = serde_json::from_str(&format!("\"{twin}\"")).unwrap();
                object_with(&mut value, member).insert(name, other.clone());
                value.to_string()
            };
            for body in [before, behind] {
                let calls = seen.calls.load(Ordering::SeqCst);
                let response = server.send(&Request { body: body.clone().into_bytes(), ..good.clone() }).await;
                let answer = response.json();
                let text = &answer["result"]["content"][0]["text"];
                let called = seen.calls.load(Ordering::SeqCst) - calls;
                if is_same || text != "honest" {
                    assert!(called == 0, "{body}: {answer}");
                    assert!(answer.get("error").is_some() || answer["result"]["isError"] == true, "{body}: {answer}");
                    refused += 1;
                } else {
                    assert_eq!((response.status, called, &answer["id"]), (200, 1, &json!(1)), "{body}: {answer}");
                    read += 1;
                }
            }
        }
    }
    println!("twins: {refused} messages were refused, and {read} read as everybody reads them");
    assert!(refused + read >= 60);
}

/// The value of a member, wherever it is.
fn find<'a>(value: &'a Value, member: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object.get(member).or_else(|| object.values().find_map(|value| find(value, member)))
}

/// The object that has a member.
fn object_with<'a>(value: &'a mut Value, member: &str) -> &'a mut serde_json::Map<String, Value> {
    let is_here = value.get(member).is_some();
    let object = value.as_object_mut().unwrap();
    if is_here {
        return object;
    }
    let inner = object.values_mut().find(|value| find(value, member).is_some()).expect("it is somewhere");
    object_with(inner, member)
}

/// GHSA-4gph-2hhr-5mwg: the headers that a gateway reads agree with the body; no request bypasses the comparison.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ghsa_4gph_2hhr_5mwg_headers_are_compared_with_the_body() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let good = call(1, "echo", json!({"text": "smuggled"}));
    let member = String::from_utf8(good.body.clone()).unwrap();
    let old = |body: String| Request::post(body).with("MCP-Protocol-Version", "2025-03-26");
    let opened = server.send(&Request::post(Revision::V2025_03_26.initialize(0))).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    assert_eq!(server.send(&old(INITIALIZED.into()).with("Mcp-Session-Id", &session)).await.status, 202);
    let mut tried = 0;
    for request in [
        good.clone().set("Mcp-Name", "add"),
        good.clone().set("Mcp-Method", "tools/list").without("Mcp-Name"),
        good.clone().without("Mcp-Name"),
        good.clone().without("Mcp-Method"),
        good.clone().set("MCP-Protocol-Version", "2025-03-26"),
        good.clone().set("MCP-Protocol-Version", "2025-11-25"),
        good.clone().without("MCP-Protocol-Version"),
        // A version that is older than the headers does not do without them, nor does a batch of one that had any.
        old(member.clone()),
        old(member.clone()).with("Mcp-Session-Id", &session),
        old(format!("[{member}]")),
        old(format!("[{member}]")).with("Mcp-Session-Id", &session),
        old(format!("[{member},{member}]")).with("Mcp-Session-Id", &session),
        Request::post(format!("[{member}]")).with("Mcp-Session-Id", &session),
        Request::post(format!("[{member}]")),
    ] {
        let response = server.send(&request).await;
        assert_eq!(seen.calls.load(Ordering::SeqCst), 0, "{request:?}: {}", response.text());
        assert!(response.text().contains("\"error\""), "{request:?}: {}", response.text());
        tried += 1;
    }
    println!("gateways: {tried} ways around the headers are closed");
    assert_eq!(server.send(&good).await.status, 200);
}

/// Byterover-cli#329: a request without a session id has no session, even if there is only one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn byterover_cli_329_a_request_without_a_session_id_has_no_session() {
    let server = Server::start(app()).await;
    let opened = server.send(&Request::post(Revision::V2025_11_25.initialize(0))).await;
    assert!(opened.header("mcp-session-id").is_some());
    let list = Revision::V2025_11_25.request(1, "tools/list", json!({}));
    for request in [Request::post(list.clone()), Request::new("GET"), Request::new("DELETE")] {
        let missing = server.send(&request).await;
        assert_eq!(missing.status, 400, "{}", missing.text());
        assert_eq!(server.send(&request.with("Mcp-Session-Id", "")).await.status, 404);
    }
}

/// CVE-2026-0621: no URI takes long to be matched with a template.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_0621_templates_are_matched_in_linear_time() {
    /// A file below a folder.
    #[mcp::resource("evil://{a}/{b}/{c}/{+path}/end-{d}.txt")]
    fn file(a: &str, b: &str, c: &str, path: &str, d: &str) -> String {
        [a, b, c, path, d].concat()
    }

    let server = Server::start(App::empty("templates").resource::<file>()).await;
    // In a session, as the URI of a modern request stands in a header too, and heads are short.
    let revision = Revision::V2025_11_25;
    let opened = server.send(&Request::post(revision.initialize(0))).await;
    let session = opened.header("mcp-session-id").unwrap();
    let mut slowest = Duration::ZERO;
    for piece in ["a/", "/", "end-", "//end-", "a", "%2F", "/end-.txt/", "a,", "{", "\u{e9}/"] {
        for length in [1 << 10, 60 << 10] {
            let uri = format!("evil://{}x", piece.repeat(length / piece.len()));
            let request = Request::post(revision.request(1, "resources/read", json!({"uri": uri})));
            let request = request.with("Mcp-Session-Id", session).with("MCP-Protocol-Version", revision.name());
            let start = Instant::now();
            let response = server.send(&request).await;
            slowest = slowest.max(start.elapsed());
            assert_eq!(response.status, 200, "{}", response.text());
            assert_eq!(response.code(), -32002, "it matches nothing");
        }
    }
    println!("templates: the slowest of the URIs took {slowest:?}, with the request around it");
    assert!(slowest < Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 }), "{slowest:?}");
}

/// CVE-2026-46519: a client that does not see a component cannot use it either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_46519_a_hidden_component_cannot_be_called() {
    async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
        let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok());
        key.map(Principal::new).ok_or(AccessError::unauthorized())
    }
    fn ada_sees_all(component: &Component<'_>, ctx: &Context) -> bool {
        !component.name().starts_with("echo") || ctx.principal().is_some_and(|principal| principal.id() == "ada")
    }
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone()).authenticate(by_key).visible_if(ada_sees_all)).await;
    for (who, sees) in [("ada", true), ("eve", false)] {
        let list = server.send(&modern(1, "tools/list", json!({})).with("X-Api-Key", who)).await;
        assert_eq!(list.text().contains("\"echo\""), sees, "{who}");
        let called = server.send(&call(1, "echo", json!({"text": "x"})).with("X-Api-Key", who)).await.json();
        let unknown = server.send(&call(1, "nothing", json!({"text": "x"})).with("X-Api-Key", who)).await.json();
        if sees {
            assert_eq!(called["result"]["content"][0]["text"], "x");
        } else {
            let told = called.to_string().replace("echo", "nothing");
            assert_eq!(told, unknown.to_string(), "it is as if it were not there");
        }
        assert_eq!(seen.calls.load(Ordering::SeqCst), 1);
    }
}

/// RUSTSEC-2025-0055: nothing that a client sends steers the operator's terminal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rustsec_2025_0055_clients_cannot_write_terminal_escapes_to_the_log() {
    const EVIL: &str = "\u{1b}[31m\u{7}\r\u{202e}\u{9b}2J";
    let mut command = Command::new(example("fixture"));
    let mut process = Process::spawn(command.args(["--http", "127.0.0.1:0"]).env("RUST_LOG", "trace"));
    let server = &process.server;
    let meta = json!({
        "progressToken": EVIL,
        "io.modelcontextprotocol/clientInfo": {"name": EVIL, "version": EVIL},
        "traceparent": EVIL,
    });
    for (method, params) in [
        (EVIL, json!({})),
        ("tools/call", json!({"name": EVIL, "arguments": {}})),
        ("tools/call", json!({"name": "add", "arguments": {EVIL: EVIL}})),
        ("tools/call", json!({"name": "count", "arguments": {"steps": EVIL}})),
        ("resources/read", json!({"uri": format!("note://{EVIL}")})),
        ("prompts/get", json!({"name": EVIL})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": EVIL}, "argument": {"name": EVIL, "value": EVIL}}),
        ),
    ] {
        let request = modern_with_meta(EVIL, method, params, meta.clone());
        let headers = request.headers.into_iter().map(|(name, value)| (name, value.replace(EVIL, "\u{9b}2J")));
        server.send(&Request { headers: headers.collect(), ..Request::post(request.body) }).await;
    }
    let mut initialize: Value = serde_json::from_str(&Revision::V2025_11_25.initialize(EVIL)).unwrap();
    initialize["params"]["clientInfo"]["name"] = EVIL.into();
    let session =
        server.send(&Request::post(initialize.to_string())).await.header("mcp-session-id").unwrap().to_owned();
    for body in [
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": EVIL, "reason": EVIL}}),
        json!({"jsonrpc": "2.0", "method": EVIL}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": EVIL}}),
    ] {
        server.send(&Request::post(body.to_string()).with("Mcp-Session-Id", &session)).await;
    }
    for path in ["/\u{9b}2J", "/mcp?\u{9b}2J"] {
        server.send(&Request { path: path.into(), ..Request::new("GET") }).await;
    }
    process.signal(Signal::TERM);
    assert!(process.wait().success());
    let said = process.said();
    assert!(!said.is_empty(), "it logs what was cancelled");
    for line in &said {
        let raw = |character: char| character.is_control() && character != '\t' || character == '\u{202e}';
        assert!(!line.contains(raw), "{line:?}");
    }
    println!("log: {} lines, none of which has a control character", said.len());
}
