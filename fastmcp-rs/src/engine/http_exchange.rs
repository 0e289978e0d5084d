//! One message with its own return path, as in HTTP.
//!
//! It has its own queue, the headers that must match the body, and other data of its transport.

use std::any::Any;
use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::Arc;

use super::connection::Connection;
use super::header_match::{self, Headers};
use super::server::ServerConfig;
use crate::auth::principal::Principal;
use crate::context::transport_facts::{TransportFacts, caller_with_extensions};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::trace_context::TraceContext;

/// A value of the transport that lives as long as the arguments of a call.
pub(crate) type ArgumentsGuard = Arc<dyn Any + Send + Sync>;

/// The data of a single message, on transports where each message has its own return path.
pub(crate) struct HttpExchange<'a> {
    /// The queue for the response, and for the frames before it, if the response is not ready at once; `None` if that
    /// is the connection's queue. It is created on first use, because most responses are ready at once.
    pub(crate) outgoing: Option<OnceCell<Arc<OutgoingQueue>>>,
    /// The message's headers, on transports where they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The transport's other data about the message.
    pub(crate) transport_info: TransportInfo<'a>,
    /// Whether requests to the client can precede the response.
    pub(crate) takes_requests: bool,
    /// Kept until the calls of the message have ended.
    pub(crate) retained: Option<ArgumentsGuard>,
    /// Set if a response that answers no request of the server is refused; otherwise it is dropped.
    pub(crate) rejects_stray_responses: bool,
}

impl HttpExchange<'_> {
    /// Returns the queue for a response that is not ready at once.
    pub(crate) fn outgoing<'a>(&'a self, connection: &'a Connection) -> &'a Arc<OutgoingQueue> {
        match &self.outgoing {
            Some(own) => own.get_or_init(|| connection.new_exchange_queue()),
            None => connection.queue(),
        }
    }
}

/// A transport's data about a message besides its text, for spans and traces.
#[derive(Clone, Copy, Default)]
pub(crate) struct TransportInfo<'a> {
    /// All headers, whether or not they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The version of HTTP, such as `1.1`.
    pub(crate) http_version: Option<&'static str>,
    /// Whether the message has come through a Unix socket.
    pub(crate) is_by_unix_socket: bool,
    /// The address and the port of the client, as far as they are known.
    pub(crate) client: Option<(IpAddr, Option<u16>)>,
    /// The principal that makes this request. In a session, another request may have opened it.
    pub(crate) caller: Option<&'a Arc<Principal>>,
    /// The headers and extensions of the HTTP request, from which handlers may read.
    #[cfg(feature = "http")]
    pub(crate) readable: Option<(&'a http::HeaderMap, &'a http::Extensions)>,
}

impl TransportInfo<'_> {
    /// Returns the trace in the headers.
    pub(crate) fn trace(&self) -> Option<Box<TraceContext>> {
        self.headers.and_then(header_match::trace_context)
    }

    /// Copies the facts that a handler can read, if there are any.
    #[cfg(feature = "http")]
    pub(crate) fn facts(&self, config: &ServerConfig) -> Option<Arc<TransportFacts>> {
        let caller = caller_with_extensions(self.caller);
        let readable =
            self.readable.filter(|(_, extensions)| !config.exposed_headers.is_empty() || !extensions.is_empty());
        if caller.is_none() && readable.is_none() {
            return None;
        }
        let mut facts = TransportFacts::new(caller);
        if let Some((headers, extensions)) = readable {
            facts.headers = config.exposed_headers.select(headers);
            facts.http_extensions = extensions.clone();
        }
        Some(Arc::new(facts))
    }

    /// Copies the facts that a handler can read, if there are any.
    #[cfg(not(feature = "http"))]
    pub(crate) fn facts(&self, _: &ServerConfig) -> Option<Arc<TransportFacts>> {
        let caller = caller_with_extensions(self.caller)?;
        Some(Arc::new(TransportFacts::new(Some(caller))))
    }
}
