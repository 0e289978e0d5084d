//! Parses header values, and looks up headers that are not part of a [`RequestHead`](super::head::RequestHead).

use http::{HeaderMap, HeaderValue};

use crate::engine::transport_api::Headers;

impl Headers for HeaderMap {
    fn first_values(&self, name: &str) -> [Option<&[u8]>; 2] {
        let mut values = values_of(self, name).map(HeaderValue::as_bytes);
        [values.next(), values.next()]
    }
}

/// Returns the values of the header `name`, which is in lower case. A request has so few headers that a linear search is
/// faster than hashing the name.
fn values_of<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a HeaderValue> {
    headers.iter().filter(move |(known, _)| known.as_str() == name).map(|(_, value)| value)
}

const USUAL_ACCEPT: &[u8] = b"application/json, text/event-stream";

/// Returns whether a content type is JSON.
pub(crate) fn is_json(value: &[u8]) -> bool {
    if value == b"application/json" {
        return true;
    }
    let essence = value.split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The media types that a client accepts as a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcceptedTypes {
    pub(crate) json: bool,
    pub(crate) events: bool,
}

impl AcceptedTypes {
    /// The types that a client without an `Accept` header accepts.
    pub(crate) const ANYTHING: AcceptedTypes = AcceptedTypes { json: true, events: true };
    /// The initial value, before the first `Accept` header.
    pub(crate) const NOTHING: AcceptedTypes = AcceptedTypes { json: false, events: false };

    /// Adds the types of one `Accept` header; a request may have several.
    pub(crate) fn add_value(&mut self, value: &[u8]) {
        if value == USUAL_ACCEPT {
            // This is the exact value that the specification shows.
            *self = AcceptedTypes::ANYTHING;
            return;
        }
        for range in value.split(|&byte| byte == b',') {
            self.add_range(range);
        }
    }

    fn add_range(&mut self, range: &[u8]) {
        let mut parts = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let essence = parts.next().unwrap_or_default();
        // `q=0`, `q=0.0` and so on exclude a type.
        let refused = parts.any(|part| {
            let weight = part.strip_prefix(b"q=").or(part.strip_prefix(b"Q="));
            weight.is_some_and(|weight| !weight.is_empty() && weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
        });
        if refused {
            return;
        }
        let is = |range: &[u8]| essence.eq_ignore_ascii_case(range);
        if is(b"*/*") {
            *self = AcceptedTypes::ANYTHING;
        } else if is(b"application/json") || is(b"application/*") {
            self.json = true;
        } else if is(b"text/event-stream") || is(b"text/*") {
            self.events = true;
        }
    }
}

/// Returns the text of a header that occurs once and is visible ASCII.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = values_of(headers, name);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_media_types_are_json() {
        for good in ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in [
            "text/plain",
            "application/json5",
            "",
            "application/x-www-form-urlencoded",
            "text/plain; application/json",
            "application/jsonp",
        ] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_accept_header_is_read_by_media_type_and_quality() {
        let read = |value: &str| {
            let mut accepted = AcceptedTypes::NOTHING;
            accepted.add_value(value.as_bytes());
            (accepted.json, accepted.events)
        };
        assert_eq!(read("application/json, text/event-stream"), (true, true));
        assert_eq!(read("*/*"), (true, true));
        assert_eq!(read("text/event-stream"), (false, true));
        assert_eq!(read("Application/JSON;q=0.5"), (true, false));
        assert_eq!(read("application/json;q=0, text/event-stream;q=0.1"), (false, true));
        assert_eq!(read("image/png"), (false, false));
    }
}
