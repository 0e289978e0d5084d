//! Sessions: the revisions before 2026-07-28, on the same URL.

use std::sync::atomic::Ordering;
use std::time::Duration;

use fastmcp_rs::http_server::{AccessError, SessionMode};
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::client::{Connection, Event, Request, Response, Server, call, modern};
use super::modern::wait_until;
use super::support::revision::{INITIALIZED, initialize_with};
use super::support::{Revision, schema};
use super::tools::{Seen, app, app_with};

/// A client with a session.
pub struct Session<'a> {
    server: &'a Server,
    pub id: String,
    pub revision: Revision,
}

impl<'a> Session<'a> {
    pub async fn open(server: &'a Server, revision: Revision) -> Session<'a> {
        Session::open_with(server, revision, json!({}), &[]).await
    }

    pub async fn open_with(
        server: &'a Server,
        revision: Revision,
        capabilities: Value,
        headers: &[(&str, &str)],
    ) -> Session<'a> {
        let mut request = Request::post(initialize_with(0, revision.name(), capabilities));
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let response = server.send(&request).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let answer = response.answer_in(revision, "initialize");
        assert_eq!(answer["result"]["protocolVersion"], revision.name());
        let id = response.header("mcp-session-id").expect("a session").to_owned();
        assert!(id.len() >= 22 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        let session = Session { server, id, revision };
        let mut initialized = session.post(INITIALIZED);
        for (name, value) in headers {
            initialized = initialized.with(name, value);
        }
        let initialized = server.send(&initialized).await;
        assert_eq!((initialized.status, initialized.body.len()), (202, 0));
        session
    }

    pub fn with_headers(&self, request: Request) -> Request {
        let request = request.with("Mcp-Session-Id", &self.id);
        match self.revision {
            Revision::V2024_11_05 | Revision::V2025_03_26 => request,
            revision => request.with("MCP-Protocol-Version", revision.name()),
        }
    }

    pub fn post(&self, body: impl Into<Vec<u8>>) -> Request {
        self.with_headers(Request::post(body))
    }

    pub fn get(&self) -> Request {
        self.with_headers(Request::new("GET").set("Accept", "text/event-stream"))
    }

    pub fn request(&self, id: i64, method: &str, params: Value) -> Request {
        self.post(self.revision.request(id, method, params))
    }

    pub fn call(&self, id: i64, tool: &str, arguments: Value) -> Request {
        self.request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
    }

    pub fn call_with_token(&self, id: i64, tool: &str, arguments: Value) -> Request {
        let params = json!({"name": tool, "arguments": arguments});
        self.post(self.revision.request_with_meta(id, "tools/call", params, json!({"progressToken": "p"})))
    }

    pub async fn text(&self, request: &Request) -> String {
        let answer = self.server.send(request).await.answer_in(self.revision, "tools/call");
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Opens a stream, and reads its head.
    pub async fn stream(&self, request: &Request) -> (Connection, Response) {
        let mut connection = self.server.connect().await;
        connection.write(&request.bytes()).await;
        let head = connection.response_head().await.unwrap();
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        (connection, head)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_legacy_revision_has_sessions() {
    let server = Server::start(app()).await;
    for revision in Revision::LEGACY {
        let session = Session::open(&server, revision).await;
        for (method, params) in [
            ("ping", json!({})),
            ("tools/list", json!({})),
            ("resources/list", json!({})),
            ("prompts/list", json!({})),
            ("logging/setLevel", json!({"level": "error"})),
            ("resources/subscribe", json!({"uri": "note://one"})),
            ("resources/unsubscribe", json!({"uri": "note://one"})),
        ] {
            let response = server.send(&session.request(1, method, params)).await;
            let method = if method.contains("subscribe") { "ping" } else { method };
            assert!(response.answer_in(revision, method)["result"].is_object(), "{revision} {method}");
            assert_eq!(response.header("mcp-session-id"), None, "only the handshake names it");
        }
        for (id, tool, arguments, number) in
            [(2, "add", json!({"a": 1, "b": 2}), 3), (3, "double", json!({"number": 4}), 8)]
        {
            let is_wrapped = revision >= Revision::V2025_06_18;
            let text = if is_wrapped { json!({ "result": number }).to_string() } else { number.to_string() };
            assert_eq!(session.text(&session.call(id, tool, arguments)).await, text, "{revision}");
        }
        // A modern request beside it is modern.
        assert_eq!(
            server.send(&call(1, "add", json!({"a": 1, "b": 2})).with("Mcp-Session-Id", &session.id)).await.status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_a_session_has_no_modern_error_code() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, Revision::V2025_06_18).await;
    let list = Revision::V2025_06_18.request(1, "tools/list", json!({}));
    let bare = || Request::post(list.clone());
    for (what, request, status) in [
        ("no session", bare(), 400),
        ("no session, with a version", bare().with("MCP-Protocol-Version", "2025-06-18"), 400),
        ("an unknown session", bare().with("Mcp-Session-Id", "x"), 404),
        ("two session ids", session.post(list.clone()).with("Mcp-Session-Id", "x"), 400),
        ("another revision than agreed", session.post(list.clone()).set("MCP-Protocol-Version", "2025-03-26"), 400),
        ("a second handshake", session.post(Revision::V2025_06_18.initialize(1)).with("X", "y"), 200),
        ("a batch", session.post(format!("[{list}]")), 400),
        ("no JSON", session.post("{"), 400),
        ("a notification without a session", Request::post(INITIALIZED), 400),
        ("a response without a session", Request::post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), 400),
        ("an unknown method", session.request(1, "no/such", json!({})), 200),
        ("an unknown tool", session.call(1, "nothing", json!({})), 200),
        ("a bad id", session.post(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), 400),
        ("a GET without a session", Request::new("GET"), 400),
        ("a GET of an unknown session", Request::new("GET").with("Mcp-Session-Id", "x"), 404),
        ("a GET that takes no events", session.get().set("Accept", "application/json"), 406),
        ("a GET of an unknown stream", session.get().with("Last-Event-ID", "77_1"), 400),
        ("a modern GET", session.get().set("MCP-Protocol-Version", "2026-07-28"), 405),
        ("a modern DELETE", Request::new("DELETE").with("MCP-Protocol-Version", "2026-07-28"), 405),
        ("a DELETE without a session", Request::new("DELETE"), 400),
        ("another verb", Request::new("PATCH"), 405),
    ] {
        let response = server.send(&request).await;
        assert_eq!(response.status, status, "{what}: {}", response.text());
        let code = response.json()["error"]["code"].as_i64();
        assert!(!matches!(code, Some(-32022..=-32020)), "{what}: {}", response.text());
        assert!(code != Some(-32601) || status == 200, "{what}: {}", response.text());
        assert_eq!(response.header("allow").is_some(), status == 405, "{what}");
    }
    // Asked for a modern version by handshake, the best that a handshake can give is offered.
    let response = server.send(&Request::post(initialize_with(1, "2026-07-28", json!({})))).await;
    assert_eq!(response.json()["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_its_client_deletes_it() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    let (mut connection, mut stream) = session.stream(&session.get()).await;
    let deleted = server.send(&session.with_headers(Request::new("DELETE"))).await;
    assert_eq!(deleted.status, 204);
    while connection.event(&mut stream).await.is_some() {}
    for request in [session.request(1, "ping", json!({})), session.get(), session.with_headers(Request::new("DELETE"))]
    {
        assert_eq!(server.send(&request).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_a_request_come_on_its_stream() {
    let server = Server::start(app()).await;
    for revision in [Revision::V2025_06_18, Revision::V2025_11_25] {
        let session = Session::open_with(&server, revision, json!({"elicitation": {}}), &[]).await;
        let (_own, _) = session.stream(&session.get()).await;
        let response = server.send(&session.call_with_token(5, "steps", json!({"wait": 20}))).await;
        let mut events = response.events();
        let ids: Vec<_> = events.iter().map(|event| event.id.clone().unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        // Clients before 2025-11-25 take an event without data for a broken message.
        if revision == Revision::V2025_11_25 {
            let first = events.remove(0);
            assert_eq!((first.data.as_deref(), first.retry), (Some(""), Some(3000)));
        }
        assert_eq!(events.len(), 3);
        schema::check(revision, "ProgressNotification", &events[0].json()).unwrap();
        assert_eq!(events[2].json()["id"], 5);

        // A client request, and its result in a separate HTTP request.
        let (mut connection, mut stream) = session.stream(&session.call(6, "confirm", json!({}))).await;
        let question = connection.message(&mut stream).await.unwrap();
        schema::check(revision, "ElicitRequest", &question).unwrap();
        let result = json!({"action": "accept", "content": {"value": true}});
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": result}).to_string();
        assert_eq!(server.send(&session.post(answer)).await.status, 202);
        let answer = connection.message(&mut stream).await.unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "Accepted(true)");
        assert_eq!(connection.event(&mut stream).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_messages_come_on_the_stream_of_the_session() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    let other = Session::open(&server, Revision::V2025_11_25).await;
    server.send(&session.request(1, "resources/subscribe", json!({"uri": "note://one"}))).await.json();
    let (mut old, mut old_stream) = session.stream(&session.get()).await;
    old.event(&mut old_stream).await.unwrap();
    let (mut connection, mut stream) = session.stream(&session.get()).await;
    // A session has one stream at a time: a reconnecting client replaces the previous one.
    assert_eq!(old.event(&mut old_stream).await, None);
    let touched = server.send(&other.call(1, "touch", json!({}))).await;
    assert_eq!(touched.header("content-type"), Some("application/json"));
    let updated = connection.message(&mut stream).await.unwrap();
    schema::check(Revision::V2025_11_25, "ResourceUpdatedNotification", &updated).unwrap();
    assert_eq!(updated["params"], json!({"uri": "note://one"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_survives_the_loss_of_its_stream() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone())).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    let (mut connection, mut stream) = session.stream(&session.call_with_token(9, "steps", json!({"wait": 300}))).await;
    let primed = connection.event(&mut stream).await.unwrap();
    let first = connection.event(&mut stream).await.unwrap();
    assert_eq!(first.json()["params"]["progress"], 1.0);
    drop(connection);
    // Unseen events are replayed and seen ones are not, even if the stream is resumed twice.
    for (last, expected) in [(first.id.clone().unwrap(), 2), (primed.id.unwrap(), 3)] {
        let response = server.send(&session.get().with("Last-Event-ID", &last)).await;
        let events = response.events();
        let events: Vec<_> = events.iter().filter(|event| event.data.as_deref() != Some("")).collect();
        assert_eq!(events.len(), expected, "{events:?}");
        assert_eq!(events.last().unwrap().json()["id"], 9);
        assert!(events.iter().all(|event| event.id.as_ref() != Some(&last)));
    }
    // Another session's client cannot read it.
    let stranger = Session::open(&server, Revision::V2025_11_25).await;
    assert_eq!(server.send(&stranger.get().with("Last-Event-ID", &first.id.unwrap())).await.status, 400);
    // A call does not end either if its client leaves before a stream is opened.
    let mut connection = server.connect().await;
    connection.write(&session.call(10, "sleep", json!({"milliseconds": 200})).bytes()).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    drop(connection);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 0, "a disconnect is not a cancellation");
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
    // A cancellation is one, and only of this session's request.
    for (who, ends, milliseconds) in [(&stranger, false, 400), (&session, true, 60_000)] {
        let mut connection = server.connect().await;
        let before = seen.calls.load(Ordering::SeqCst);
        connection.write(&session.call(11, "sleep", json!({"milliseconds": milliseconds})).bytes()).await;
        wait_until(|| seen.calls.load(Ordering::SeqCst) > before).await;
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":11}}"#;
        assert_eq!(server.send(&who.post(cancel)).await.status, 202);
        let response = connection.response().await.unwrap();
        assert_eq!(response.status, if ends { 202 } else { 200 }, "{}", response.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_can_close_its_stream_and_the_client_resumes_it() {
    let server = Server::start(app()).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    // A stream that ends at once, two that are requested while the call continues, and one for the response.
    let mut request = session.call_with_token(1, "polled", json!({"wait": 300}));
    let mut last = None;
    let mut told = Vec::new();
    for stream in 0..10 {
        let response = server.send(&request).await;
        let events = response.events();
        assert_eq!((events[0].data.as_deref(), events[0].retry), (Some(""), Some(3000)), "{events:?}");
        let messages = events.iter().filter(|event| event.data.as_deref() != Some(""));
        told.extend(messages.map(Event::json));
        last = events.last().and_then(|event| event.id.clone()).or(last);
        if told.last().is_some_and(|message| message["id"] == 1) {
            break;
        }
        assert!(stream < 3, "{told:?}");
        request = session.get().with("Last-Event-ID", last.as_ref().unwrap());
    }
    let [progress, answer] = told.as_slice() else { panic!("{told:?}") };
    schema::check(session.revision, "ProgressNotification", progress).unwrap();
    schema::check_answer(session.revision, "tools/call", answer).unwrap();
    // A client that cannot resume is not disconnected, nor is one that accepts no streams.
    let kept = session.call(2, "polled", json!({"wait": 20})).set("Accept", "application/json");
    assert_eq!(session.text(&kept).await, "done");
    let older = Session::open(&server, Revision::V2025_06_18).await;
    assert_eq!(older.text(&older.call(3, "polled", json!({"wait": 20}))).await, "done");
    let modern = server.send(&call(4, "polled", json!({"wait": 20}))).await;
    assert_eq!(modern.answer("tools/call")["result"]["content"][0]["text"], "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_counts_until_it_ends_even_without_its_client() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone()).http(HttpConfig::new().max_calls(2))).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    // One call closes its stream, and the client of the other one disconnects.
    let answer = server.send(&session.call(1, "polled", json!({"wait": 60_000}))).await;
    assert_eq!((answer.status, answer.events().len()), (200, 1));
    let mut gone = server.connect().await;
    gone.write(&session.call(2, "sleep", json!({"milliseconds": 60_000})).bytes()).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    drop(gone);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.send(&session.call(3, "add", json!({"a": 1, "b": 2}))).await.status, 503);
    assert_eq!(server.send(&session.with_headers(Request::new("DELETE"))).await.status, 204);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 1).await;
    // Calls that have ended free their permits, even if their responses are not fetched.
    for id in 4..8 {
        let other = Revision::V2025_11_25.initialize(id);
        while server.send(&Request::post(other.clone())).await.status == 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let session = Session::open(&server, Revision::V2025_11_25).await;
        assert_eq!(server.send(&session.call(1, "polled", json!({"wait": 1}))).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_accepted_only_in_2025_03_26() {
    let server = Server::start(app()).await;
    let revision = Revision::V2025_03_26;
    let session = Session::open(&server, revision).await;
    let ping = |id: i64| revision.request(id, "ping", json!({}));
    let slow = revision.request(3, "tools/call", json!({"name": "sleep", "arguments": {"milliseconds": 20}}));
    for (batch, count) in [(format!("[{},{}]", ping(1), ping(2)), 2), (format!("[{},{slow}]", ping(1)), 2)] {
        let answers = server.send(&session.post(batch)).await.json();
        assert_eq!(answers.as_array().unwrap().len(), count, "{answers}");
    }
    assert_eq!(server.send(&session.post(format!("[{INITIALIZED}]"))).await.status, 202);
}

/// A client that falls back to a handshake may still send the header of what it tried before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_header_of_a_handshake_is_ignored() {
    let server = Server::start(app()).await;
    let names = Revision::ALL.iter().map(|revision| revision.name());
    let headers: Vec<Vec<&str>> = names.chain(["2027-01-01", "1.0", "x", ""]).map(|name| vec![name]).collect();
    let headers = headers.into_iter().chain([vec![], vec!["2026-07-28", "2025-11-25"]]);
    for versions in headers {
        for revision in [Revision::V2025_03_26, Revision::V2025_11_25] {
            let mut initialize: Value = serde_json::from_str(&revision.initialize(1)).unwrap();
            initialize["params"]["_meta"] = json!({"progressToken": "p"});
            let request = Request::post(initialize.to_string()).with("Mcp-Method", "initialize");
            let request =
                versions.iter().fold(request, |request, version| request.with("MCP-Protocol-Version", version));
            let opened = server.send(&request).await;
            assert_eq!(opened.status, 200, "{versions:?}: {}", opened.text());
            assert_eq!(opened.answer_in(revision, "initialize")["result"]["protocolVersion"], revision.name());
            let id = opened.header("mcp-session-id").expect("a session").to_owned();
            let session = Session { server: &server, id, revision };
            assert_eq!(session.text(&session.call(2, "echo", json!({"text": "x"}))).await, "x", "{versions:?}");
        }
    }
    // The body decides, so what claims to be modern there is modern.
    let modern = server.send(&modern(1, "initialize", json!({"protocolVersion": "2025-11-25"}))).await;
    assert_eq!((modern.status, modern.code(), modern.header("mcp-session-id")), (404, -32601, None));
    let bare = Request::post(Revision::V2025_11_25.initialize(1)).with("MCP-Protocol-Version", "2026-07-28");
    let server = Server::start(app().http(HttpConfig::new().sessions(SessionMode::Sessionless))).await;
    assert_eq!(server.send(&bare).await.status, 200);
    let server = Server::start(app().http(HttpConfig::new().sessions(SessionMode::Refused))).await;
    let refused = server.send(&bare).await;
    assert_eq!((refused.status, refused.code()), (400, -32022));
}

/// Asks the client for everything that there is, one after another.
async fn ask(ctx: &Context, what: &str) -> Result<String, ToolError> {
    Ok(match what {
        "form" => format!("{:?}", ctx.elicit::<bool>("Really?").await?),
        "page" => format!("{:?}", ctx.elicit_url("Please", "https://example.com").await?),
        "model" => ctx.sample(SamplingRequest::new("Well?").max_tokens(10)).await?.text(),
        _ => format!("{:?}", ctx.roots().await?),
    })
}

/// Asks for something.
#[mcp::tool]
async fn ask_in_tool(what: &str, ctx: &Context) -> Result<String, ToolError> {
    ask(ctx, what).await
}

/// Asks after its first wait.
#[mcp::tool]
async fn ask_later(what: &str, ctx: &Context) -> Result<String, ToolError> {
    ctx.progress(1.0, None, "before");
    tokio::time::sleep(Duration::from_millis(5)).await;
    ask(ctx, what).await
}

/// Asks for something.
#[mcp::prompt]
async fn ask_in_prompt(what: &str, ctx: &Context) -> Result<String, ToolError> {
    ask(ctx, what).await
}

/// Asks for something.
#[mcp::resource("ask://{what}")]
async fn ask_in_resource(what: &str, ctx: &Context) -> Result<String, ToolError> {
    ask(ctx, what).await
}

/// A client request travels on the stream of its call, so it cannot reach a client that accepts no streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_elicitation_fails_at_once_for_a_client_that_accepts_only_json() {
    let app = app().tool::<ask_in_tool>().tool::<ask_later>().prompt::<ask_in_prompt>().resource::<ask_in_resource>();
    let server = Server::start(app).await;
    let all = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let at_once = |request: Request| {
        let server = &server;
        async move {
            let answer = tokio::time::timeout(Duration::from_secs(10), server.send(&request)).await;
            answer.unwrap_or_else(|_| panic!("no answer to {}", String::from_utf8_lossy(&request.body)))
        }
    };
    for revision in [Revision::V2024_11_05, Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25] {
        let able = Session::open_with(&server, revision, all.clone(), &[]).await;
        let unable = Session::open(&server, revision).await;
        // This stream is for what belongs to no request.
        let (_own, _) = able.stream(&able.get()).await;
        for what in ["form", "page", "model", "roots"] {
            let requests = |session: &Session<'_>| {
                let arguments = json!({"what": what});
                [
                    session.call(1, "ask_in_tool", arguments.clone()),
                    session.call_with_token(2, "ask_later", arguments.clone()),
                    session.request(3, "prompts/get", json!({"name": "ask_in_prompt", "arguments": arguments})),
                    session.request(4, "resources/read", json!({"uri": format!("ask://{what}")})),
                ]
            };
            for (request, other) in requests(&able).into_iter().zip(requests(&unable)) {
                for accept in ["application/json", "application/json, text/event-stream;q=0"] {
                    let answer = at_once(request.clone().set("Accept", accept)).await;
                    let undeclared = at_once(other.clone().set("Accept", "application/json")).await.json();
                    let (status, answer) = (answer.status, answer.json());
                    // The same error, except for the reason in its text.
                    let parts = |answer: &Value| {
                        let text = answer.pointer("/result/content/0/text").or(answer.pointer("/error/message"));
                        let text = text.and_then(Value::as_str).unwrap_or_else(|| panic!("{answer}")).to_owned();
                        let (begin, _) = text.split_once(':').expect("a reason");
                        let begin = begin.trim_end_matches(" here");
                        assert!(begin.contains("the client cannot "), "{text}");
                        (begin.to_owned(), answer["result"]["isError"].clone(), answer["error"]["code"].clone())
                    };
                    assert_eq!(status, 200, "{answer}");
                    assert_eq!(parts(&answer), parts(&undeclared), "{revision} {what}: {answer} {undeclared}");
                }
            }
        }
        // Everything else is unchanged, except for messages that would precede the response.
        let told = taking_json(&able.call_with_token(5, "steps", json!({"wait": 20})));
        assert_eq!(server.send(&told).await.json()["id"], 5);
    }
    let session = Session::open_with(&server, Revision::V2025_03_26, all, &[]).await;
    let call =
        |id, tool| session.revision.request(id, "tools/call", json!({"name": tool, "arguments": {"what": "model"}}));
    let batch = format!(
        "[{},{},{}]",
        call(1, "ask_in_tool"),
        call(2, "ask_later"),
        session.revision.request(3, "ping", json!({}))
    );
    let answers = at_once(taking_json(&session.post(batch))).await.json();
    let mut ids: Vec<_> = answers.as_array().unwrap().iter().map(|answer| answer["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3], "{answers}");
}

/// The same request of a client that takes no streams.
fn taking_json(request: &Request) -> Request {
    request.clone().set("Accept", "application/json")
}

async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    match parts.headers.get("x-api-key").and_then(|key| key.to_str().ok()) {
        Some("forbidden") => Err(AccessError::forbidden()),
        Some("panic") => panic!("a bug in the author's function"),
        Some(key) => Ok(Principal::new(key)),
        None => Err(AccessError::unauthorized().challenge("Bearer realm=\"tests\"")),
    }
}

/// GHSA-jpw9-pfvf-9f58, CVE-2026-33946, CVE-2026-67431: possession of a session's id is no authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ghsa_jpw9_pfvf_9f58_a_session_belongs_to_the_principal_that_began_it() {
    let server = Server::start(app().authenticate(by_key)).await;
    let ada = [("X-Api-Key", "ada")];
    let session = Session::open_with(&server, Revision::V2025_11_25, json!({}), &ada).await;
    let call = session.call(1, "whoami", json!({}));
    assert_eq!(session.text(&call.clone().with("X-Api-Key", "ada")).await, "ada");
    for request in [call.clone(), session.get(), session.with_headers(Request::new("DELETE"))] {
        let foreign = server.send(&request.clone().with("X-Api-Key", "eve")).await;
        let unknown = server.send(&request.clone().set("Mcp-Session-Id", "x").with("X-Api-Key", "eve")).await;
        assert_eq!((foreign.status, foreign.text()), (404, unknown.text()));
        let nobody = server.send(&request).await;
        assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Bearer realm=\"tests\"")));
        assert_eq!(server.send(&request.clone().with("X-Api-Key", "forbidden")).await.status, 403);
        assert_eq!(server.send(&request.with("X-Api-Key", "panic")).await.status, 500);
    }
    assert_eq!(session.text(&call.with("X-Api-Key", "ada")).await, "ada", "it is still there");
    // A state that was sealed for one principal does not open for another.
    let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let confirm = |more: Value| {
        let mut params = json!({"name": "confirm", "arguments": {}});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        super::client::modern_with_meta(1, "tools/call", params, meta.clone())
    };
    let asked = server.send(&confirm(json!({})).with("X-Api-Key", "ada")).await.json();
    let retry = confirm(json!({
        "requestState": asked["result"]["requestState"],
        "inputResponses": {"elicitation_1": {"action": "accept", "content": {"value": true}}},
    }));
    assert_eq!(server.send(&retry.clone().with("X-Api-Key", "eve")).await.code(), -32602);
    assert_eq!(
        server.send(&retry.with("X-Api-Key", "ada")).await.json()["result"]["content"][0]["text"],
        "Accepted(true)"
    );
}

/// GHSA-9pj6-vhgr-3mwh, CVE-2026-67430: sessions do not pile up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ghsa_9pj6_vhgr_3mwh_sessions_beyond_the_limit_are_refused() {
    let server = Server::start(app().http(HttpConfig::new().max_sessions(20))).await;
    // Nothing is kept of a handshake that fails.
    for _ in 0..30 {
        let refused = server.send(&Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#)).await;
        assert_eq!(refused.header("mcp-session-id"), None);
    }
    let used = Session::open(&server, Revision::V2025_11_25).await;
    let _stream = used.stream(&used.get()).await;
    let mut sessions = Vec::new();
    for _ in 0..100 {
        sessions.push(Session::open(&server, Revision::V2025_11_25).await);
    }
    let mut alive = 0;
    for session in &sessions {
        alive += usize::from(server.send(&session.request(1, "ping", json!({}))).await.status == 200);
    }
    println!("sessions: {alive} of {} live, with a limit of 20", sessions.len());
    assert!(alive <= 19, "{alive}");
    assert_eq!(server.send(&used.request(1, "ping", json!({}))).await.status, 200, "one in use is not ended");

    let server = Server::start(app().http(HttpConfig::new().session_idle_timeout(Duration::from_millis(500)))).await;
    let session = Session::open(&server, Revision::V2025_11_25).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(server.send(&session.request(1, "ping", json!({}))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_can_be_disabled_or_refused() {
    let server = Server::start(app().http(HttpConfig::new().sessions(SessionMode::Sessionless))).await;
    for revision in [Revision::V2025_03_26, Revision::V2025_11_25] {
        let with = |request: Request| match revision {
            Revision::V2025_03_26 => request,
            _ => request.with("MCP-Protocol-Version", revision.name()),
        };
        let response = server.send(&Request::post(revision.initialize(1))).await;
        assert_eq!(response.header("mcp-session-id"), None);
        response.answer_in(revision, "initialize");
        assert_eq!(server.send(&with(Request::post(INITIALIZED))).await.status, 202);
        for (method, params) in [
            ("tools/list", json!({})),
            ("tools/call", json!({"name": "double", "arguments": {"number": 1}})),
            ("ping", json!({})),
        ] {
            let response = server.send(&with(Request::post(revision.request(1, method, params)))).await;
            assert_eq!(response.status, 200, "{}", response.text());
            response.answer_in(revision, method);
        }
        assert_eq!(server.send(&with(Request::new("GET"))).await.status, 405);
        assert_eq!(server.send(&with(Request::new("DELETE"))).await.status, 405);
    }
    let server = Server::start(app().http(HttpConfig::new().sessions(SessionMode::Refused))).await;
    let refused = server.send(&Request::post(Revision::V2025_11_25.initialize(1))).await;
    assert_eq!((refused.status, refused.code()), (400, -32022));
    assert_eq!(server.send(&modern(1, "tools/list", json!({}))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_principal_has_a_share_of_the_streams() {
    let config = HttpConfig::new().max_streams_per_principal(2);
    let server = Server::start(app().authenticate(by_key).http(config)).await;
    let listen = modern(1, "subscriptions/listen", json!({"notifications": {}}));
    let mut open = Vec::new();
    for (key, status) in [("ada", 200), ("ada", 200), ("ada", 503), ("eve", 200)] {
        let mut connection = server.connect().await;
        connection.write(&listen.clone().with("X-Api-Key", key).bytes()).await;
        assert_eq!(connection.response_head().await.unwrap().status, status, "{key}");
        open.push(connection);
    }
}
