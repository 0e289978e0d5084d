//! Web pages that call a server from a browser (CORS).

use std::sync::atomic::Ordering;

use axum::Router;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::{HttpConfig, Principal};
use serde_json::json;
use tokio::net::TcpListener;

use super::client::{Request, Response, Server, call};
use super::tools::{Seen, app, app_with};

const PAGE: &str = "https://app.example.com";

fn page_may_call() -> HttpConfig {
    HttpConfig::new().allowed_hosts(["localhost"]).allowed_origins([PAGE])
}

/// The names in all headers of a name, in lower case.
fn names(response: &Response, header: &str) -> Vec<String> {
    let values = response.headers.iter().filter(|(name, _)| name == header);
    values.flat_map(|(_, value)| value.split(',')).map(|name| name.trim().to_lowercase()).collect()
}

/// Checks that a page of an origin may read a response, and that it is given no more than that.
#[track_caller]
fn assert_readable(response: &Response, origin: &str, what: &str) {
    let allowed: Vec<_> = response.headers.iter().filter(|(name, _)| name == "access-control-allow-origin").collect();
    assert!(
        matches!(allowed[..], [(_, value)] if value == origin),
        "{what}: {} {:?}",
        response.status,
        response.headers
    );
    assert!(names(response, "vary").contains(&"origin".into()), "{what}: {:?}", response.headers);
    let exposed = names(response, "access-control-expose-headers");
    for header in ["mcp-session-id", "retry-after", "www-authenticate"] {
        assert!(exposed.contains(&header.into()), "{what}: {exposed:?}");
    }
    for never in ["access-control-allow-credentials", "access-control-allow-private-network"] {
        assert_eq!(response.header(never), None, "{what}");
    }
}

fn preflight(headers: &str) -> Request {
    Request::new("OPTIONS")
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", headers)
        .with("Access-Control-Request-Private-Network", "true")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowed_origins_may_call() {
    let config = HttpConfig::new().allowed_hosts(["mcp.example.com"]).allowed_origins([PAGE]);
    let server = Server::start(app().http(config)).await;
    let request = call(1, "add", json!({"a": 1, "b": 2})).set("Host", "mcp.example.com");
    let response = server.send(&request.clone().with("Origin", PAGE)).await;
    assert_eq!(response.status, 200);
    assert_readable(&response, PAGE, "a call");
    let asked = preflight("content-type,mcp-method").set("Host", "mcp.example.com").with("Origin", PAGE);
    let asked = server.send(&asked).await;
    assert_eq!((asked.status, asked.body.len()), (204, 0));
    assert_readable(&asked, PAGE, "a preflight");
    assert_eq!(server.send(&request.with("Origin", "http://app.example.com")).await.status, 403);
    assert_eq!(server.send(&call(1, "add", json!({"a": 1, "b": 2}))).await.status, 403, "localhost is not listed");
}

/// An unauthenticated server of this machine is not for every local web application.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_origins_may_call_only_if_configured() {
    let local = [
        "http://localhost:3000",
        "https://localhost",
        "http://LOCALHOST:1",
        "http://app.localhost:5173",
        "http://127.0.0.1:6274",
        "http://127.1.2.3",
        "http://[::1]:6274",
    ];
    let foreign = [
        "null",
        "http://localhost.evil.example",
        "http://evillocalhost",
        "http://127.0.0.1.nip.io",
        "http://128.0.0.1",
        "http://0.0.0.0:3000",
        "http://[::2]",
        "http://192.168.1.1",
        "https://app.example.com",
        "file://",
        "vscode-webview://localhost",
        "chrome-extension://localhost",
        "http://localhost:+80",
        "http://localhost:80/",
        "http://user@localhost",
        "localhost",
    ];
    let seen = Seen::default();
    let closed = Server::start(app_with(seen.clone())).await;
    let open = Server::start(app_with(seen.clone()).http(HttpConfig::new().allow_loopback_origins(true))).await;
    // Browsers name the port.
    let echo = |origin| call(1, "echo", json!({"text": "x"})).set("Host", "localhost:8000").with("Origin", origin);
    let asks = |origin| preflight("content-type").set("Host", "localhost:8000").with("Origin", origin);
    for origin in local.iter().chain(&foreign) {
        for request in [echo(origin), asks(origin)] {
            let refused = closed.send(&request).await;
            assert_eq!(refused.status, 403, "{origin}");
            assert_eq!(refused.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    for origin in foreign {
        let refused = open.send(&echo(origin)).await;
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None), "{origin}");
    }
    assert_eq!(seen.calls.load(Ordering::SeqCst), 0);
    for origin in local {
        let called = open.send(&echo(origin)).await;
        assert_eq!(called.status, 200, "{origin}");
        assert_readable(&called, origin, origin);
        assert_eq!(open.send(&asks(origin)).await.status, 204, "{origin}");
    }
    // A page of the server itself needs no leave.
    assert_eq!(closed.send(&echo("http://localhost:8000")).await.status, 200);
    // Two origins are none.
    let twice = open.send(&echo(local[0]).with("Origin", local[0])).await;
    assert_eq!((twice.status, twice.header("access-control-allow-origin")), (403, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_may_send_parameter_trace_and_configured_headers() {
    let config = || page_may_call().allowed_headers(["X-Api-Key"]).legacy_sse("/sse");
    let server = Server::start(app().http(config())).await;
    let service = app().http(config()).into_service().await.unwrap();
    let router = Router::new().nest("/a", Router::new().route_service("/mcp", service));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mounted = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let wanted = [
        "authorization",
        "baggage",
        "content-type",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-param-dry-run",
        "mcp-param-region",
        "mcp-protocol-version",
        "mcp-session-id",
        "traceparent",
        "tracestate",
        "x-api-key",
    ];
    let others = ["cookie", "x-other", "mcp-param", "x-mcp-param-a"];
    let asked = [&wanted[..], &others].concat().join(",").replace("mcp-param-region", "Mcp-Param-Region");
    for (server, path) in [(&server, "/mcp"), (&server, "/sse"), (&mounted, "/a/mcp")] {
        let request = Request { path: path.into(), ..preflight(&asked).with("Origin", PAGE) };
        let granted = server.send(&request).await;
        assert_eq!(granted.status, 204, "{path}");
        assert_readable(&granted, PAGE, path);
        let allowed = names(&granted, "access-control-allow-headers");
        for header in wanted {
            assert!(allowed.contains(&header.into()), "{path}: {header} is not in {allowed:?}");
        }
        for header in others.iter().chain(&["*"]) {
            assert!(!allowed.contains(&(*header).into()), "{path}: {header} is in {allowed:?}");
        }
        for method in ["post", "get", "delete"] {
            assert!(names(&granted, "access-control-allow-methods").contains(&method.into()), "{path}");
        }
        let vary = names(&granted, "vary");
        assert!(vary.contains(&"access-control-request-headers".into()), "{path}: {vary:?}");
        // And it is taken.
        if path != "/sse" {
            let arguments = json!({"region": "eu", "dry_run": true});
            let call = call(1, "route", arguments).with("Mcp-Param-Region", "eu").with("Mcp-Param-Dry-Run", "true");
            let called = server.send(&Request { path: path.into(), ..call.with("Origin", PAGE) }).await;
            assert_eq!(called.status, 200, "{path}: {}", called.text());
        }
    }
    // A page of another origin gets no headers, whatever it requests.
    let refused = server.send(&preflight(&asked).with("Origin", "https://evil.example")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    // The list of allowed headers is bounded, however many are requested.
    let much: Vec<_> = (0..2_000).map(|number| format!("mcp-param-{number}")).collect();
    let granted = server.send(&preflight(&much.join(",")).with("Origin", PAGE)).await;
    assert!((granted.status, granted.header("access-control-allow-headers").unwrap().len() < 5_000) == (204, true));
    for name in ["", "a b", "*", "x:y"] {
        let error = app().http(HttpConfig::new().allowed_headers([name])).into_service().await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn origins_are_compared_without_default_port_and_case_and_echoed_unchanged() {
    let config = HttpConfig::new().allowed_hosts(["localhost"]);
    let listed =
        ["https://A.example:443", "HTTP://b.example:80", "https://c.example:8443", "http://[::1]:80", "tauri://App"];
    let server = Server::start(app().http(config.allowed_origins(listed))).await;
    for (origin, is_allowed) in [
        ("https://a.example", true),
        ("https://a.example:443", true),
        ("https://A.Example", true),
        ("HTTPS://a.example", true),
        ("http://a.example", false),
        ("https://a.example:80", false),
        ("http://b.example", true),
        ("http://b.example:80", true),
        ("https://b.example", false),
        ("https://c.example:8443", true),
        ("https://c.example", false),
        ("http://[::1]", true),
        ("tauri://app", true),
        ("https://sub.a.example", false),
        ("https://a.example.evil.example", false),
    ] {
        let response = server.send(&call(1, "add", json!({"a": 1, "b": 2})).with("Origin", origin)).await;
        assert_eq!(response.status, if is_allowed { 200 } else { 403 }, "{origin}");
        if is_allowed {
            assert_readable(&response, origin, origin);
        } else {
            assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    for bad in ["null", "*", "https://a.example/", "a.example", "https://"] {
        let error = app().http(HttpConfig::new().allowed_origins([bad])).into_service().await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(&format!("`{bad}`")), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_can_read_why_its_request_was_refused() {
    async fn by_key(parts: &http::request::Parts) -> Result<Principal, AccessError> {
        match parts.headers.get("x-api-key").map(|key| key.as_bytes()) {
            Some(b"ada") => Ok(Principal::new("ada")),
            Some(_) => Err(AccessError::forbidden()),
            None => Err(AccessError::unauthorized()),
        }
    }
    let config = || page_may_call().max_body(10_000);
    let server = Server::start(app().authenticate(by_key).http(config().legacy_sse("/sse"))).await;
    let service = app().authenticate(by_key).http(config()).into_service().await.unwrap();
    let router = Router::new().route_service("/mcp", service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mounted = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let good = || call(1, "add", json!({"a": 1, "b": 2})).with("X-Api-Key", "ada");
    let at = |path: &str, request: Request| Request { path: path.into(), ..request };
    let mut many = good();
    for number in 0..70 {
        many = many.with(&format!("X-{number}"), "x");
    }
    let refused = [
        ("a foreign host", good().set("Host", "evil.example"), 403),
        ("no credentials", good().without("X-Api-Key"), 401),
        ("bad credentials", good().set("X-Api-Key", "eve"), 403),
        ("no JSON", Request { body: b"{".to_vec(), ..good() }, 400),
        ("no session", Request::post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).with("X-Api-Key", "ada"), 400),
        ("an unknown session", Request::new("GET").with("X-Api-Key", "ada").with("Mcp-Session-Id", "x"), 404),
        ("another verb", Request { method: "PUT".into(), ..good() }, 405),
        ("no form of answer", good().set("Accept", "image/png"), 406),
        ("too much", call(1, "echo", json!({"text": "x".repeat(10_000)})).with("X-Api-Key", "ada"), 413),
        ("plain text", good().set("Content-Type", "text/plain"), 415),
    ];
    for (what, request, status) in refused {
        for server in [&server, &mounted] {
            let refused = server.send(&request.clone().with("Origin", PAGE)).await;
            assert_eq!(refused.status, status, "{what}: {}", refused.text());
            assert_readable(&refused, PAGE, what);
        }
    }
    for (what, request, status) in [
        ("too many headers", many, 431),
        ("a session of the older transport", at("/sse?sessionId=x", good()), 404),
        ("OAuth", at("/.well-known/oauth-protected-resource", Request::new("GET")), 404),
    ] {
        let refused = server.send(&request.with("Origin", PAGE)).await;
        assert_eq!(refused.status, status, "{what}: {}", refused.text());
        assert_readable(&refused, PAGE, what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cache_gives_a_page_the_response_to_another_request() {
    let server = Server::start(app().http(page_may_call())).await;
    let add = call(1, "add", json!({"a": 1, "b": 2}));
    for request in [add.clone(), Request::new("GET"), Request::new("PUT"), preflight("a"), add.with("Origin", "null")] {
        let response = server.send(&request).await;
        assert_eq!(names(&response, "vary"), ["origin"], "{} {}", request.method, response.status);
        assert!(response.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{}", request.method);
    }
}
