//! HTTPS: real certificates and a real client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastmcp_rs::http_server::Tls;
use fastmcp_rs::{App, HttpConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::{Connection, Request, Server, call, modern};
use super::tools::app;

/// A certificate authority, and a directory for its certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let directory = std::env::temp_dir().join(format!("fastmcp-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer, directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A certificate for `localhost` and its key, in PEM.
    fn certificate(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &self.issuer);
        (certificate.unwrap().pem(), key.serialize_pem())
    }

    /// Puts a new certificate and its key where servers find it.
    pub fn renew(&self) {
        let (certificate, key) = self.certificate();
        write(&self.path("cert.pem"), &certificate);
        write(&self.path("key.pem"), &key);
    }

    pub fn tls(&self) -> Tls {
        Tls::from_pem_files(self.path("cert.pem"), self.path("key.pem"))
    }

    pub fn client(&self, protocols: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    pub async fn connect(&self, address: SocketAddr, protocols: &[&str]) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.unwrap();
        self.client(protocols).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn on(tls: Tls) -> App {
    app().http(HttpConfig::new().tls(tls))
}

/// The server's certificate, as a client sees it.
fn leaf(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_served_on_https() {
    let authority = Authority::new("served");
    authority.renew();
    let server = Server::start(on(authority.tls())).await;
    for protocols in [&[][..], &["http/1.1"]] {
        let mut connection = Connection::over(authority.connect(server.address, protocols).await);
        for _ in 0..2 {
            connection.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
            let answer = connection.response().await.unwrap().answer("tools/call");
            assert_eq!(answer["result"]["content"][0]["text"], "3");
        }
        // More than any buffer on the way, and a stream.
        connection.write(&call(2, "much", json!({"bytes": 3_000_000})).bytes()).await;
        let answer = connection.response().await.unwrap().json();
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap().len(), 3_000_000);
        connection.write(&modern("l", "subscriptions/listen", json!({"notifications": {}})).bytes()).await;
        let mut stream = connection.response_head().await.unwrap();
        let first = connection.message(&mut stream).await.unwrap();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_text_on_a_tls_port_gets_an_error_or_is_closed() {
    let authority = Authority::new("plain");
    authority.renew();
    let config = HttpConfig::new().tls(authority.tls()).header_read_timeout(Duration::from_millis(500));
    let server = Server::start(app().http(config.max_connections(3))).await;
    for _ in 0..10 {
        let response = server.send(&call(1, "add", json!({"a": 1, "b": 2}))).await;
        assert_eq!((response.status, response.text().as_str()), (400, "this server speaks HTTPS only\n"));
    }
    // Junk, half a handshake, and silence.
    for bytes in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x00\x01", b"\x16\x03\x01", b""] {
        let mut connection = server.connect().await;
        connection.write(bytes).await;
        assert!(connection.is_closed_within(Duration::from_secs(5)).await, "{bytes:?}");
    }
    // None of them holds a permit any more. And after a handshake, a head may not take long either.
    let mut slow = authority.connect(server.address, &[]).await;
    slow.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    assert!(Connection::over(slow).is_closed_within(Duration::from_secs(5)).await);
    // The client decides on a certificate with another name; the server continues.
    let mut connection = Connection::over(authority.connect(server.address, &[]).await);
    connection.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
    assert_eq!(connection.response().await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_in_its_tls_handshake_counts_against_the_limit() {
    let authority = Authority::new("counted");
    authority.renew();
    let server = Server::start(app().http(HttpConfig::new().tls(authority.tls()).max_connections(1))).await;
    let mut half = server.connect().await;
    half.write(b"\x16\x03\x01").await;
    assert!(server.connect().await.is_closed_within(Duration::from_secs(2)).await, "there is one already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_disconnected_on_https() {
    let authority = Authority::new("deaf");
    authority.renew();
    let config = HttpConfig::new().tls(authority.tls()).write_timeout(Duration::from_millis(300));
    let server = Server::start(app().http(config)).await;
    // One whose answer is large, and one whose answer fits into what is kept to be encrypted, but not into the socket.
    for bytes in [30_000_000, 40_000] {
        let deaf = server.connect_deaf().await.stream;
        let mut deaf = authority.client(&[]).connect(ServerName::try_from("localhost").unwrap(), deaf).await.unwrap();
        let requests = if bytes > 1_000_000 { 1 } else { 200 };
        let request = call(1, "much", json!({"bytes": bytes})).bytes();
        for _ in 0..requests {
            deaf.write_all(&request).await.unwrap();
        }
        // However long it takes to make the answer.
        deaf.read_exact(&mut [0; 1]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut read = 0;
        let mut part = vec![0; 64 << 10];
        while let Ok(more @ 1..) = deaf.read(&mut part).await {
            read += more;
        }
        assert!(read < 25_000_000.min(bytes * requests), "{read} of {requests} times {bytes}");
    }
}

#[tokio::test]
async fn unusable_certificates_are_errors_at_start() {
    let authority = Authority::new("broken");
    authority.renew();
    let (certificate, key) = (authority.path("cert.pem"), authority.path("key.pem"));
    let (other, broken) = (authority.path("other.pem"), authority.path("broken.pem"));
    write(&other, &authority.certificate().1);
    write(&broken, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n");
    let half = authority.path("half.pem");
    let whole = std::fs::read_to_string(&certificate).unwrap();
    write(&half, &whole[..whole.len() / 2]);
    let huge = authority.path("huge.pem");
    write(&huge, &"x".repeat(2 << 20));
    for (certificate, key, expected) in [
        (authority.path("nowhere.pem"), key.clone(), "nowhere.pem`: No such file"),
        (certificate.clone(), authority.path("nowhere.pem"), "nowhere.pem`: No such file"),
        (key.clone(), key.clone(), "key.pem` contains no certificate"),
        (certificate.clone(), certificate.clone(), "cert.pem` contains no unencrypted private key"),
        (certificate.clone(), other, "other.pem` does not match the first certificate in"),
        (broken, key.clone(), "broken.pem` is not well-formed PEM"),
        (half, key.clone(), "half.pem` is not well-formed PEM: `-----END CERTIFICATE-----` is missing"),
        (huge, key.clone(), "huge.pem` has more than 1 MiB"),
        (authority.path(""), key, "it is not a regular file"),
    ] {
        let error = on(Tls::from_pem_files(certificate, key)).run_http("127.0.0.1:0").await.unwrap_err();
        assert!(error.is_configuration() && error.to_string().contains(expected), "{expected}: {error}");
    }
    // HTTPS does not authenticate clients, so a public address still needs authentication.
    let error = on(authority.tls()).run_http("0.0.0.0:0").await.unwrap_err();
    assert!(error.to_string().contains("App::authenticate"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_certificates_are_loaded_and_broken_ones_are_not() {
    let authority = Authority::new("renewed");
    authority.renew();
    let server = Server::start(on(authority.tls().renewal_interval(Duration::ZERO))).await;
    let connect = || authority.connect(server.address, &[]);
    let mut old = connect().await;
    let first = leaf(&old);
    assert_eq!(leaf(&connect().await), first);
    authority.renew();
    let second = leaf(&connect().await);
    assert_ne!(second, first);
    for (name, contents) in [("key.pem", "broken"), ("cert.pem", "broken")] {
        write(&authority.path(name), contents);
        assert_eq!(leaf(&connect().await), second, "a broken {name} changes nothing");
    }
    std::fs::remove_file(authority.path("cert.pem")).unwrap();
    assert_eq!(leaf(&connect().await), second);
    authority.renew();
    let third = leaf(&connect().await);
    assert!(third != second && third != first);
    // Connections that are open do not notice.
    old.write_all(&Request { path: "/healthz".into(), ..Request::new("GET") }.bytes()).await.unwrap();
    let mut answer = [0; 15];
    old.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    // By default, files are checked once a minute.
    let server = Server::start(on(authority.tls())).await;
    assert_eq!(leaf(&authority.connect(server.address, &[]).await), third);
    authority.renew();
    assert_eq!(leaf(&authority.connect(server.address, &[]).await), third);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn special_files_at_the_path_of_a_certificate_delay_no_handshake() {
    let authority = Authority::new("special");
    authority.renew();
    let config = HttpConfig::new()
        .tls(authority.tls().renewal_interval(Duration::ZERO))
        .header_read_timeout(Duration::from_secs(2));
    let server = Server::start(app().http(config)).await;
    let connect = || tokio::time::timeout(Duration::from_secs(5), authority.connect(server.address, &[]));
    for name in ["cert.pem", "key.pem"] {
        let first = leaf(&connect().await.unwrap());
        let path = authority.path(name);
        for special in ["mkfifo \"$0\"", "ln -s /dev/zero \"$0\"", "ln -s /dev/tty \"$0\"", "mkdir \"$0\""] {
            std::fs::remove_file(&path).unwrap();
            assert!(Command::new("sh").args(["-c", special]).arg(&path).status().unwrap().success());
            let start = Instant::now();
            assert_eq!(leaf(&connect().await.expect(special)), first, "{special}: the one of before stays");
            assert!(start.elapsed() < Duration::from_secs(1), "{special}: {:?}", start.elapsed());
            let refused = on(authority.tls()).run_http("127.0.0.1:0").await.unwrap_err();
            assert!(refused.to_string().contains("not a regular file"), "{special}: {refused}");
            if path.is_dir() {
                std::fs::remove_dir(&path).unwrap();
                write(&path, "");
            }
        }
        authority.renew();
        assert_ne!(leaf(&connect().await.unwrap()), first, "it is a file again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rustls_configuration_is_used_unchanged() {
    let authority = Authority::new("config");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority.issuer);
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap().into()], private)
        .unwrap();
    let server = Server::start(on(Tls::new(Arc::new(config.clone())))).await;
    let stream = authority.connect(server.address, &["http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]), "protocols are added");
    let mut connection = Connection::over(stream);
    connection.write(&call(1, "add", json!({"a": 1, "b": 2})).bytes()).await;
    assert_eq!(connection.response().await.unwrap().status, 200);
    config.alpn_protocols = vec![b"spdy/3".to_vec()];
    let error = on(Tls::new(Arc::new(config))).run_http("127.0.0.1:0").await.unwrap_err();
    assert!(error.to_string().contains("`spdy/3`"), "{error}");
}
