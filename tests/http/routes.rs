//! Routes of the author beside the endpoint.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::{App, HttpConfig, Principal};
use http::Response;
use hyper::body::Frame;
use serde_json::json;

use super::client::{Request, Server, call};
use super::tools::app;

fn get_of(path: &str) -> Request {
    Request { path: path.into(), ..Request::new("GET") }
}

fn post_of(path: &str, body: &str) -> Request {
    Request { path: path.into(), ..Request::post(body) }
}

/// A body that gives one part, and then panics.
struct Half(Option<Bytes>);

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.take().expect("there is no more")))))
    }
}

fn routed() -> App {
    let router = Router::new()
        .route("/", get(|| async { "a page" }))
        .route("/echo", post(|body: String| async move { body }))
        .route("/mcp", get(|| async { "never asked" }))
        .route("/healthz", get(|| async { "never asked" }))
        .route("/panics", get(|| async { panic!("on purpose") as &str }))
        .route("/half", get(|| async { Response::new(Body::new(Half(Some("half".into())))) }));
    app().routes(router)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_axum_router_is_served_beside_the_endpoint() {
    let server = Server::start(routed()).await;
    let mut connection = server.connect().await;
    for (request, status, text) in [
        (get_of("/"), 200, "a page"),
        (post_of("/echo", "words"), 200, "words"),
        (get_of("/echo"), 405, ""),
        (get_of("/nothing"), 404, ""),
        (get_of("/healthz"), 200, "ok\n"),
    ] {
        connection.write(&request.bytes()).await;
        let response = connection.response().await.unwrap();
        assert_eq!((response.status, response.text().as_str()), (status, text), "{}", request.path);
    }
    connection.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
    assert_eq!(connection.response().await.unwrap().answer("tools/call")["result"]["content"][0]["text"], "3");
    // The endpoint goes before the router: a GET opens a stream.
    assert_ne!(server.send(&get_of("/mcp")).await.text(), "never asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_accept_only_the_allowed_hosts() {
    let server = Server::start(routed()).await;
    for host in ["evil.example", "localhost.evil.example", "0.0.0.0"] {
        let response = server.send(&get_of("/").set("Host", host)).await;
        assert_eq!(response.status, 403, "{host}: {}", response.text());
    }
    assert_eq!(server.send(&get_of("/").set("Host", "a b")).await.status, 400);
    assert_eq!(server.send(&get_of("/").with("Host", "localhost")).await.status, 400);
    assert_eq!(server.send(&get_of("/").without("Host")).await.status, 400);
    assert_eq!(server.send(&get_of("/").set("Host", "[::1]:80")).await.status, 200);
    // The route decides about origins.
    assert_eq!(server.send(&get_of("/").with("Origin", "https://page.example")).await.status, 200);
    let mut tunnel = get_of("localhost:22");
    tunnel.method = "CONNECT".into();
    assert_eq!(server.send(&tunnel.set("Host", "localhost:22")).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_route_is_a_response_and_keeps_the_connection() {
    let server = Server::start(routed()).await;
    let mut connection = server.connect().await;
    for _ in 0..3 {
        connection.write(&get_of("/panics").bytes()).await;
        let response = connection.response().await.unwrap();
        assert_eq!((response.status, response.text().as_str()), (500, "internal error\n"));
    }
    connection.write(&get_of("/").bytes()).await;
    assert_eq!(connection.response().await.unwrap().text(), "a page");
    // A response that has begun cannot be replaced, so it breaks off.
    let mut broken = server.connect().await;
    broken.write(&get_of("/half").bytes()).await;
    assert!(broken.is_closed_within(Duration::from_secs(5)).await);
    assert_eq!(server.send(&get_of("/")).await.text(), "a page");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_heads_and_slow_bodies_apply_to_routes() {
    let config =
        HttpConfig::new().body_read_timeout(Duration::from_millis(300)).header_read_timeout(Duration::from_millis(300));
    let server = Server::start(routed().http(config)).await;
    let mut many = get_of("/");
    for number in 0..70 {
        many = many.with(&format!("X-{number}"), "x");
    }
    assert_eq!(server.send(&many).await.status, 431);
    for (length, status) in [(31 << 10, 200), (33 << 10, 431), (600_000, 431)] {
        let response = server.send(&get_of("/").with("X-Long", &"x".repeat(length))).await;
        assert_eq!(response.status, status, "{length}");
    }
    let mut slow = server.connect().await;
    slow.write(b"GET / HTTP/1.1\r\nHost: loc").await;
    assert!(slow.is_closed_within(Duration::from_secs(5)).await);
    let mut waiting = server.connect().await;
    waiting.write(&post_of("/echo", "").set("Content-Length", "10").bytes()).await;
    assert_eq!(waiting.response().await.unwrap().status, 400, "axum's answer to a body that breaks off");
    let chunked = post_of("/echo", "5\r\nwords\r\n0\r\n\r\n").with("Transfer-Encoding", "chunked");
    let response = server.send(&chunked).await;
    assert_eq!((response.text().as_str(), response.header("connection")), ("words", Some("close")));
}

/// The check of line endings does not see the end of a chunked message, so the connection serves no further request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_closes_after_a_chunked_message() {
    let with_routes = Server::start(routed().http(HttpConfig::new().metrics(true))).await;
    let alone = Server::start(app()).await;
    let mut many = get_of("/");
    for number in 0..70 {
        many = many.with(&format!("X-{number}"), "x");
    }
    let requests = ["/", "/panics", "/nothing", "/healthz", "/readyz", "/metrics", "/mcp"].map(get_of);
    let requests = requests.into_iter().chain([post_of("/echo", ""), get_of("/").set("Host", "evil.example"), many]);
    for request in requests {
        for server in [&with_routes, &alone] {
            let chunked = Request { body: b"1\r\na\r\n0\r\n\r\n".into(), ..request.clone() };
            let mut bytes = chunked.with("Transfer-Encoding", "chunked").bytes();
            bytes.extend_from_slice(b"GET /healthz HTTP/1.1\nHost: localhost\n\n");
            let mut connection = server.connect().await;
            connection.write(&bytes).await;
            let answer = connection.response().await.unwrap();
            assert_eq!(answer.header("connection"), Some("close"), "{} {}", request.path, answer.status);
            assert!(connection.response().await.is_none(), "{}", request.path);
        }
    }
}

/// A client that was answered 401, or that is careful, looks for OAuth before it asks its user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_oauth_metadata_gets_a_hint_that_oauth_is_not_supported() {
    async fn nobody(_: &http::request::Parts) -> Result<Principal, AccessError> {
        Err(AccessError::unauthorized())
    }
    // The author's routes win wherever they have an answer.
    let with_oauth = Router::new()
        .route("/register", post(|| async { "registered" }))
        .route("/token", get(|| async { (http::StatusCode::NOT_FOUND, "no such token") }));
    let alone = Server::start(app()).await;
    let guarded = Server::start(app().authenticate(nobody)).await;
    let with_routes = Server::start(app().routes(with_oauth)).await;
    for path in [
        "/register",
        "/token",
        "/authorize?client_id=x",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp?x",
        "/.well-known/openid-configuration",
        "/mcp/.well-known/openid-configuration",
    ] {
        for (name, server) in [("alone", &alone), ("guarded", &guarded), ("with routes", &with_routes)] {
            for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                let request = Request { method: method.into(), body: b"{}".into(), ..get_of(path) };
                let answer = server.send(&request).await;
                match (name, path, method) {
                    ("with routes", "/register", "POST") => assert_eq!(answer.text(), "registered"),
                    ("with routes", "/token", "GET") => assert_eq!(answer.text(), "no such token"),
                    ("with routes", "/register" | "/token", _) => assert_eq!(answer.status, 405, "{method} {path}"),
                    _ => {
                        assert_eq!(answer.status, 404, "{name}: {method} {path}");
                        let body = answer.json();
                        assert_eq!(body["error"], "invalid_request", "{name}: {method} {path}");
                        let description = body["error_description"].as_str().unwrap();
                        assert!(
                            description.contains("does not support OAuth"),
                            "{name}: {method} {path}: {description}"
                        );
                    }
                }
            }
        }
    }
    // Other paths are what they were, and a server around the service has its own.
    assert_eq!(alone.send(&get_of("/registered")).await.text(), "not found\n");
    assert_eq!(with_routes.send(&get_of("/nothing")).await.text(), "");
    assert_eq!(alone.send(&get_of("/healthz")).await.text(), "ok\n");
}

#[tokio::test]
async fn a_route_at_a_reserved_path_is_an_error_at_start() {
    for path in ["/healthz", "/readyz/", "mcp", "", "/mcp?x"] {
        let app = app().http(HttpConfig::new().path(path));
        let error = app.run_http("127.0.0.1:0").await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains("path of the endpoint"), "{path}: {error}");
    }
}
