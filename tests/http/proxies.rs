//! Clients behind reverse proxies, and those that pretend to be.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use fastmcp_rs::{Error, HttpConfig};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::client::{Connection, Request, Server, call, modern};
use super::limits::answers;
use super::tools::app;

fn config() -> HttpConfig {
    HttpConfig::new().trusted_proxies(["127.0.0.1", "10.0.0.0/8"]).max_streams_per_principal(1)
}

fn listen() -> Request {
    modern(1, "subscriptions/listen", json!({"notifications": {}}))
}

/// Opens a stream, and returns true if it is accepted.
async fn opens(server: &Server, request: &Request) -> (bool, Connection<TcpStream>) {
    let mut connection = server.connect().await;
    connection.write(&request.bytes()).await;
    let status = connection.response_head().await.expect("a response").status;
    assert!(matches!(status, 200 | 503), "{status}");
    (status == 200, connection)
}

/// Opens streams one after another, which stay open. Returns whether each is accepted.
async fn open_all(server: &Server, headers: &[&[(&str, &str)]]) -> Vec<bool> {
    let mut open = Vec::new();
    for headers in headers {
        let request = headers.iter().fold(listen(), |request, (name, value)| request.with(name, value));
        open.push(opens(server, &request).await);
    }
    open.into_iter().map(|(is_open, _)| is_open).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_behind_a_trusted_proxy_counts_by_its_own_address() {
    let server = Server::start(app().http(config())).await;
    let of = |value| [("X-Forwarded-For", value)];
    let headers = [
        of("192.0.2.1"),
        of("192.0.2.2"),
        of("192.0.2.1"),
        // It may claim what it likes in front of what the proxy adds.
        of("192.0.2.9, 192.0.2.1"),
        of("unknown, 192.0.2.1:4711, 10.0.0.1"),
        of("2001:db8::1"),
        of("2001:db8::2"),
        of("[2001:db8:0:1::1]:80"),
    ];
    let headers: Vec<&[_]> = headers.iter().map(|headers| &headers[..]).collect();
    assert_eq!(open_all(&server, &headers).await, [true, true, false, false, false, true, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_forwarded_address_counts_as_the_proxy() {
    let server = Server::start(app().http(config())).await;
    let headers: [&[(&str, &str)]; 7] = [
        &[("Forwarded", "for=\"[2001:db8::1]:80\";proto=https")],
        &[("Forwarded", "for=\"[2001:db8::1]:81\"")],
        &[("Forwarded", "for=_hidden")],
        &[("X-Forwarded-For", "unknown")],
        &[("Forwarded", "for=192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")],
        &[],
        &[("Forwarded", "for=192.0.2.2"), ("X-Forwarded-For", "192.0.2.2")],
    ];
    assert_eq!(open_all(&server, &headers).await, [true, false, true, false, false, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_behind_a_proxy_count_by_address() {
    let config = config().max_calls(8).max_calls_per_principal(2);
    let server = Server::start(app().http(config)).await;
    let request = |tool, address| call(1, tool, json!({"milliseconds": 60_000})).with("X-Forwarded-For", address);
    let mut sleeping = Vec::new();
    for _ in 0..2 {
        let mut connection = server.connect().await;
        connection.write(&request("sleep", "192.0.2.1").bytes()).await;
        sleeping.push(connection);
    }
    let add = |address| call(1, "add", json!({"a": 1, "b": 2})).with("X-Forwarded-For", address);
    answers(&server, &add("192.0.2.1"), 503).await;
    assert_eq!(server.send(&add("192.0.2.2")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_a_trusted_proxy_are_not_limited_by_its_address() {
    let limited = HttpConfig::new().max_connections_per_address(2);
    for (config, is_limited) in [(limited.clone(), true), (limited.trusted_proxies(["127.0.0.0/8"]), false)] {
        let server = Server::start(app().http(config)).await;
        let mut open = Vec::new();
        for _ in 0..2 {
            open.push(opens(&server, &listen()).await);
        }
        let mut third = server.connect().await;
        third.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
        assert_eq!(third.response().await.is_none(), is_limited);
    }
}

#[tokio::test]
async fn an_invalid_trusted_proxy_is_an_error_at_start() {
    for proxy in ["localhost", "10.0.0.0/33", "10.0.0.1/8", "0.0.0.0/0", "::/0", ""] {
        let app = app().http(HttpConfig::new().trusted_proxies([proxy]));
        let started = tokio::time::timeout(Duration::from_secs(10), app.run_http("127.0.0.1:0")).await;
        let error: Error = started.expect("it does not start").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("`{proxy}` cannot be a trusted proxy: ")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedding_server_can_supply_peer_addresses() {
    let service = app().http(HttpConfig::new().max_streams_per_principal(1)).into_service().await.unwrap();
    let tell = |mut request: axum::extract::Request| async move {
        let address = request.headers().get("x-test-address").and_then(|address| address.to_str().ok()?.parse().ok());
        if let Some(address) = address {
            request.extensions_mut().insert::<SocketAddr>(address);
        }
        request
    };
    let router = Router::new().route_service("/mcp", service).layer(axum::middleware::map_request(tell));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let headers: [&[(&str, &str)]; 5] = [
        &[("X-Test-Address", "192.0.2.1:1")],
        &[("X-Test-Address", "192.0.2.1:2")],
        &[("X-Test-Address", "192.0.2.2:1")],
        &[],
        &[],
    ];
    assert_eq!(open_all(&server, &headers).await, [true, false, true, true, true]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peer_of_a_unix_socket_may_be_a_trusted_proxy() {
    use tokio::net::{UnixListener, UnixStream};

    for (proxies, expected) in [(&["unix"][..], [200, 200, 503]), (&[], [200, 200, 200])] {
        let path = std::env::temp_dir().join(format!("fastmcp-proxies-{}-{}", proxies.len(), std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let app = app().http(HttpConfig::new().trusted_proxies(proxies.iter().copied()).max_streams_per_principal(1));
        let task = tokio::spawn(async move { app.run_http_unix_on(listener).await });
        let mut open = Vec::new();
        let mut statuses = Vec::new();
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.1"] {
            let mut connection = Connection::over(UnixStream::connect(&path).await.unwrap());
            connection.write(&listen().with("X-Forwarded-For", address).bytes()).await;
            statuses.push(connection.response_head().await.unwrap().status);
            open.push(connection);
        }
        assert_eq!(statuses, expected);
        task.abort();
        let _ = std::fs::remove_file(&path);
    }
}
