//! HTTP with SSE, the transport of 2024-11-05. Every frame is checked against the schema of that revision.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::{Connection, Request, Response, Server, call};
use super::modern::wait_until;
use super::support::revision::{INITIALIZED, initialize_with};
use super::support::{Revision, schema};
use super::tools::{Seen, app, app_with};

const REVISION: Revision = Revision::V2024_11_05;
const PATH: &str = "/sse";

/// Lets the client's model answer.
#[mcp::tool]
async fn ask_model(ctx: &Context) -> Result<String, ToolError> {
    Ok(ctx.sample(SamplingRequest::new("Well?").max_tokens(10)).await?.text())
}

fn config() -> HttpConfig {
    HttpConfig::new().legacy_sse(PATH)
}

fn at(path: &str, request: Request) -> Request {
    Request { path: path.into(), ..request }
}

/// A client whose stream is open.
struct Client<'a> {
    server: &'a Server,
    connection: Connection,
    stream: Response,
    /// The path and the headers of its messages.
    path: String,
    headers: Vec<(&'a str, &'a str)>,
    /// The methods of what it has asked, by the text of the id.
    asked: HashMap<String, String>,
}

impl<'a> Client<'a> {
    async fn open(server: &'a Server, path: &str, headers: &[(&'a str, &'a str)]) -> Client<'a> {
        let mut request = at(path, Request::new("GET").set("Accept", "text/event-stream"));
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let mut connection = server.connect().await;
        connection.write(&request.bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        assert_eq!((stream.status, stream.header("content-type")), (200, Some("text/event-stream")));
        let first = connection.event(&mut stream).await.unwrap();
        assert_eq!(first.name.as_deref(), Some("endpoint"));
        let endpoint = first.data.unwrap();
        let id = endpoint.strip_prefix(path).and_then(|query| query.strip_prefix("?sessionId="));
        let id = id.unwrap_or_else(|| panic!("{endpoint} is not {path} with the id of a session"));
        assert!(id.len() >= 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{id}");
        let path = endpoint;
        Client { server, connection, stream, path, headers: headers.to_vec(), asked: HashMap::new() }
    }

    async fn start(server: &'a Server, capabilities: Value) -> Client<'a> {
        let mut client = Client::open(server, PATH, &[]).await;
        let answer = client.ask(initialize_with(0, REVISION.name(), capabilities)).await;
        assert_eq!(answer["result"]["protocolVersion"], REVISION.name());
        client.tell(INITIALIZED).await;
        client
    }

    fn post(&self, body: impl Into<Vec<u8>>) -> Request {
        let request = at(&self.path, Request::post(body)).without("Accept");
        self.headers.iter().fold(request, |request, (name, value)| request.with(name, value))
    }

    /// Sends a message, which is taken.
    async fn tell(&mut self, body: impl Into<String>) {
        let body = body.into();
        let message: Value = serde_json::from_str(&body).unwrap();
        if let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) {
            self.asked.insert(id.to_string(), method.into());
        }
        let taken = self.server.send(&self.post(body)).await;
        assert_eq!((taken.status, taken.body.len()), (202, 0), "{}", taken.text());
    }

    /// The next message, which is one of 2024-11-05.
    async fn message(&mut self) -> Value {
        let event = self.connection.event(&mut self.stream).await.expect("the stream is open");
        assert_eq!((&event.name, &event.id, event.retry), (&None, &None, None), "{event:?}");
        let message = event.json();
        let checked = match (message["method"].as_str(), message.get("id")) {
            (Some(_), Some(_)) => schema::check_request(REVISION, &message),
            (Some(_), None) => schema::check_notification(REVISION, &message),
            (None, id) => schema::check_answer(REVISION, &self.asked[&id.unwrap().to_string()], &message),
        };
        checked.unwrap_or_else(|problem| panic!("{problem}"));
        message
    }

    async fn ask(&mut self, body: impl Into<String>) -> Value {
        self.tell(body).await;
        self.message().await
    }

    async fn request(&mut self, id: i64, method: &str, params: Value) -> Value {
        let answer = self.ask(REVISION.request(id, method, params)).await;
        assert_eq!(answer["id"], id);
        answer
    }

    async fn call(&mut self, id: i64, tool: &str, arguments: Value) -> Value {
        self.request(id, "tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Reads the stream to its end.
    async fn end(&mut self) {
        while self.connection.event(&mut self.stream).await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_and_notifications_come_on_the_stream() {
    let server = Server::start(app().tool::<ask_model>().http(config())).await;
    let mut client = Client::start(&server, json!({"sampling": {}, "elicitation": {}})).await;
    for (id, (method, params)) in [
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/read", json!({"uri": "note://one"})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})),
        ("logging/setLevel", json!({"level": "error"})),
        ("resources/subscribe", json!({"uri": "note://one"})),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(client.request(id as i64, method, params).await["result"].is_object(), "{method}");
    }
    assert_eq!(client.call(10, "add", json!({"a": 1, "b": 2})).await["result"]["content"][0]["text"], "3");
    assert_eq!(client.call(11, "add", json!({"a": "x"})).await["result"]["isError"], true);
    assert_eq!(client.call(12, "nothing", json!({})).await["error"]["code"], -32602);
    assert_eq!(client.request(13, "no/such", json!({})).await["error"]["code"], -32601);
    // Progress precedes its response, even for calls that are ready at once.
    let params = json!({"name": "steps", "arguments": {"wait": 60}});
    client.tell(REVISION.request_with_meta(14, "tools/call", params, json!({"progressToken": "p"}))).await;
    for progress in [1, 2] {
        let message = client.message().await;
        assert_eq!(
            (&message["params"]["progressToken"], &message["params"]["progress"]),
            (&json!("p"), &json!(f64::from(progress)))
        );
    }
    assert_eq!(client.message().await["id"], 14);
    // Sampling requests come on the stream, and their responses by POST. This revision has no elicitation.
    let question = client.ask(REVISION.request(15, "tools/call", json!({"name": "ask_model", "arguments": {}}))).await;
    assert_eq!(question["method"], "sampling/createMessage");
    let said = json!({"role": "assistant", "model": "none", "content": {"type": "text", "text": "Well."}});
    let answer = client.ask(json!({"jsonrpc": "2.0", "id": question["id"], "result": said}).to_string()).await;
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(15), &json!("Well.")));
    let refused = client.call(16, "confirm", json!({})).await;
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    // Messages that belong to no request come here, too.
    client.tell(REVISION.request(17, "tools/call", json!({"name": "touch", "arguments": {}}))).await;
    let messages = [client.message().await, client.message().await];
    assert!(messages.iter().any(|message| message["method"] == "notifications/resources/updated"), "{messages:?}");
    // A call does not wait for another one.
    client.tell(REVISION.request(18, "tools/call", json!({"name": "sleep", "arguments": {"milliseconds": 300}}))).await;
    assert_eq!(client.call(19, "add", json!({"a": 2, "b": 2})).await["id"], 19);
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 18}});
    client.tell(cancel.to_string()).await;
    assert_eq!(client.request(20, "ping", json!({})).await["id"], 20);
}

/// Opens a stream, and returns it with where its messages are sent, without the id of its session.
async fn open(server: &Server, path: &str) -> (Connection, String, String) {
    let mut connection = server.connect().await;
    connection.write(&at(path, Request::new("GET")).bytes()).await;
    let mut stream = connection.response_head().await.unwrap();
    assert_eq!(stream.status, 200, "{path}");
    let first = connection.event(&mut stream).await.unwrap();
    let endpoint = first.data.unwrap();
    let (rest, id) = endpoint.rsplit_once("sessionId=").unwrap_or_else(|| panic!("{endpoint}"));
    (connection, rest.to_owned(), id.to_owned())
}

/// Some clients resolve a bare query against the root of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_sent_to_an_absolute_path_with_the_query_of_the_stream() {
    let server = Server::start(app().http(config())).await;
    let behind_proxy = Server::start(app().http(config().public_prefix("/tools/"))).await;
    let nested = async |config: HttpConfig| {
        let service = app().http(config).into_service().await.unwrap().legacy_sse();
        let inner = Router::new().route_service("/sse", service.clone()).nest_service("/events", service.clone());
        let router = Router::new().nest("/a", Router::new().nest("/b", inner)).route_service("/sse", service);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::at(listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    };
    let mounted = nested(HttpConfig::new()).await;
    let mounted_behind_proxy = nested(HttpConfig::new().public_prefix("/tools")).await;
    for (server, path, expected) in [
        (&server, "/sse", "/sse?"),
        (&server, "/sse/", "/sse/?"),
        (&server, "/sse?token=a%2Fb+c&x&y=", "/sse?token=a%2Fb+c&x&y=&"),
        (&server, "/sse?sessionId=stale&token=t&sessionId=", "/sse?token=t&"),
        (&behind_proxy, "/sse?token=t", "/tools/sse?token=t&"),
        (&mounted, "/sse?token=t", "/sse?token=t&"),
        (&mounted, "/a/b/sse?token=t", "/a/b/sse?token=t&"),
        (&mounted, "/a/b/events?token=t", "/a/b/events?token=t&"),
        (&mounted_behind_proxy, "/a/b/sse", "/tools/a/b/sse?"),
    ] {
        let (_stream, endpoint, id) = open(server, path).await;
        assert_eq!(endpoint, expected, "{path}");
        let endpoint = endpoint.strip_prefix("/tools").unwrap_or(&endpoint);
        let taken = server.send(&at(&format!("{endpoint}sessionId={id}"), Request::post(REVISION.initialize(0)))).await;
        assert_eq!(taken.status, 202, "{path}: {}", taken.text());
    }
    for prefix in ["tools", "", "//evil.example", "/a?b", "/a#b", "/a b", "/a\r\nb", "https://evil.example"] {
        let error = app().http(config().public_prefix(prefix)).into_service().await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains("public_prefix"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_has_the_revision_of_its_transport() {
    let server = Server::start(app().http(config())).await;
    for offered in Revision::ALL.iter().map(|revision| revision.name()).chain(["2027-01-01", "x"]) {
        let mut client = Client::open(&server, PATH, &[]).await;
        let answer = client.ask(initialize_with(0, offered, json!({}))).await;
        assert_eq!(answer["result"]["protocolVersion"], "2024-11-05", "{offered}");
        let again = client.ask(initialize_with(1, offered, json!({}))).await;
        assert_eq!(again["error"]["code"], -32600);
    }
    // A probe for a modern server is rejected, and the client continues with the handshake.
    let mut client = Client::open(&server, PATH, &[]).await;
    for (id, method) in [(1, "server/discover"), (2, "tools/list")] {
        let answer = client.ask(Revision::NEWEST.request(id, method, json!({}))).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(-32601)));
    }
    let answer = client.ask(REVISION.initialize(3)).await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
}

async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.map(Principal::new).ok_or(AccessError::unauthorized())
}

/// Attaches the region to the one principal.
async fn with_region(parts: &http::request::Parts) -> Result<Principal, AccessError> {
    let region = parts.headers.get("x-region").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(Principal::new("ada").extension(region.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_has_the_extension_and_the_headers_of_its_own_request() {
    /// Returns the region, from both sources.
    #[mcp::tool]
    async fn region(Extension(region): Extension<String>, headers: Headers) -> String {
        let header = headers.get("x-region").and_then(|value| value.to_str().ok()).unwrap_or_default();
        format!("{region} {header}")
    }

    let app = App::empty("regions").tool::<region>().authenticate(with_region).expose_headers(["x-region"]);
    let server = Server::start(app.http(config())).await;
    let mut client = Client::start(&server, json!({})).await;
    for (id, region) in [(1, "eu"), (2, "us")] {
        client.headers = vec![("X-Region", region)];
        let answer = client.call(id, "region", json!({})).await;
        assert_eq!(answer["result"]["content"][0]["text"], format!("{region} {region}"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_requests_are_refused() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone()).http(config().max_body(100_000))).await;
    let client = Client::start(&server, json!({})).await;
    let echo = REVISION.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    let good = || client.post(echo.clone());
    let open = || at(PATH, Request::new("GET"));
    let session = server.send(&Request::post(Revision::V2025_11_25.initialize(0))).await;
    let of_other_transport = session.header("mcp-session-id").unwrap().to_owned();
    let ours = client.path.split_once('=').unwrap().1.to_owned();
    let modern_batch = format!("[{}]", String::from_utf8(call(1, "echo", json!({"text": "x"})).body).unwrap());
    for (what, request, status) in [
        ("another host", good().set("Host", "evil.example"), 403),
        ("no host", good().without("Host"), 400),
        ("a foreign page", good().with("Origin", "http://evil.example"), 403),
        ("a page of no origin", good().with("Origin", "null"), 403),
        ("a cross-site page", good().with("Sec-Fetch-Site", "cross-site"), 403),
        ("plain text", good().set("Content-Type", "text/plain"), 415),
        ("no type", good().without("Content-Type"), 415),
        ("no session", at(PATH, good()), 400),
        ("two sessions", at(&format!("{}&sessionId=x", client.path), good()), 400),
        ("an unknown session", at("/sse?sessionId=x", good()), 404),
        ("a session of the other transport", at(&format!("/sse?sessionId={of_other_transport}"), good()), 404),
        ("a session there of this one", Request::post(echo.clone()).with("Mcp-Session-Id", &ours), 404),
        ("too much", client.post("x".repeat(100_001)), 413),
        ("no JSON", client.post("{"), 400),
        ("no UTF-8", client.post(vec![b'"', 0xFF, b'"']), 400),
        ("a batch", client.post(format!("[{echo}]")), 400),
        ("a modern batch", client.post(modern_batch), 400),
        ("an id that is null", client.post(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), 400),
        ("another verb", at(&client.path, Request::new("DELETE")), 405),
        ("a stream for another host", open().set("Host", "evil.example"), 403),
        ("a stream for a foreign page", open().with("Origin", "http://evil.example"), 403),
        ("a stream that takes no events", open().set("Accept", "application/json"), 406),
        ("another path", at("/sse/messages", good()), 404),
    ] {
        let response = server.send(&request).await;
        assert_eq!(response.status, status, "{what}: {}", response.text());
        assert_eq!(seen.calls.load(Ordering::SeqCst), 0, "{what}");
    }
    assert_eq!(server.send(&good()).await.status, 202);
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    // An allowed page may read its response here, and nothing follows a chunked message here either.
    let allowed = config().allowed_hosts(["localhost"]).allowed_origins(["https://app.example.com"]);
    let page = Server::start(app().http(allowed)).await;
    let client = Client::open(&page, PATH, &[("Origin", "https://app.example.com")]).await;
    assert_eq!(client.stream.header("access-control-allow-origin"), Some("https://app.example.com"));
    let message = REVISION.initialize(0);
    let chunked = client.post(format!("{:x}\r\n{message}\r\n0\r\n\r\n", message.len()));
    let mut connection = page.connect().await;
    connection.write(&chunked.with("Transfer-Encoding", "chunked").bytes()).await;
    let taken = connection.response().await.unwrap();
    assert_eq!((taken.status, taken.header("connection")), (202, Some("close")));
    assert!(connection.is_closed_within(Duration::from_secs(5)).await);
    // The transport is off by default.
    let server = Server::start(app()).await;
    assert_eq!(server.send(&open()).await.status, 404);
}

/// GHSA-jpw9-pfvf-9f58: possession of a session's id is no authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ghsa_jpw9_pfvf_9f58_a_stream_belongs_to_the_principal_that_opened_it() {
    let config = config().max_streams_per_principal(2);
    let server = Server::start(app().authenticate(by_key).http(config)).await;
    assert_eq!(server.send(&at(PATH, Request::new("GET"))).await.status, 401);
    let mut ada = Client::open(&server, PATH, &[("X-Api-Key", "ada")]).await;
    ada.ask(REVISION.initialize(0)).await;
    let whoami = REVISION.request(1, "tools/call", json!({"name": "whoami", "arguments": {}}));
    let foreign = server.send(&ada.post(whoami.clone()).set("X-Api-Key", "eve")).await;
    let unknown = at("/sse?sessionId=x", ada.post(whoami.clone())).set("X-Api-Key", "eve");
    assert_eq!((foreign.status, foreign.text()), (404, server.send(&unknown).await.text()));
    assert_eq!(server.send(&ada.post(whoami.clone()).without("X-Api-Key")).await.status, 401);
    assert_eq!(ada.ask(whoami).await["result"]["content"][0]["text"], "ada");
    // Nor does one principal take all streams.
    let _second = Client::open(&server, PATH, &[("X-Api-Key", "ada")]).await;
    let third = at(PATH, Request::new("GET")).with("X-Api-Key", "ada");
    assert_eq!(server.send(&third).await.status, 503);
    Client::open(&server, PATH, &[("X-Api-Key", "eve")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_with_its_stream() {
    let seen = Seen::default();
    let server = Server::start(app_with(seen.clone()).http(config().max_streams(1).max_calls(2))).await;
    let mut client = Client::start(&server, json!({})).await;
    assert_eq!(server.send(&at(PATH, Request::new("GET"))).await.status, 503, "there is a limit to streams");
    let sleep =
        |id: i64| REVISION.request(id, "tools/call", json!({"name": "sleep", "arguments": {"milliseconds": 60_000}}));
    client.tell(sleep(1)).await;
    client.tell(sleep(2)).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 2).await;
    assert_eq!(server.send(&client.post(sleep(3))).await.status, 503, "calls count until they are answered");
    let ping = client.post(REVISION.request(9, "ping", json!({})));
    drop(client);
    wait_until(|| seen.dropped.load(Ordering::SeqCst) == 2).await;
    assert_eq!(server.send(&ping).await.status, 404);
    // There is room again.
    let mut client = Client::start(&server, json!({})).await;
    assert_eq!(client.call(1, "add", json!({"a": 1, "b": 2})).await["result"]["content"][0]["text"], "3");
    // A message whose stream ends while it comes is not taken any more.
    let late = client.post(sleep(4));
    let (first, rest) = late.body.split_at(20);
    let mut sender = server.connect().await;
    sender
        .write(&[late.clone().set("Content-Length", &late.body.len().to_string()).head(), first.to_vec()].concat())
        .await;
    // It is being read by now, or the session would not be found at all.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let ping = client.post(REVISION.request(9, "ping", json!({})));
    drop(client);
    while server.send(&ping).await.status != 404 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sender.write(rest).await;
    assert_eq!(sender.response().await.unwrap().status, 404);
    assert_eq!(seen.calls.load(Ordering::SeqCst), 2, "it was not called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_cannot_send_more() {
    let server = Server::start(app().http(config().write_timeout(Duration::from_millis(300)))).await;
    let mut deaf = server.connect_deaf().await;
    deaf.write(&at(PATH, Request::new("GET")).bytes()).await;
    let mut stream = deaf.response_head().await.unwrap();
    let path = deaf.event(&mut stream).await.unwrap().data.unwrap();
    assert_eq!(server.send(&at(&path, Request::post(REVISION.initialize(0)))).await.status, 202);
    let mut taken = 0;
    let refused = loop {
        let much = REVISION.request(1, "tools/call", json!({"name": "much", "arguments": {"bytes": 500_000}}));
        match server.send(&at(&path, Request::post(much))).await.status {
            202 if taken < 1000 => taken += 1,
            status => break status,
        }
    };
    println!("one stream that nobody reads: {taken} answers of 500 kB were taken, then {refused}");
    assert!(matches!(refused, 404 | 503) && taken < 100, "{refused} after {taken}");
    assert!(deaf.is_closed_within(Duration::from_secs(5)).await);

    // The same inside another server, whose connections may stay open for ever.
    let seen = Seen::default();
    let config = HttpConfig::new().write_timeout(Duration::from_millis(300)).max_calls(50);
    let service = app_with(seen.clone()).http(config).into_service().await.unwrap();
    let router = Router::new().route_service(PATH, service.legacy_sse());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut deaf = server.connect_deaf().await;
    deaf.write(&at(PATH, Request::new("GET")).bytes()).await;
    let mut stream = deaf.response_head().await.unwrap();
    let path = deaf.event(&mut stream).await.unwrap().data.unwrap();
    assert_eq!(server.send(&at(&path, Request::post(REVISION.initialize(0)))).await.status, 202);
    let mut statuses = Vec::new();
    while statuses.len() < 1000 && statuses.last() != Some(&404) {
        let id = statuses.len() as i64;
        let much = REVISION.request(id, "tools/call", json!({"name": "much_later", "arguments": {"bytes": 500_000}}));
        statuses.push(server.send(&at(&path, Request::post(much))).await.status);
    }
    assert_eq!(statuses.last(), Some(&404), "the session has ended: {statuses:?}");
    wait_until_served(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_handshakes_is_bounded() {
    let server = Server::start(app().http(config())).await;
    let mut initialize: Value = serde_json::from_str(&REVISION.initialize(0)).unwrap();
    initialize["params"]["capabilities"]["experimental"] = json!({"x": {"y": "z".repeat(60_000)}});
    initialize["params"]["clientInfo"]["x"] = json!("z".repeat(60_000));
    let mut open = Vec::new();
    let refused = loop {
        let client = Client::open(&server, PATH, &[]).await;
        let response = server.send(&client.post(initialize.to_string())).await;
        if response.status != 202 {
            break response;
        }
        open.push(client);
        assert!(open.len() < 300, "they take {} MB", open.len() * 120_000 / 1_000_000);
    };
    println!("{} clients that say much have sessions, and the next one has not", open.len());
    assert_eq!(refused.status, 503, "{}", refused.text());
    drop(open);
    wait_until_served(&server).await;
}

/// Waits until there is room for a session again.
async fn wait_until_served(server: &Server) {
    for _ in 0..200 {
        let client = Client::open(server, PATH, &[]).await;
        if server.send(&client.post(REVISION.initialize(0))).await.status == 202 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("there is no room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mounted_service_ends_after_its_last_response() {
    let seen = Seen::default();
    let service = app_with(seen.clone()).into_service().await.unwrap();
    let router = Router::new().route_service("/a/mcp", service.clone()).nest_service("/b/events", service.legacy_sse());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(server.send(&at("/a/mcp", call(1, "add", json!({"a": 1, "b": 2})))).await.status, 200);
    let mut idle = Client::open(&server, "/b/events", &[]).await;
    let mut busy = Client::open(&server, "/b/events", &[]).await;
    busy.ask(REVISION.initialize(0)).await;
    busy.tell(REVISION.request(1, "tools/call", json!({"name": "sleep", "arguments": {"milliseconds": 300}}))).await;
    wait_until(|| seen.calls.load(Ordering::SeqCst) == 1).await;
    service.close();
    idle.end().await;
    assert_eq!(busy.message().await["id"], 1);
    busy.end().await;
    assert_eq!(server.send(&at("/b/events", Request::new("GET"))).await.status, 503);
}
