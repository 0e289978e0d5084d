//! Streamable HTTP: every revision of the protocol at one URL.
//!
//! `service` answers one request, whatever server it came by; `serve` is such a server, made for the open internet.
//! Beside them: `message` (the era of what came, and what becomes of it), `responses` (its statuses and headers),
//! `access` (names and pages that may come in), `authenticate` (who asks), `body` (messages within limits),
//! `headers`, `sessions` (what legacy clients need), `legacy_sse` (the transport before this one), `stream` (events), `io` (patience), `heads` (line ends).
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

mod access;
mod authenticate;
mod body;
mod config;
mod counted;
mod headers;
mod heads;
mod io;
#[cfg(feature = "legacy-sse")]
mod legacy_sse;
mod message;
mod responses;
mod serve;
mod service;
mod sessions;
mod stream;

pub(crate) use authenticate::Authenticator;
pub use authenticate::{AccessError, Authenticate};
pub use body::ResponseBody;
pub use config::{HttpConfig, SessionMode};
pub(crate) use serve::{asked_to_stop, serve};
pub use service::HttpService;
