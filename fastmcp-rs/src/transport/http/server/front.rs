//! The server's state that each connection needs.

use tokio::sync::watch;

use crate::transport::http::server::router::Site;
use crate::transport::http::server::timeouts::ConnectionTimeouts;

/// The maximum size of a request head, in bytes.
pub(crate) const MAX_HEAD: usize = 32 << 10;

/// The site to serve, and the TLS acceptor around it.
#[derive(Clone)]
pub(crate) struct HttpServer {
    pub(crate) site: Site,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::tls::RenewingAcceptor>,
}

/// The parts of the server that one connection uses.
#[derive(Clone)]
pub(crate) struct HttpConnection {
    pub(crate) front: HttpServer,
    pub(crate) timeouts: ConnectionTimeouts,
    /// Becomes `true` when the server is asked to stop. The server waits until all receivers are dropped.
    pub(crate) stopped: watch::Receiver<bool>,
}
