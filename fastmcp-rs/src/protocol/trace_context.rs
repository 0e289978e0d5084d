//! The distributed trace of a request: `traceparent`, `tracestate` and `baggage`.

use std::borrow::Cow;

use serde_json::{Map, Value};

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
    pub(crate) fn from_meta(meta: &Map<String, Value>) -> TraceContext {
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
    pub(crate) fn is_empty(&self) -> bool {
        self.traceparent.is_none() && self.baggage.is_none()
    }
}

/// Returns true if a text can be the value of a header.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

/// Returns true if a text is a valid
/// [`traceparent`](https://www.w3.org/TR/trace-context/#traceparent-header-field-values).
pub(crate) fn is_traceparent(text: &str) -> bool {
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
