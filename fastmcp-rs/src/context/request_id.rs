//! Facts about the request that a handler can query: its id, its trace context and its principal.

use std::fmt;

use crate::auth::principal::Principal;
use crate::context::Context;
use crate::protocol::id::IdKey;
use crate::protocol::trace_context::TraceContext;

/// The id of a request. The number 1 and the text `1` are different ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequestId {
    /// A number.
    Integer(i64),
    /// A text of at most 256 bytes.
    Text(Box<str>),
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Integer(number) => fmt::Display::fmt(number, formatter),
            RequestId::Text(text) => formatter.write_str(text),
        }
    }
}

impl From<IdKey> for RequestId {
    fn from(key: IdKey) -> RequestId {
        match key {
            IdKey::Integer(number) => RequestId::Integer(number),
            IdKey::Text(text) => RequestId::Text(text),
        }
    }
}

impl Context {
    /// Returns the authenticated principal that makes the request, or `None` if the transport has none, as on standard
    /// input and output.
    pub fn principal(&self) -> Option<&Principal> {
        self.request.as_ref()?.principal.as_deref()
    }

    /// Returns the id that the client gave the request. Handlers that this handler calls see the same id.
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::Context;
    /// # fn example(ctx: &Context) {
    /// if let Some(id) = ctx.request_id() {
    ///     ctx.info(format!("request {id} takes longer than usual"));
    /// }
    /// # }
    /// ```
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref().map(|request| &request.id)
    }

    /// Returns the trace that the request belongs to. A value that does not have the W3C's format counts as absent.
    ///
    /// The values come from the request's `_meta`. Over HTTP, values that are absent there are taken from the headers
    /// of the same names.
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::Context;
    /// # fn example(ctx: &Context) {
    /// if let Some(traceparent) = ctx.trace_context().traceparent {
    ///     // Send it along as a header of the same name.
    ///     # let _ = traceparent;
    /// }
    /// # }
    /// ```
    pub fn trace_context(&self) -> TraceContext {
        let own = TraceContext::from_meta(&self.meta());
        match self.request.as_ref().and_then(|request| request.transport_trace.as_deref()) {
            Some(of_transport) => own.or(of_transport),
            None => own,
        }
    }
}
