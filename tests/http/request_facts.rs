//! The facts that HTTP has about a request beside its message: exposed headers, extensions and the client's address.

use std::net::SocketAddr;

use axum::Router;
use axum::middleware::{Next, from_fn};
use fastmcp_rs::handler::ClientAddr;
use fastmcp_rs::http::request::Parts;
use fastmcp_rs::http_server::AccessError;
use fastmcp_rs::middleware;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::{Request, Server, call, modern};
use super::sessions::Session;
use super::support::Revision;

#[derive(Clone)]
struct User(String);

/// Lists the headers that the app exposes.
#[mcp::tool]
async fn headers(Headers(headers): Headers, ctx: &Context) -> String {
    assert_eq!(ctx.headers(), &*headers);
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_bytes()))).collect();
    lines.sort();
    lines.join(" ")
}

/// Lists the headers after the HTTP request could have ended.
#[mcp::tool]
async fn headers_later(ctx: &Context) -> usize {
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    ctx.headers().len()
}

/// Returns the user of the request.
#[mcp::tool]
async fn user(Extension(user): Extension<User>) -> String {
    user.0
}

/// Returns the user of the request, if there is one.
#[mcp::tool]
fn user_if_any(user: Option<Extension<User>>) -> String {
    user.map_or("nobody".into(), |Extension(user)| user.0)
}

/// Returns the user of the request as a resource.
#[mcp::resource("user://me")]
async fn user_resource(Extension(user): Extension<User>) -> String {
    user.0
}

/// Talks to the user of the request.
#[mcp::prompt]
async fn user_prompt(Extension(user): Extension<User>) -> String {
    format!("I am {}.", user.0)
}

/// Returns the address of the client.
#[mcp::tool]
async fn address(client: ClientAddr, ctx: &Context) -> String {
    assert_eq!(ctx.client_addr(), Some(client));
    client.to_string()
}

/// Returns the address of the client, if it is known.
#[mcp::tool]
async fn address_if_known(client: Option<ClientAddr>) -> String {
    client.map_or("unknown".into(), |client| client.ip.to_string())
}

fn app() -> App {
    App::empty("facts")
        .tool::<headers>()
        .tool::<headers_later>()
        .tool::<tenant_of_headers>()
        .tool::<user>()
        .tool::<user_if_any>()
        .tool::<address>()
        .tool::<address_if_known>()
        .resource::<user_resource>()
        .prompt::<user_prompt>()
}

async fn by_name(parts: &Parts) -> Result<Principal, AccessError> {
    let name = parts.headers.get("x-api-key").and_then(|value| value.to_str().ok());
    match name {
        // Without an extension.
        Some("plain") => Ok(Principal::new("shared")),
        Some(name) => Ok(Principal::new("shared").extension(User(name.to_owned()))),
        None => Err(AccessError::unauthorized()),
    }
}

async fn text(server: &Server, request: Request) -> String {
    let answer = server.send(&request).await.answer("tools/call");
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn with_secrets(request: Request) -> Request {
    request
        .with("X-Tenant", "acme")
        .with("X-Acme-Region", "eu")
        .with("X-Acme-Token", "secret")
        .with("Authorization", "Bearer secret")
        .with("Cookie", "id=secret")
        .with("X-Api-Key", "secret")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_reads_only_the_headers_that_the_app_exposes() {
    for (names, expected) in [
        (&[] as &[&str], ""),
        (&["X-Tenant"], "x-tenant=acme"),
        (&["x-acme-*", "x-tenant"], "x-acme-region=eu x-tenant=acme"),
        (&["x-*"], "x-acme-region=eu x-tenant=acme"),
        (&["x-api-key", "COOKIE"], "cookie=id=secret x-api-key=secret"),
        (&["x-acme-token", "x-acme-*"], "x-acme-region=eu x-acme-token=secret"),
    ] {
        let server = Server::start(app().expose_headers(names)).await;
        assert_eq!(text(&server, with_secrets(call(1, "headers", json!({})))).await, expected, "{names:?}");
    }
    let server = Server::start(app().expose_headers(["*"])).await;
    let all = text(&server, with_secrets(call(1, "headers", json!({})))).await;
    assert!(all.contains("x-tenant=acme") && all.contains("host=localhost"), "{all}");
    assert!(!all.contains("secret"), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_never_includes_a_header_that_is_likely_to_carry_a_secret() {
    let server = Server::start(app().expose_headers(["*"])).await;
    for name in [
        "Proxy-Authorization",
        "X-Amzn-Oidc-Data",
        "Cf-Access-Jwt-Assertion",
        "X-Goog-IAP-JWT-Assertion",
        "DPoP",
        "X-Shopify-Hmac-Sha256",
        "X-GitHub-OTP",
        "X-Passwd",
        "X-CSRF",
        "X-Bearer",
        "X-SAML-Response",
        "X-Cred",
        "PRIVATE-TOKEN",
        "Mcp-Session-Id",
    ] {
        let all = text(&server, call(1, "headers", json!({})).with(name, "hush").with("X-Tenant", "acme")).await;
        assert!(all.contains("x-tenant=acme") && !all.contains("hush"), "{name}: {all}");
    }
}

/// Shows the headers as a log line would.
#[mcp::tool]
async fn debug_headers(headers: Headers, ctx: &Context) -> String {
    format!("{headers:?} {:?}", ctx.headers())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_output_hides_exposed_secrets() {
    let app = App::empty("facts").tool::<debug_headers>().tool::<headers>();
    let server = Server::start(app.expose_headers(["authorization", "x-api-key", "x-tenant"])).await;
    let shown = text(&server, with_secrets(call(1, "debug_headers", json!({})))).await;
    assert!(shown.contains("acme") && shown.contains("authorization") && !shown.contains("secret"), "{shown}");
    // The handler itself reads them.
    let read = text(&server, with_secrets(call(2, "headers", json!({})))).await;
    assert_eq!(read, "authorization=Bearer secret x-api-key=secret x-tenant=acme");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_displace_a_named_header_by_others() {
    // A surrounding server may allow more than this one.
    let server = mounted(app().expose_headers(["x-*", "x-tenant"])).await;
    let large = call(1, "headers_later", json!({})).with("X-A", &"a".repeat(30_000)).with("X-B", &"b".repeat(30_000));
    let mut first = call(1, "tenant_of_headers", json!({}));
    for name in ["X-A", "X-B", "X-C"] {
        first = first.with(name, &"a".repeat(15_000));
    }
    assert_eq!(text(&server, first.with("X-Tenant", "acme")).await, "acme");
    assert_eq!(text(&server, large).await, "1");
}

/// Returns the tenant of the request.
#[mcp::tool]
fn tenant_of_headers(headers: Headers) -> String {
    headers.get("x-tenant").map_or("none".into(), |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exposed_headers_outlive_the_http_request() {
    let server = Server::start(app().expose_headers(["x-*"])).await;
    let several = call(1, "headers_later", json!({})).with("X-A", "1").with("X-A", "2");
    assert_eq!(text(&server, several).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authentication_attaches_an_extension_to_tools_resources_and_prompts() {
    let server = Server::start(app().authenticate(by_name)).await;
    let by = |request: Request, name: &str| request.with("X-Api-Key", name);
    assert_eq!(text(&server, by(call(1, "user", json!({})), "ada")).await, "ada");
    assert_eq!(text(&server, by(call(1, "user_if_any", json!({})), "ada")).await, "ada");
    let read = by(modern(1, "resources/read", json!({"uri": "user://me"})), "ada");
    let read = server.send(&read).await.answer("resources/read");
    assert_eq!(read["result"]["contents"][0]["text"], "ada");
    let prompt = by(modern(1, "prompts/get", json!({"name": "user_prompt"})), "ada");
    let prompt = server.send(&prompt).await.answer("prompts/get");
    assert_eq!(prompt["result"]["messages"][0]["content"]["text"], "I am ada.");
    // Another principal without an extension.
    assert_eq!(text(&server, by(call(1, "user_if_any", json!({})), "plain")).await, "nobody");
    let failed = server.send(&by(call(1, "user", json!({})), "plain")).await.answer("tools/call");
    assert_eq!(failed["result"]["isError"], true, "{failed}");
    assert!(!failed.to_string().contains("User"), "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_belongs_to_its_request_and_not_to_the_session() {
    let app = app().authenticate(by_name).expose_headers(["x-tenant"]);
    let server = Server::start(app).await;
    for revision in Revision::LEGACY {
        let session = Session::open_with(&server, revision, json!({}), &[("X-Api-Key", "ada")]).await;
        for (name, expected) in [("ada", "ada"), ("bob", "bob"), ("plain", "nobody")] {
            let request = session.call(1, "user_if_any", json!({})).with("X-Api-Key", name);
            assert_eq!(session.text(&request).await, expected, "{revision:?}");
        }
        for tenant in ["acme", "initech"] {
            let request = session.call(2, "headers", json!({})).with("X-Api-Key", "ada").with("X-Tenant", tenant);
            assert_eq!(session.text(&request).await, format!("x-tenant={tenant}"), "{revision:?}");
        }
        let request = session.call(3, "address_if_known", json!({})).with("X-Api-Key", "ada");
        assert_eq!(session.text(&request).await, "127.0.0.1", "{revision:?}");
    }
}

/// Serves an app in axum, behind a middleware that attaches what a header says.
async fn mounted(app: App) -> Server {
    let service = app.into_service().await.unwrap();
    let attach = from_fn(|mut request: axum::extract::Request, next: Next| async move {
        if let Some(name) = request.headers().get("x-user").and_then(|value| value.to_str().ok()).map(str::to_owned) {
            request.extensions_mut().insert(User(name));
        }
        if let Some(address) = request.headers().get("x-socket").and_then(|value| value.to_str().ok()) {
            let address: SocketAddr = address.parse().unwrap();
            request.extensions_mut().insert(address);
        }
        next.run(request).await
    });
    let router = Router::new().route_service("/mcp", service).layer(attach);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_middleware_in_front_attaches_an_extension() {
    let server = mounted(app()).await;
    assert_eq!(text(&server, call(1, "user", json!({})).with("X-User", "ada")).await, "ada");
    assert_eq!(text(&server, call(1, "user_if_any", json!({}))).await, "nobody");
    let session = Session::open_with(&server, Revision::V2025_11_25, json!({}), &[("X-User", "ada")]).await;
    let request = session.call(1, "user_if_any", json!({}));
    assert_eq!(session.text(&request).await, "nobody");
    assert_eq!(session.text(&request.with("X-User", "bob")).await, "bob");
    // The function of `authenticate` runs last, so its value has precedence.
    let server = mounted(app().authenticate(by_name)).await;
    let request = call(1, "user", json!({})).with("X-User", "ada");
    assert_eq!(text(&server, request.clone().with("X-Api-Key", "bob")).await, "bob");
    assert_eq!(text(&server, request.with("X-Api-Key", "plain")).await, "ada");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_of_a_client_is_that_behind_trusted_proxies() {
    let server = Server::start(app()).await;
    let direct = call(1, "address", json!({})).with("X-Forwarded-For", "192.0.2.1");
    let seen: SocketAddr = text(&server, direct.clone()).await.parse().expect("an address and a port");
    assert!(seen.ip().is_loopback() && seen.port() > 0, "{seen}");
    let server = Server::start(app().http(HttpConfig::new().trusted_proxies(["127.0.0.1"]))).await;
    assert_eq!(text(&server, direct).await, "192.0.2.1");
    // A client cannot pass for the proxy by what it sends.
    for headers in
        [&[("Forwarded", "for=127.0.0.1"), ("X-Forwarded-For", "192.0.2.1")] as &[_], &[], &[("X-Forwarded-For", "x")]]
    {
        let mut request = call(1, "address_if_known", json!({}));
        for (name, value) in headers {
            request = request.with(name, value);
        }
        assert_eq!(text(&server, request).await, "unknown", "{headers:?}");
    }
    // A surrounding server may supply it.
    let server = mounted(app()).await;
    assert_eq!(text(&server, call(1, "address", json!({})).with("X-Socket", "192.0.2.7:80")).await, "192.0.2.7:80");
    assert_eq!(text(&server, call(1, "address_if_known", json!({}))).await, "unknown");
    let failed = server.send(&call(1, "address", json!({}))).await.answer("tools/call");
    assert_eq!(failed["result"]["isError"], true, "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn middleware_reads_the_same_facts() {
    let layer = middleware::from_fn(|mut operation, next| async move {
        let ctx = operation.context();
        let tenant = ctx.headers().get("x-tenant").and_then(|value| value.to_str().ok()).unwrap_or("none").to_owned();
        let user = ctx.extension::<User>().map_or("nobody", |user| &user.0).to_owned();
        let is_local = ctx.client_addr().is_some_and(|client| client.ip.is_loopback());
        operation.set_arguments(serde_json::Map::from_iter([(
            "text".to_owned(),
            Value::from(format!("{tenant} {user} {is_local}")),
        )]));
        next.run(operation).await
    });

    /// Returns its text.
    #[mcp::tool]
    fn echo_facts(text: String) -> String {
        text
    }

    let app = App::empty("facts").tool::<echo_facts>().expose_headers(["x-tenant"]).authenticate(by_name).layer(layer);
    let server = Server::start(app).await;
    let request = call(1, "echo_facts", json!({})).with("X-Api-Key", "ada").with("X-Tenant", "acme");
    assert_eq!(text(&server, request).await, "acme ada true");
}
