//! HTTPS: certificates and the TLS handshake.
//!
//! A renewal of certificates replaces files and usually does not restart servers. So the server checks the files again
//! when a client connects, at most once a minute by default. An invalid file must not stop a working server: it is
//! logged as a warning, and the previous certificate stays in use.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{Digest, SHA256, digest};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::listener::IoStream;
use super::protocol_detect::PrefixedStream;
use super::timeouts::ConnectionTimeouts;
use crate::checks::http::unusable_tls;
use crate::checks::problem::Problem;
use crate::util::operator_log;
use crate::util::sync::Mutex;

/// The default interval of checks for changed files.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);
/// The maximum size of a certificate or key file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The maximum time that a client waits until the files are read.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(1);
/// The first byte of a TLS connection: the type of the record that carries a handshake.
const HANDSHAKE: u8 = 22;
/// The response to a client that speaks HTTP on an HTTPS port.
const HTTPS_REQUIRED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 30\r\nconnection: close\r\n\r\nthis server speaks HTTPS only\n";

/// The certificate and private key of an HTTPS server, for [`HttpConfig::tls`](crate::HttpConfig::tls).
///
/// The server supports TLS 1.3 and 1.2, with `ring` as the cryptography provider unless [`Tls::new`] configures others.
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::http_server::Tls;
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::main]
/// async fn main() -> Result<(), fastmcp_rs::Error> {
///     let tls = Tls::from_pem_files("/etc/ssl/mcp.example.com/chain.pem", "/etc/ssl/mcp.example.com/key.pem");
///     let config = HttpConfig::new().allowed_hosts(["mcp.example.com"]).tls(tls);
///     App::new("orders").http(config).run_http("0.0.0.0:443").await
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Tls {
    source: CertificateSource,
    renewal_interval: Duration,
}

#[derive(Clone, Debug)]
enum CertificateSource {
    Files(PemFiles),
    Config(Arc<ServerConfig>),
}

#[derive(Clone, Debug)]
struct PemFiles {
    certificates: PathBuf,
    key: PathBuf,
}

impl Tls {
    /// Uses a certificate chain and its private key from PEM files. `certificates` contains the server's certificate
    /// first, followed by the intermediate certificates. The key is in PKCS #8, PKCS #1 or SEC 1 format and is not
    /// encrypted.
    ///
    /// Each file is a regular file of at most 1 MiB, or a symbolic link to one; pipes and devices are refused. The
    /// server reads the files at start-up, and does not start if they are invalid. It checks them again when a client
    /// connects, at most once per [renewal interval](Tls::renewal_interval), and uses changed files from then on. If
    /// the changed files are not usable, a warning with the reason is logged, and the previous certificate stays in
    /// use.
    pub fn from_pem_files(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Tls {
        let files = PemFiles { certificates: certificates.into(), key: key.into() };
        Tls { source: CertificateSource::Files(files), renewal_interval: RENEWAL_INTERVAL }
    }

    /// Uses a rustls 0.23 configuration, for example for client certificates, several host names, hardware keys or
    /// another cryptography provider.
    ///
    /// If `alpn_protocols` is empty, the protocols that this server supports are added.
    ///
    /// # Errors
    ///
    /// The server does not start if `alpn_protocols` contains a protocol that it does not support, such as `h2` without
    /// the feature `h2`.
    pub fn new(config: Arc<ServerConfig>) -> Tls {
        Tls { source: CertificateSource::Config(config), renewal_interval: RENEWAL_INTERVAL }
    }

    /// Sets the minimum interval between checks for changed files. Default: 60 seconds.
    pub fn renewal_interval(mut self, interval: Duration) -> Tls {
        self.renewal_interval = interval;
        self
    }

    /// Reads the files, if there are any, and builds the acceptor. An error describes the problem.
    pub(crate) fn build_acceptor(&self) -> Result<RenewingAcceptor, Problem> {
        let (config, files, seen) = match &self.source {
            CertificateSource::Config(config) => (with_protocols(config)?, None, None),
            CertificateSource::Files(files) => {
                let contents = files.read()?;
                (files.config(&contents)?, Some(files.clone()), Some(contents.digest()))
            }
        };
        let current = Mutex::new(CurrentConfig { config, seen, checked_at: Instant::now(), is_renewing: false });
        Ok(RenewingAcceptor(Arc::new(AcceptorInner { current, files, renewal_interval: self.renewal_interval })))
    }
}

/// Returns the ALPN protocols that this server supports, in order of preference.
fn protocols() -> Vec<Vec<u8>> {
    #[cfg(feature = "h2")]
    return vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    #[cfg(not(feature = "h2"))]
    return vec![b"http/1.1".to_vec()];
}

fn with_protocols(config: &Arc<ServerConfig>) -> Result<Arc<ServerConfig>, Problem> {
    if config.alpn_protocols.is_empty() {
        let mut config = ServerConfig::clone(config);
        config.alpn_protocols = protocols();
        return Ok(Arc::new(config));
    }
    match config.alpn_protocols.iter().find(|&protocol| !protocols().contains(protocol)) {
        None => Ok(Arc::clone(config)),
        Some(unknown) if unknown == b"h2" => {
            Err(unusable_tls("the TLS configuration has the protocol h2", "enable the feature `h2` of fastmcp-rs"))
        }
        Some(unknown) => {
            let unknown = String::from_utf8_lossy(unknown);
            let text = format!("the TLS configuration has the protocol `{unknown}`, which is not supported");
            Err(unusable_tls(text, "remove it"))
        }
    }
}

/// The contents of the certificate and key files.
struct PemContents {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl PemContents {
    /// Computes digests of the contents, which detect changes without a copy of the key.
    fn digest(&self) -> [Digest; 2] {
        [digest(&SHA256, &self.certificates), digest(&SHA256, &self.key)]
    }
}

impl PemFiles {
    fn read(&self) -> Result<PemContents, Problem> {
        Ok(PemContents { certificates: read(&self.certificates)?, key: read(&self.key)? })
    }

    fn config(&self, contents: &PemContents) -> Result<Arc<ServerConfig>, Problem> {
        let (certificates, key) = (self.certificates.display(), self.key.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents.certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| malformed(&self.certificates, &error))?;
        if chain.is_empty() {
            let text = format!("`{certificates}` contains no certificate");
            return Err(unusable_tls(text, "it must begin with `-----BEGIN CERTIFICATE-----`"));
        }
        let private = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| match error {
            pem::Error::NoItemsFound => unusable_tls(
                format!("`{key}` contains no unencrypted private key"),
                "it must begin with `-----BEGIN PRIVATE KEY-----`",
            ),
            error => malformed(&self.key, &error),
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certified = CertifiedKey::from_der(chain, private, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => unusable_tls(
                format!("the key in `{key}` does not match the first certificate in `{certificates}`"),
                "put the server's certificate first, and name its key",
            ),
            rustls::Error::InvalidCertificate(problem) => unusable_tls(
                format!("the first certificate in `{certificates}` cannot be used: {problem:?}"),
                "replace it",
            ),
            error => unusable_tls(format!("the key in `{key}` cannot be used: {error}"), "replace it"),
        })?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable_tls(format!("cannot set up TLS: {error}"), "give a configuration of your own"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = protocols();
        Ok(Arc::new(config))
    }
}

/// Describes why a file is malformed, without its contents, which may be a key.
fn malformed(path: &Path, error: &pem::Error) -> Problem {
    let reason = match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            format!("`-----END {}-----` is missing", String::from_utf8_lossy(end_marker))
        }
        pem::Error::IllegalSectionStart { .. } => "a line with `-----BEGIN` does not end with `-----`".to_owned(),
        error => error.to_string(),
    };
    unusable_tls(format!("`{}` is not well-formed PEM: {reason}", path.display()), "replace the file")
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable_tls(format!("cannot read `{}`: {error}", path.display()), "name a readable file"))?;
    if bytes.len() as u64 > MAX_FILE {
        let text = format!("`{}` has more than 1 MiB, so it is not a file of certificates or of a key", path.display());
        return Err(unusable_tls(text, "name the right file"));
    }
    Ok(bytes)
}

/// Opens a regular file, and refuses everything else: opening a named pipe or reading a device may block for ever.
fn open(path: &Path) -> io::Result<File> {
    let check = |found: &Metadata| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    };
    check(&std::fs::metadata(path)?)?;
    let mut options = File::options();
    options.read(true);
    // The path may name a pipe by now.
    #[cfg(unix)]
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// The HTTP version that client and server negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    #[cfg(feature = "h2")]
    Http2,
}

/// Performs TLS handshakes, and reloads certificates that have changed.
#[derive(Clone)]
pub(crate) struct RenewingAcceptor(Arc<AcceptorInner>);

struct AcceptorInner {
    current: Mutex<CurrentConfig>,
    /// `Some` if the certificate comes from files, which may change.
    files: Option<PemFiles>,
    renewal_interval: Duration,
}

struct CurrentConfig {
    config: Arc<ServerConfig>,
    /// The digests of the files at the last read, usable or not.
    seen: Option<[Digest; 2]>,
    checked_at: Instant,
    /// Set while the files are being read, so that a file system that hangs blocks at most one thread.
    is_renewing: bool,
}

impl RenewingAcceptor {
    /// Performs the handshake. Returns `None` if it fails or times out.
    pub(crate) async fn accept<S: IoStream>(
        &self,
        stream: S,
        timeouts: ConnectionTimeouts,
    ) -> Option<(TlsStream<PrefixedStream<S>>, Protocol)> {
        timeout(timeouts.header, self.shake_hands(stream)).await.ok()?
    }

    async fn shake_hands<S: IoStream>(&self, stream: S) -> Option<(TlsStream<PrefixedStream<S>>, Protocol)> {
        let mut stream = PrefixedStream::new(stream);
        match stream.peek_first_byte().await {
            Ok(Some(HANDSHAKE)) => {}
            Ok(Some(b'A'..=b'Z')) => {
                let _ = refuse(stream).await;
                return None;
            }
            _ => return None,
        }
        let config = self.config().await;
        match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => {
                let protocol = match stream.get_ref().1.alpn_protocol() {
                    #[cfg(feature = "h2")]
                    Some(b"h2") => Protocol::Http2,
                    _ => Protocol::Http1,
                };
                Some((stream, protocol))
            }
            Err(error) => {
                tracing::debug!(target: "fastmcp_rs", "a TLS handshake failed: {error}");
                None
            }
        }
    }

    /// Returns the current configuration. One client per renewal interval waits until the files are read, for at most
    /// `RENEWAL_TIMEOUT`.
    async fn config(&self) -> Arc<ServerConfig> {
        let shared = &self.0;
        let is_due = shared.files.is_some() && {
            let mut current = shared.current.lock();
            let is_due = current.checked_at.elapsed() >= shared.renewal_interval && !current.is_renewing;
            if is_due {
                current.checked_at = Instant::now();
                current.is_renewing = true;
            }
            is_due
        };
        if is_due {
            let shared = Arc::clone(shared);
            let renewing = tokio::task::spawn_blocking(move || {
                shared.renew();
                shared.current.lock().is_renewing = false;
            });
            let _ = timeout(RENEWAL_TIMEOUT, renewing).await;
        }
        Arc::clone(&shared.current.lock().config)
    }
}

impl AcceptorInner {
    /// Applies changed files, if they are usable.
    fn renew(&self) {
        let Some(files) = &self.files else { return };
        let renewed = files.read().and_then(|contents| {
            let digest = contents.digest();
            let is_same = |seen: &[Digest; 2]| seen.iter().zip(&digest).all(|(a, b)| a.as_ref() == b.as_ref());
            if self.current.lock().seen.as_ref().is_some_and(is_same) {
                return Ok(None);
            }
            // The digest is stored even if the files are unusable, so that the warning is logged once.
            self.current.lock().seen = Some(digest);
            files.config(&contents).map(Some)
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(config)) => {
                self.current.lock().config = config;
                operator_log::write_line(&format!("the certificate in `{}` was renewed", files.certificates.display()));
            }
            Err(problem) => operator_log::warn(format_args!("the previous certificate stays in use: {problem}")),
        }
    }
}

impl fmt::Debug for RenewingAcceptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Acceptor").field("files", &self.0.files).finish_non_exhaustive()
    }
}

/// Responds to a client of plain HTTP that this port requires HTTPS.
async fn refuse<S: IoStream>(mut stream: PrefixedStream<S>) -> io::Result<()> {
    stream.write_all(HTTPS_REQUIRED).await?;
    stream.shutdown().await?;
    // A connection that is closed with unread data is reset, and its last response may be lost.
    let mut rest = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}
