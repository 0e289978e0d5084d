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

mod config;
#[cfg(feature = "legacy-sse")]
mod legacy_sse;
mod limits;
pub(crate) mod paths;
mod peer;
mod post;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod server;
mod service;
mod sessions;
pub(crate) mod shared;
#[cfg(feature = "legacy-sse")]
pub(crate) mod stream_session;

pub use config::{HttpConfig, SessionMode};
#[cfg(feature = "metrics")]
pub(crate) use paths::METRICS_PATH;
pub(crate) use paths::check_path;
pub(crate) use request::authenticate::Authenticator;
pub use request::authenticate::{AccessError, Authenticate};
pub use response::body::ResponseBody;
pub(crate) use server::accept::{serve, shutdown_signal};
pub(crate) use server::front::HttpServer;
pub(crate) use server::listener::Listener;
pub(crate) use server::router::Site;
#[cfg(feature = "tls")]
pub use server::tls::Tls;
#[cfg(unix)]
pub(crate) use server::unix::{bind, socket_name};
pub use server::user_routes::RequestBody;
pub(crate) use server::user_routes::Routes;
pub use service::HttpService;
