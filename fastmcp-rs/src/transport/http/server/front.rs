//! Facts of the server that a connection needs.

use tokio::sync::watch;

use crate::transport::http::server::router::Site;
use crate::transport::http::server::timeouts::ConnectionTimeouts;

/// The largest head of a request.
pub(crate) const MAX_HEAD: usize = 32 << 10;

/// What is served, and how it is wrapped.
#[derive(Clone)]
pub(crate) struct HttpServer {
    pub(crate) site: Site,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::tls::RenewingAcceptor>,
}

/// What a connection knows of its server.
#[derive(Clone)]
pub(crate) struct HttpConnection {
    pub(crate) front: HttpServer,
    pub(crate) timeouts: ConnectionTimeouts,
    /// Becomes `true` when the server is asked to stop. Who holds it is waited for.
    pub(crate) stopped: watch::Receiver<bool>,
}
