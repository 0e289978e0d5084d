//! Facts of the server that a connection needs.

use tokio::sync::watch;

use crate::transport::http::server::router::Site;
use crate::transport::http::server::timeouts::Times;

/// The largest head of a request.
pub(crate) const MAX_HEAD: usize = 32 << 10;

/// What is served, and how it is wrapped.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) site: Site,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::tls::Acceptor>,
}

/// What a connection knows of its server.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) front: Front,
    pub(crate) times: Times,
    /// Becomes `true` when the server is asked to stop. Who holds it is waited for.
    pub(crate) stopped: watch::Receiver<bool>,
}
