//! Reads the head of a request in one pass.
//!
//! A lookup in a header map hashes the name, and a walk over the map takes as long; each request needs a dozen headers.
//! So one walk collects all of them. The headers that decide access are checked at once, and only once: these are the
//! [`AccessHeaders`]. The headers that are needed later form the [`RequestHead`], which stays in the request's future
//! until the body has arrived, and is only a few words long for that reason.
//!
//! Names are compared without case conversion, as the names in a header map are in lower case.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use super::header_values::{AcceptedTypes, is_json};
use crate::engine::transport_api::{Headers, METHOD_HEADER, NAME_HEADER, PROTOCOL_VERSION_HEADER};

/// The name of the session id header.
pub(crate) const SESSION_ID: &str = "mcp-session-id";

/// A header that must occur at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SingleHeader<'a> {
    #[default]
    Absent,
    Once(&'a HeaderValue),
    /// Refused, because two readers may use different values.
    Twice,
}

impl<'a> SingleHeader<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = match self {
            SingleHeader::Absent => SingleHeader::Once(value),
            SingleHeader::Once(_) | SingleHeader::Twice => SingleHeader::Twice,
        };
    }
}

/// The headers that decide whether a request is admitted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AccessHeaders<'a> {
    pub(crate) host: SingleHeader<'a>,
    pub(crate) origin: SingleHeader<'a>,
    /// The first `Sec-Fetch-Site`.
    pub(crate) site: Option<&'a HeaderValue>,
    pub(crate) has_length: bool,
    /// Whether the request is a CORS preflight: it has `Access-Control-Request-Method`.
    pub(crate) is_preflight: bool,
}

/// The headers that an admitted request needs later.
#[derive(Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    /// All headers, for lookups of other names.
    all: &'a HeaderMap,
    /// The first value of each [`McpHeader`]; `is_twice` tells whether there are others. This is smaller than a
    /// [`SingleHeader`] each.
    header: [Option<&'a HeaderValue>; MCP_HEADERS],
    is_twice: [bool; MCP_HEADERS],
    pub(crate) accepted: AcceptedTypes,
    pub(crate) format: BodyFormat,
    pub(crate) is_chunked: bool,
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may contain secrets, such as a session id.
        formatter.debug_struct("Head").field("headers", &self.all.len()).finish_non_exhaustive()
    }
}

/// The format that the headers announce for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    /// JSON with a content or transfer encoding, such as compression.
    EncodedJson,
    Other,
}

/// A header whose value is needed after admission.
#[derive(Clone, Copy, Debug)]
pub(crate) enum McpHeader {
    Version,
    Session,
    Method,
    Name,
}

const MCP_HEADERS: usize = 4;

/// Reads the headers of a request in one pass.
pub(crate) fn read_headers(all: &HeaderMap) -> (AccessHeaders<'_>, RequestHead<'_>) {
    let mut access_headers = AccessHeaders::default();
    let (mut media, mut named) = (SingleHeader::Absent, None);
    let mut head = RequestHead {
        all,
        header: [None; MCP_HEADERS],
        is_twice: [false; MCP_HEADERS],
        accepted: AcceptedTypes::ANYTHING,
        format: BodyFormat::Other,
        is_chunked: false,
    };
    let mut is_encoded = false;
    for (name, value) in all {
        let name = name.as_str();
        // The length is compared first: then nearly every remaining comparison matches.
        match name.len() {
            4 if name == "host" => access_headers.host.add(value),
            6 if name == "accept" => named.get_or_insert(AcceptedTypes::NOTHING).add_value(value.as_bytes()),
            6 if name == "origin" => access_headers.origin.add(value),
            8 if name == NAME_HEADER => head.set_header(McpHeader::Name, value),
            10 if name == METHOD_HEADER => head.set_header(McpHeader::Method, value),
            12 if name == "content-type" => media.add(value),
            14 if name == SESSION_ID => head.set_header(McpHeader::Session, value),
            14 if name == "content-length" => access_headers.has_length = true,
            14 if name == "sec-fetch-site" => access_headers.site = access_headers.site.or(Some(value)),
            16 if name == "content-encoding" => is_encoded |= !equals_word(value, b"identity"),
            17 if name == "transfer-encoding" => {
                head.is_chunked = true;
                is_encoded |= !equals_word(value, b"chunked");
            }
            20 if name == PROTOCOL_VERSION_HEADER => head.set_header(McpHeader::Version, value),
            29 if name == "access-control-request-method" => access_headers.is_preflight = true,
            _ => {}
        }
    }
    head.format = match media {
        SingleHeader::Once(value) if is_json(value.as_bytes()) => match is_encoded {
            false => BodyFormat::Json,
            true => BodyFormat::EncodedJson,
        },
        _ => BodyFormat::Other,
    };
    head.accepted = named.unwrap_or(head.accepted);
    (access_headers, head)
}

impl<'a> RequestHead<'a> {
    /// Returns all headers.
    pub(crate) fn all(&self) -> &'a HeaderMap {
        self.all
    }

    fn set_header(&mut self, header: McpHeader, value: &'a HeaderValue) {
        let place = header as usize;
        self.is_twice[place] = self.header[place].is_some();
        self.header[place] = self.header[place].or(Some(value));
    }

    pub(crate) fn find_header(&self, header: McpHeader) -> SingleHeader<'a> {
        match self.header[header as usize] {
            None => SingleHeader::Absent,
            Some(_) if self.is_twice[header as usize] => SingleHeader::Twice,
            Some(value) => SingleHeader::Once(value),
        }
    }

    /// Returns the session id, if there is exactly one valid value.
    pub(crate) fn session_id(&self) -> Option<&'a str> {
        match self.find_header(McpHeader::Session) {
            SingleHeader::Once(value) => visible_text(value).map(str::trim_ascii),
            SingleHeader::Absent | SingleHeader::Twice => None,
        }
    }
}

fn equals_word(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().trim_ascii().eq_ignore_ascii_case(word)
}

/// Returns the text of a value that has only visible ASCII characters, spaces and tabs. Header values contain no other
/// ASCII characters, so the result equals that of `HeaderValue::to_str`, which is slower for longer values, as it
/// checks each byte.
fn visible_text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii())
}

impl Headers for RequestHead<'_> {
    fn first_values(&self, name: &str) -> [Option<&[u8]>; 2] {
        let header = match name {
            PROTOCOL_VERSION_HEADER => McpHeader::Version,
            METHOD_HEADER => McpHeader::Method,
            NAME_HEADER => McpHeader::Name,
            _ => return self.all.first_values(name),
        };
        match self.find_header(header) {
            SingleHeader::Absent => [None, None],
            SingleHeader::Once(value) => [Some(value.as_bytes()), None],
            SingleHeader::Twice => [Some(b""), Some(b"")],
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::engine::transport_api::HeaderField;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn an_empty_head_has_no_values() {
        let map = map(&[("user-agent", "x"), ("hosts", "x"), ("x-host", "x")]);
        let (access_headers, head) = read_headers(&map);
        assert_eq!(
            (access_headers.host, access_headers.origin, access_headers.site),
            (SingleHeader::Absent, SingleHeader::Absent, None)
        );
        assert!(
            !access_headers.has_length
                && !access_headers.is_preflight
                && !head.is_chunked
                && head.format == BodyFormat::Other
        );
        assert_eq!(head.accepted, AcceptedTypes::ANYTHING);
        for header in [McpHeader::Version, McpHeader::Session, McpHeader::Method, McpHeader::Name] {
            assert_eq!(head.find_header(header), SingleHeader::Absent);
        }
        assert_eq!((head.value(METHOD_HEADER), head.session_id()), (HeaderField::Absent, None));
    }

    #[test]
    fn every_header_of_a_full_head_is_parsed() {
        let map = map(&[
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "same-origin"),
            ("content-length", "2"),
            ("transfer-encoding", "chunked"),
            ("access-control-request-method", "POST"),
            ("content-type", "application/json"),
            ("accept", "text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-session-id", " id\t"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "add"),
            ("mcp-param-a", "1"),
        ]);
        let (access_headers, head) = read_headers(&map);
        let is = |found, text| matches!(found, SingleHeader::Once(value) if value == text);
        assert!(is(access_headers.host, "localhost") && is(access_headers.origin, "http://localhost"));
        assert!(access_headers.site.is_some_and(|site| site == "same-origin"));
        assert!(
            access_headers.has_length
                && access_headers.is_preflight
                && head.is_chunked
                && head.format == BodyFormat::Json
        );
        assert_eq!(head.accepted, AcceptedTypes { json: false, events: true });
        assert_eq!(head.value(PROTOCOL_VERSION_HEADER), HeaderField::Value(b"2026-07-28"));
        assert_eq!(head.value(METHOD_HEADER), HeaderField::Value(b"tools/call"));
        assert_eq!(head.value(NAME_HEADER), HeaderField::Value(b"add"));
        assert_eq!(head.value("mcp-param-a"), HeaderField::Value(b"1"));
        assert_eq!(head.session_id(), Some("id"));
    }

    #[test]
    fn an_encoded_body_is_detected() {
        for (name, value, expected) in [
            ("content-encoding", "identity", false),
            ("content-encoding", " Identity ", false),
            ("content-encoding", "gzip", true),
            ("content-encoding", "identity, br", true),
            ("content-encoding", "", true),
            ("transfer-encoding", "Chunked", false),
            ("transfer-encoding", "gzip, chunked", true),
        ] {
            let form = if expected { BodyFormat::EncodedJson } else { BodyFormat::Json };
            assert_eq!(
                read_headers(&map(&[("content-type", "application/json"), (name, value)])).1.format,
                form,
                "{name}: {value}"
            );
        }
        let twice =
            [("content-encoding", "gzip"), ("content-type", "application/json"), ("content-encoding", "identity")];
        assert_eq!(read_headers(&map(&twice)).1.format, BodyFormat::EncodedJson);
    }

    #[test]
    fn duplicate_headers_are_detected() {
        let names =
            ["host", "origin", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name", "mcp-param-a"];
        // Three or four occurrences count as repeated, too.
        for timeouts in [2, 3, 4] {
            let pairs: Vec<_> = names.iter().cycle().take(names.len() * timeouts).map(|name| (*name, "same")).collect();
            let map = map(&pairs);
            let (access_headers, head) = read_headers(&map);
            assert_eq!((access_headers.host, access_headers.origin), (SingleHeader::Twice, SingleHeader::Twice));
            for name in [PROTOCOL_VERSION_HEADER, METHOD_HEADER, NAME_HEADER, "mcp-param-a"] {
                assert_eq!(head.value(name), HeaderField::Repeated, "{name}");
            }
            assert_eq!(head.session_id(), None);
        }
        let map = map(&[
            ("accept", "application/json"),
            ("accept", "text/event-stream"),
            ("content-type", "application/json"),
            ("content-type", "application/json"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "cross-site"),
        ]);
        let (access_headers, head) = read_headers(&map);
        assert_eq!(head.accepted, AcceptedTypes { json: true, events: true });
        assert_eq!(head.format, BodyFormat::Other);
        assert!(access_headers.site.is_some_and(|site| site == "none"));
    }

    #[test]
    fn visible_text_matches_to_str_of_the_http_crate() {
        for byte in 0..=255 {
            for bytes in [vec![byte], vec![b'a', byte], [&[byte], &b"0123456789abcdefghijklmnopqrstuv"[..]].concat()] {
                let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
                assert_eq!(visible_text(&value), value.to_str().ok());
            }
        }
        assert_eq!(visible_text(&HeaderValue::from_str("grün").unwrap()), None);
    }

    #[test]
    fn a_head_is_small_in_memory() {
        assert!(size_of::<RequestHead<'_>>() <= 6 * size_of::<usize>());
    }
}
