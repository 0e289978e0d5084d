//! The HTTP server around the service: listeners, connections, TLS, HTTP/2, timeouts, routes.

pub(crate) mod accept;
pub(crate) mod coalesce_wakes;
pub(crate) mod connection;
pub(crate) mod front;
#[cfg(feature = "h2")]
pub(crate) mod h2;
pub(crate) mod line_endings;
pub(crate) mod listener;
pub(crate) mod oauth;
#[cfg(any(feature = "h2", feature = "tls"))]
pub(crate) mod protocol_detect;
pub(crate) mod route_body;
pub(crate) mod router;
pub(crate) mod timeouts;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod tracked_body;
#[cfg(unix)]
pub(crate) mod unix;
pub(crate) mod user_routes;
