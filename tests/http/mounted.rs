//! The service inside other servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use fastmcp_rs::prelude::*;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpListener;

use super::client::Server;
use super::client::{Request, call, modern};
use super::tools::app;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_mounted_in_axum_with_one_line() {
    let service = app().into_service().await.unwrap();
    let router = Router::new().route_service("/tools", service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = Server::at(address);
    let at = |request: Request| Request { path: "/tools".into(), ..request };
    let sum = server.send(&at(call(1, "add", json!({"a": 1, "b": 2})))).await;
    assert_eq!(sum.answer("tools/call")["result"]["content"][0]["text"], "3");
    assert_eq!(server.send(&at(Request::new("PUT"))).await.status, 405);
    assert_eq!(server.send(&at(modern(1, "tools/list", json!({})).set("Host", "evil.example"))).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_served_by_hyper_with_one_line() {
    let service = app().into_service().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    let sum = Server::at(address).send(&call(1, "add", json!({"a": 1, "b": 2}))).await;
    assert_eq!(sum.answer("tools/call")["result"]["content"][0]["text"], "3");
}

#[tokio::test]
async fn a_service_starts_and_ends_its_states_once() {
    struct Greeting(&'static str);

    /// Greets.
    #[mcp::tool]
    async fn greet_from_state(greeting: State<Greeting>) -> &'static str {
        greeting.0
    }

    let ends = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&ends);
    let app = App::empty("http")
        .tool::<greet_from_state>()
        .state_with(|| async { Ok::<_, std::io::Error>(Greeting("made at start")) })
        .on_shutdown(move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
        });
    let service = app.into_service().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    let router = Router::new().route_service("/mcp", service.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let greeted = server.send(&call(1, "greet_from_state", json!({}))).await;
    assert_eq!(greeted.answer("tools/call")["result"]["content"][0]["text"], "made at start");
    service.close();
    assert_eq!(ends.load(Ordering::SeqCst), 0);
    service.end().await;
    service.clone().end().await;
    assert_eq!(ends.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unservable_app_is_an_error_at_start() {
    let public = || TcpListener::bind("0.0.0.0:0");
    let error = app().run_http_on(public().await.unwrap()).await.unwrap_err();
    assert!(error.is_configuration());
    for way in ["App::authenticate", "HttpConfig::allowed_hosts", "127.0.0.1"] {
        assert!(error.to_string().contains(way), "{error}");
    }
    let error = app().http(HttpConfig::new().replicas(2)).into_service().await.unwrap_err();
    assert!(error.to_string().contains("sealing_keys"), "{error}");
    for path in ["sse", "/healthz", "/mcp", "/mcp/"] {
        let error = app().http(HttpConfig::new().legacy_sse(path)).into_service().await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(&format!("`{path}`")), "{error}");
    }
    let error = app().http(HttpConfig::new().allowed_hosts(["http://x"])).into_service().await.unwrap_err();
    assert!(error.to_string().contains("`http://x`"), "{error}");
}
