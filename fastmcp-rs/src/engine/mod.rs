//! One message in, its responses out.
//!
//! The engine receives messages and returns frames; it opens no socket and reads no descriptor, so that transports, tests
//! and simulators drive the same code. A [`Server`] is built from an app and does not change. A
//! [`Connection`](transport_api::Connection) is one peer: at most one legacy session, and the calls in flight. The era is
//! read from each message, never from earlier ones, except for the session that an `initialize` opened.
//!
//! From a message to its response:
//!
//! 1. [`transport_api`]: all that a transport may call, in its order.
//! 2. `receive/`: text becomes a frame or a batch; calls that wait become tasks.
//! 3. `dispatch.rs`: a frame is a response, a notification, or a request of one of the two eras.
//! 4. `stateless.rs` and `session.rs`: the checks of each era; `methods.rs`, `completion.rs` and `subscriptions.rs`: the
//!    methods that both share.
//! 5. `call/`: the call of a handler, from its admission and arguments to its response.
//!
//! `connection.rs` is the state of a peer, `request.rs` a request on its way, `response.rs` the state of its response.
//! Look here for the methods of the protocol, admission, cancellation, progress, subscriptions and batches.

mod call;
mod completion;
mod connection;
mod dispatch;
mod error_budget;
mod header_match;
mod http_exchange;
mod instrument;
mod malformed;
mod methods;
mod nested_calls;
mod notifications;
#[cfg(feature = "stdio")]
mod oversized;
mod receive;
mod registry_view;
mod request;
mod request_span;
mod response;
mod server;
mod session;
mod stateless;
mod subscriptions;
pub(crate) mod transport_api;

pub(crate) use server::{Server, ServerConfig, ShutdownTask};
