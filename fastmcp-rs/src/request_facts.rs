//! Facts about the request that a handler can query: its id, its trace context and its principal.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::context::Context;
use crate::principal::Principal;
use crate::protocol::id::Key;

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

impl From<Key> for RequestId {
    fn from(key: Key) -> RequestId {
        match key {
            Key::Integer(number) => RequestId::Integer(number),
            Key::Text(text) => RequestId::Text(text),
        }
    }
}

/// The distributed trace that a request belongs to, in the formats of the W3C.
///
/// Pass it on to the services that a handler calls.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic#_meta>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// `traceparent`: version, trace id, parent id and flags, such as
    /// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
    pub traceparent: Option<String>,
    /// `tracestate`, which is present only with `traceparent`.
    pub tracestate: Option<String>,
    /// The application-defined properties of the trace, as in the header `baggage`.
    pub baggage: Option<String>,
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
        let own = TraceContext::of_meta(&self.meta());
        match self.request.as_ref().and_then(|request| request.transport_trace.as_deref()) {
            Some(of_transport) => own.or(of_transport),
            None => own,
        }
    }
}

impl TraceContext {
    /// Reads the values by their names, and drops values that do not have the W3C's format.
    pub(crate) fn read<'a>(text: impl Fn(&str) -> Option<Cow<'a, str>>) -> TraceContext {
        let text = |name: &str| text(name).filter(|text| is_printable(text)).map(Cow::into_owned);
        let traceparent = text("traceparent").filter(|text| is_traceparent(text));
        // The W3C's specification: `tracestate` has no meaning without `traceparent`.
        let tracestate = traceparent.as_ref().and_then(|_| text("tracestate"));
        TraceContext { tracestate, baggage: text("baggage"), traceparent }
    }

    /// Reads the trace context in the `_meta` of a request.
    pub(crate) fn of_meta(meta: &Map<String, Value>) -> TraceContext {
        TraceContext::read(|name| Some(meta.get(name)?.as_str()?.into()))
    }

    /// Fills absent values from another trace context. `traceparent` and `tracestate` are taken together.
    pub(crate) fn or(mut self, other: &TraceContext) -> TraceContext {
        if self.traceparent.is_none() {
            self.traceparent.clone_from(&other.traceparent);
            self.tracestate.clone_from(&other.tracestate);
        }
        if self.baggage.is_none() {
            self.baggage.clone_from(&other.baggage);
        }
        self
    }

    /// Returns true if no value is present.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn is_empty(&self) -> bool {
        self.traceparent.is_none() && self.baggage.is_none()
    }
}

/// Returns true if a text can be the value of a header.
fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

/// Returns true if a text is a valid
/// [`traceparent`](https://www.w3.org/TR/trace-context/#traceparent-header-field-values).
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut field = |length: usize, may_be_zero: bool| {
        parts.next().is_some_and(|part| {
            let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            part.len() == length && is_hex && (may_be_zero || part.bytes().any(|byte| byte != b'0'))
        })
    };
    let is_complete = field(2, true) && field(32, false) && field(16, false) && field(2, true);
    // Later versions may have more fields; version `ff` is invalid.
    is_complete && !text.starts_with("ff") && (parts.next().is_none() || !text.starts_with("00"))
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    #[test]
    fn only_w3c_values_are_a_traceparent() {
        for good in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later",
        ] {
            assert!(is_traceparent(good), "{good}");
        }
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}
