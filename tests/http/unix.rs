//! HTTP on a Unix socket.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fastmcp_rs::{App, Error, HttpConfig};
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::client::{Connection, Request, call};
use super::modern::wait_until;
use super::tools::app;

/// A directory for sockets, which is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("fastmcp-http-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("mcp.sock")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn start(app: App, path: &Path) -> JoinHandle<Result<(), Error>> {
    let path = path.to_owned();
    tokio::spawn(async move { app.run_http_unix(path).await })
}

async fn connect(path: &Path) -> Connection<UnixStream> {
    wait_until(|| std::os::unix::net::UnixStream::connect(path).is_ok()).await;
    Connection::over(UnixStream::connect(path).await.unwrap())
}

async fn sum(connection: &mut Connection<UnixStream>) -> String {
    connection.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
    let answer = connection.response().await.unwrap().answer("tools/call");
    answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_served_on_a_socket_of_its_user() {
    let directory = Directory::new("served");
    let path = directory.socket();
    let server = start(app(), &path);
    let mut connection = connect(&path).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(sum(&mut connection).await, "3");
    assert_eq!(sum(&mut connection).await, "3", "the connection stays");
    // Names are checked as anywhere: a proxy in front passes on what a browser says.
    connection.write(&call(1, "add", json!({"a": 1, "b": 2})).set("Host", "evil.example").bytes()).await;
    assert_eq!(connection.response().await.unwrap().status, 403);
    // Another server does not take the place of one that lives.
    let error = app().run_http_unix(&path).await.unwrap_err().to_string();
    assert!(error.contains("another server listens") && error.contains("mcp.sock"), "{error}");
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    assert!(!path.exists(), "the file is removed with the server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_dead_socket_at_the_path_is_replaced() {
    let directory = Directory::new("path");
    let path = directory.socket();
    // A server that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = start(app().http(HttpConfig::new().socket_mode(0o660)), &path);
    assert_eq!(sum(&mut connect(&path).await).await, "3");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    server.abort();
    let _ = server.await;
    std::fs::write(&path, "precious").unwrap();
    let error = app().run_http_unix(&path).await.unwrap_err().to_string();
    assert!(error.contains("is not a socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let error = app().run_http_unix(directory.0.join("nowhere/mcp.sock")).await.unwrap_err().to_string();
    assert!(error.contains("cannot listen on `"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inherited_socket_is_served_and_kept() {
    let directory = Directory::new("handed");
    let path = directory.socket();
    let listener = UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move { app().run_http_unix_on(listener).await });
    let mut connection = connect(&path).await;
    let ready = Request { path: "/readyz".into(), ..Request::new("GET") };
    connection.write(&ready.bytes()).await;
    assert_eq!(connection.response().await.unwrap().text(), "ok\n");
    assert_eq!(sum(&mut connection).await, "3");
    server.abort();
    let _ = server.await;
    assert!(path.exists(), "it belongs to who has made it");
}
