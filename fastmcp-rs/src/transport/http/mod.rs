//! Streamable HTTP: every revision of the protocol at one URL.
//!
//! `service` answers one request, whatever server it came by; `serve` is such a server, made for the open internet.
//! Around `serve`: `listener` (TCP), `unix` (sockets of this machine), `connection` (one of them), `tls`, `preface`
//! (which HTTP it is), `h2`, `paths` (what is served beside the endpoint), `routes` (what an author adds to it), `oauth`
//! (what clients are told that look for it).
//! Beside `service`: `message` (the era of a message, and its answer), `responses` (statuses and headers), `access` (names
//! and pages that may come in), `cors` (what browsers are told of these), `authenticate` (principals), `peer` (whose
//! limits count), `counted` (permits), `body` (messages within limits), `room` (for large ones), `backlog` (responses that
//! are not read yet), `head` and `headers`, `sessions` (for legacy clients), `channel` (their streams), `legacy_sse` (the
//! transport before this one), `stream` (events), `io` (time limits), `heads` (line ends).
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

mod access;
mod authenticate;
mod backlog;
mod body;
mod channel;
mod config;
mod connection;
mod cors;
mod counted;
#[cfg(feature = "h2")]
mod h2;
mod head;
mod headers;
mod heads;
mod io;
#[cfg(feature = "legacy-sse")]
mod legacy_sse;
mod listener;
mod message;
mod oauth;
mod paths;
mod peer;
#[cfg(any(feature = "h2", feature = "tls"))]
mod preface;
mod responses;
mod room;
mod routes;
mod serve;
mod service;
mod sessions;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;
mod wakes;

pub(crate) use authenticate::Authenticator;
pub use authenticate::{AccessError, Authenticate};
pub use body::ResponseBody;
pub use config::{HttpConfig, SessionMode};
pub(crate) use connection::Front;
pub(crate) use listener::Listener;
#[cfg(feature = "metrics")]
pub(crate) use paths::METRICS;
pub(crate) use paths::{Site, check_path};
pub use routes::RequestBody;
pub(crate) use routes::Routes;
pub(crate) use serve::{asked_to_stop, serve};
pub use service::HttpService;
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(unix)]
pub(crate) use unix::{bind, name_of};
