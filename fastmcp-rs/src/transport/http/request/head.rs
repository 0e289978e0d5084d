//! The head of a request, read once.
//!
//! A map of headers hashes a name for each question, and to go over it takes as long; a request is asked a dozen of
//! them. So all are answered in one walk. What decides whether the request may come in is asked at once, and only once:
//! that is its [`Entrance`]. What is asked later is its [`Head`], which stays in the future of the request until the
//! body has come, and is a few words long for that reason.
//!
//! Names are compared as they are, as those of a map are in lower case.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use super::header_values::{Accepted, is_json};
use crate::engine::{Headers, METHOD, Mirrored, NAME, PROTOCOL_VERSION};

/// The name of the header with the id of a session.
pub(crate) const SESSION_ID: &str = "mcp-session-id";

/// A header that is to be there once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    #[default]
    Absent,
    Once(&'a HeaderValue),
    /// Two readers may take different ones.
    Twice,
}

impl<'a> Found<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = match self {
            Found::Absent => Found::Once(value),
            Found::Once(_) | Found::Twice => Found::Twice,
        };
    }
}

/// What decides whether a request may come in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entrance<'a> {
    pub(crate) host: Found<'a>,
    pub(crate) origin: Found<'a>,
    /// The first `Sec-Fetch-Site`.
    pub(crate) site: Option<&'a HeaderValue>,
    pub(crate) has_length: bool,
    /// Whether a browser asks what it may do before it does it.
    pub(crate) asks_before: bool,
}

/// What a request is asked when it has come in.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// For those who ask for other names.
    all: &'a HeaderMap,
    /// The first value of each [`Kept`], and whether there are others: this is shorter than a [`Found`] of each.
    kept: [Option<&'a HeaderValue>; KEPT],
    is_twice: [bool; KEPT],
    pub(crate) accepted: Accepted,
    pub(crate) format: BodyFormat,
    pub(crate) is_chunked: bool,
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold secrets, such as the id of a session.
        formatter.debug_struct("Head").field("headers", &self.all.len()).finish_non_exhaustive()
    }
}

/// The format that the headers announce for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    /// JSON that is compressed, or else not sent as it is.
    EncodedJson,
    Other,
}

/// A header whose value is asked for later.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    Version,
    Session,
    Method,
    Name,
}

const KEPT: usize = 4;

/// Goes over the headers of a request.
pub(crate) fn read(all: &HeaderMap) -> (Entrance<'_>, Head<'_>) {
    let mut entrance = Entrance::default();
    let (mut media, mut named) = (Found::Absent, None);
    let mut head = Head {
        all,
        kept: [None; KEPT],
        is_twice: [false; KEPT],
        accepted: Accepted::ANYTHING,
        format: BodyFormat::Other,
        is_chunked: false,
    };
    let mut is_encoded = false;
    for (name, value) in all {
        let name = name.as_str();
        // The length first: nearly all that remains to be compared is then the one that it is.
        match name.len() {
            4 if name == "host" => entrance.host.add(value),
            6 if name == "accept" => named.get_or_insert(Accepted::NOTHING).add(value.as_bytes()),
            6 if name == "origin" => entrance.origin.add(value),
            8 if name == NAME => head.keep(Kept::Name, value),
            10 if name == METHOD => head.keep(Kept::Method, value),
            12 if name == "content-type" => media.add(value),
            14 if name == SESSION_ID => head.keep(Kept::Session, value),
            14 if name == "content-length" => entrance.has_length = true,
            14 if name == "sec-fetch-site" => entrance.site = entrance.site.or(Some(value)),
            16 if name == "content-encoding" => is_encoded |= !is_word(value, b"identity"),
            17 if name == "transfer-encoding" => {
                head.is_chunked = true;
                is_encoded |= !is_word(value, b"chunked");
            }
            20 if name == PROTOCOL_VERSION => head.keep(Kept::Version, value),
            29 if name == "access-control-request-method" => entrance.asks_before = true,
            _ => {}
        }
    }
    head.format = match media {
        Found::Once(value) if is_json(value.as_bytes()) => match is_encoded {
            false => BodyFormat::Json,
            true => BodyFormat::EncodedJson,
        },
        _ => BodyFormat::Other,
    };
    head.accepted = named.unwrap_or(head.accepted);
    (entrance, head)
}

impl<'a> Head<'a> {
    fn keep(&mut self, kept: Kept, value: &'a HeaderValue) {
        let place = kept as usize;
        self.is_twice[place] = self.kept[place].is_some();
        self.kept[place] = self.kept[place].or(Some(value));
    }

    pub(crate) fn found(&self, kept: Kept) -> Found<'a> {
        match self.kept[kept as usize] {
            None => Found::Absent,
            Some(_) if self.is_twice[kept as usize] => Found::Twice,
            Some(value) => Found::Once(value),
        }
    }

    /// The id of a session, if there is one that can be an id.
    pub(crate) fn session_id(&self) -> Option<&'a str> {
        match self.found(Kept::Session) {
            Found::Once(value) => visible(value).map(str::trim_ascii),
            Found::Absent | Found::Twice => None,
        }
    }
}

fn is_word(value: &HeaderValue, word: &[u8]) -> bool {
    value.as_bytes().trim_ascii().eq_ignore_ascii_case(word)
}

/// The text of a value that has only visible characters, blanks and tabs. A value has no others in ASCII, so this is
/// what `HeaderValue::to_str` gives, which takes longer where there is more than a word, as it looks at each byte.
fn visible(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii())
}

impl Headers for Head<'_> {
    fn value(&self, name: &str) -> Mirrored<'_> {
        let kept = match name {
            PROTOCOL_VERSION => Kept::Version,
            METHOD => Kept::Method,
            NAME => Kept::Name,
            _ => return self.all.value(name),
        };
        match self.found(kept) {
            Found::Absent => Mirrored::Absent,
            Found::Once(value) => Mirrored::Value(value.as_bytes()),
            Found::Twice => Mirrored::Twice,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

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
        let (entrance, head) = read(&map);
        assert_eq!((entrance.host, entrance.origin, entrance.site), (Found::Absent, Found::Absent, None));
        assert!(!entrance.has_length && !entrance.asks_before && !head.is_chunked && head.format == BodyFormat::Other);
        assert_eq!(head.accepted, Accepted::ANYTHING);
        for kept in [Kept::Version, Kept::Session, Kept::Method, Kept::Name] {
            assert_eq!(head.found(kept), Found::Absent);
        }
        assert_eq!((head.value(METHOD), head.session_id()), (Mirrored::Absent, None));
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
        let (entrance, head) = read(&map);
        let is = |found, text| matches!(found, Found::Once(value) if value == text);
        assert!(is(entrance.host, "localhost") && is(entrance.origin, "http://localhost"));
        assert!(entrance.site.is_some_and(|site| site == "same-origin"));
        assert!(entrance.has_length && entrance.asks_before && head.is_chunked && head.format == BodyFormat::Json);
        assert_eq!(head.accepted, Accepted { json: false, events: true });
        assert_eq!(head.value(PROTOCOL_VERSION), Mirrored::Value(b"2026-07-28"));
        assert_eq!(head.value(METHOD), Mirrored::Value(b"tools/call"));
        assert_eq!(head.value(NAME), Mirrored::Value(b"add"));
        assert_eq!(head.value("mcp-param-a"), Mirrored::Value(b"1"));
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
                read(&map(&[("content-type", "application/json"), (name, value)])).1.format,
                form,
                "{name}: {value}"
            );
        }
        let twice =
            [("content-encoding", "gzip"), ("content-type", "application/json"), ("content-encoding", "identity")];
        assert_eq!(read(&map(&twice)).1.format, BodyFormat::EncodedJson);
    }

    #[test]
    fn duplicate_headers_are_detected() {
        let names =
            ["host", "origin", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name", "mcp-param-a"];
        // Once more than twice is no less.
        for times in [2, 3, 4] {
            let pairs: Vec<_> = names.iter().cycle().take(names.len() * times).map(|name| (*name, "same")).collect();
            let map = map(&pairs);
            let (entrance, head) = read(&map);
            assert_eq!((entrance.host, entrance.origin), (Found::Twice, Found::Twice));
            for name in [PROTOCOL_VERSION, METHOD, NAME, "mcp-param-a"] {
                assert_eq!(head.value(name), Mirrored::Twice, "{name}");
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
        let (entrance, head) = read(&map);
        assert_eq!(head.accepted, Accepted { json: true, events: true });
        assert_eq!(head.format, BodyFormat::Other);
        assert!(entrance.site.is_some_and(|site| site == "none"));
    }

    #[test]
    fn visible_text_matches_to_str_of_the_http_crate() {
        for byte in 0..=255 {
            for bytes in [vec![byte], vec![b'a', byte], [&[byte], &b"0123456789abcdefghijklmnopqrstuv"[..]].concat()] {
                let Ok(value) = HeaderValue::from_bytes(&bytes) else { continue };
                assert_eq!(visible(&value), value.to_str().ok());
            }
        }
        assert_eq!(visible(&HeaderValue::from_str("grün").unwrap()), None);
    }

    #[test]
    fn a_head_is_small_in_memory() {
        assert!(size_of::<Head<'_>>() <= 6 * size_of::<usize>());
    }
}
