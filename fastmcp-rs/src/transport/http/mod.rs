//! Streamable HTTP, which serves every revision of the protocol at one URL.
//!
//! `service` answers one request for any HTTP server that calls it; `post` handles the message of a POST. Look here
//! for:
//!
//! - `config` (settings), `limits` (permits for messages, streams and connections), `peer` (the peer that a request
//!   counts against), `shared` (state of all clones of a service)
//! - `request` (the head, `Host` and `Origin`, CORS, authentication, the body, memory for large messages)
//! - `response` (statuses, bodies, server-sent events, their replay, limits of unread bytes)
//! - `sessions` (sessions of legacy clients), `legacy_sse`, `stream_config` and `stream_session` (the transport of
//!   2024-11-05)
//! - `server` (the server of `App::run_http`: listeners, connections, TLS, HTTP/2, timeouts, routes)
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

mod config;
#[cfg(feature = "legacy-sse")]
mod legacy_sse;
#[cfg(not(feature = "legacy-sse"))]
#[path = "legacy_sse_noop.rs"]
mod legacy_sse;
mod limits;
mod peer;
mod post;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod server;
mod service;
mod sessions;
pub(crate) mod shared;
mod stream_config;
pub(crate) mod stream_session;

pub use config::{HttpConfig, SessionMode};
#[cfg(feature = "settings")]
pub(crate) use peer::check_trusted_proxy;
pub(crate) use request::authenticate::Authenticator;
pub use request::authenticate::{AccessError, Authenticate};
#[cfg(feature = "settings")]
pub(crate) use request::host_origin::{check_allowed_host, check_allowed_origin};
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
