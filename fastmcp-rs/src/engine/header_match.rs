//! The values that a modern request carries twice: in its body, and in headers for intermediaries that do not read the
//! body.
//!
//! A server that reads the body must reject a request whose headers differ from it; otherwise, an intermediary and the
//! server could act on different values. The checks are steps of the sequence in `stateless.rs`; the transport provides
//! the headers.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::json::object::{self, MemberMap, string_value};
use crate::protocol::ProtocolMethod;
use crate::protocol::frame::Frame;
use crate::protocol::trace_context::TraceContext;
use crate::protocol::write::{RpcError, code};
use crate::registry::ToolEntry;

/// The headers of one message.
pub(crate) trait Headers {
    /// Returns the first value of a header, whose name is given in lower case, and another one if it occurs twice.
    fn first_values(&self, name: &str) -> [Option<&[u8]>; 2];

    /// Returns the value of a header, whose name is given in lower case.
    fn value(&self, name: &str) -> HeaderField<'_> {
        match self.first_values(name) {
            [None, _] => HeaderField::Absent,
            [Some(value), None] => HeaderField::Value(value),
            [Some(_), Some(_)] => HeaderField::Repeated,
        }
    }
}

/// The value of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderField<'a> {
    Absent,
    Value(&'a [u8]),
    /// The header occurs twice: two readers may use different values.
    Repeated,
}

pub(crate) const PROTOCOL_VERSION_HEADER: &str = "mcp-protocol-version";
pub(crate) const METHOD_HEADER: &str = "mcp-method";
pub(crate) const NAME_HEADER: &str = "mcp-name";
const PARAMETER_PREFIX: &str = "mcp-param-";

/// Checks that the version in the header equals the version in the body (step 2).
pub(crate) fn check_version(headers: &dyn Headers, version: &str) -> Result<(), RpcError> {
    check_header(
        "MCP-Protocol-Version",
        headers.value(PROTOCOL_VERSION_HEADER),
        "the version in `_meta`",
        version,
        false,
    )
}

/// Checks that the headers repeat the method, and the name of the component (step 4).
pub(crate) fn check_routing(
    headers: &dyn Headers,
    method: Option<ProtocolMethod>,
    method_name: &str,
    frame: &Frame<'_>,
) -> Result<(), RpcError> {
    check_header("Mcp-Method", headers.value(METHOD_HEADER), "`method`", method_name, false)?;
    let params = frame.params();
    let (name, what) = match method {
        Some(ProtocolMethod::CallTool | ProtocolMethod::GetPrompt) => {
            (params.and_then(|params| params.name), "`params.name`")
        }
        Some(ProtocolMethod::ReadResource) => (params.and_then(|params| params.uri), "`params.uri`"),
        _ => return Ok(()),
    };
    // A name that is missing or is not a string is rejected later, for that reason.
    match name.and_then(string_value) {
        Some(name) => check_header("Mcp-Name", headers.value(NAME_HEADER), what, &name, true),
        None => Ok(()),
    }
}

/// Checks the header of a notification, which may be absent, but must not name another method.
#[cfg(feature = "http")]
pub(crate) fn check_notification(headers: &dyn Headers, method: &str) -> Result<(), RpcError> {
    match headers.value(METHOD_HEADER) {
        HeaderField::Absent => Ok(()),
        value => check_header("Mcp-Method", value, "`method`", method, false),
    }
}

/// Returns the trace in the headers.
pub(crate) fn trace_context(headers: &dyn Headers) -> Option<Box<TraceContext>> {
    let trace = TraceContext::read(|name| match headers.value(name) {
        HeaderField::Value(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        HeaderField::Absent | HeaderField::Repeated => None,
    });
    (!trace.is_empty()).then(|| Box::new(trace))
}

fn check_header(
    header: &str,
    value: HeaderField<'_>,
    what: &str,
    expected: &str,
    may_be_encoded: bool,
) -> Result<(), RpcError> {
    if let HeaderField::Value(value) = value {
        // The bytes are equal, and none has a special meaning: there is nothing to trim and nothing to decode.
        let is_literal = |byte: &u8| matches!(byte, 0x21..=0x7E);
        if value == expected.as_bytes() && value.iter().all(is_literal) && !value.starts_with(b"=?") {
            return Ok(());
        }
    }
    let value = match single_value(header, value)? {
        Some(value) => value,
        None => return Err(mismatch_error(format!("the header `{header}` is missing; it must repeat {what}"))),
    };
    let value = if may_be_encoded { decode_value(header, value)? } else { Cow::Borrowed(value) };
    if value == expected {
        return Ok(());
    }
    Err(mismatch_error(format!("the header `{header}` is \"{}\", which differs from {what}", truncate(&value))))
}

/// Checks that the headers repeat the arguments that a tool mirrors into headers (step 7).
pub(crate) fn check_arguments(headers: &dyn Headers, tool: &ToolEntry, arguments: &str) -> Result<(), RpcError> {
    let mirrors = tool.mirrors();
    if mirrors.is_empty() {
        return Ok(());
    }
    for mirror in mirrors {
        let header = format!("Mcp-Param-{}", mirror.header);
        let value = headers.value(&format!("{PARAMETER_PREFIX}{}", mirror.header.to_ascii_lowercase()));
        let argument = argument_at(arguments, &mirror.path);
        let path = mirror.path.join(".");
        match (argument.as_deref(), single_value(&header, value)?) {
            (None | Some("null"), None) => {}
            (None | Some("null"), Some(_)) => {
                return Err(mismatch_error(format!(
                    "the header `{header}` is present, but the argument `{path}` is missing"
                )));
            }
            (Some(_), None) => {
                return Err(mismatch_error(format!(
                    "the header `{header}` is missing; it must repeat the argument `{path}`"
                )));
            }
            (Some(argument), Some(value)) => {
                let value = decode_value(&header, value)?;
                if !matches_argument(&value, argument) {
                    let text = format!(
                        "the header `{header}` is \"{}\", which differs from the argument `{path}`",
                        truncate(&value)
                    );
                    return Err(mismatch_error(text));
                }
            }
        }
    }
    Ok(())
}

/// Returns the JSON text at a path of members. Of duplicate members, the last is used; the call is rejected later.
fn argument_at(arguments: &str, path: &[Box<str>]) -> Option<String> {
    let mut text = arguments.to_owned();
    for member in path {
        text = object::read_members::<MemberMap>(&text).ok()?.0.remove(&**member)?;
    }
    Some(text)
}

/// Returns true if a header and a JSON value are equal. Numbers are compared by value.
fn matches_argument(header: &str, argument: &str) -> bool {
    match argument.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(argument).is_ok_and(|argument| argument == header),
        Some(b't' | b'f') => argument == header,
        Some(b'-' | b'0'..=b'9') => parse_integer(header).is_some_and(|header| parse_integer(argument) == Some(header)),
        _ => false,
    }
}

/// Parses a whole number on which all readers of JSON agree.
fn parse_integer(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0).then_some(number as i64)
}

/// Returns the text of a header that occurs at most once.
fn single_value<'a>(header: &str, value: HeaderField<'a>) -> Result<Option<&'a str>, RpcError> {
    let value = match value {
        HeaderField::Absent => return Ok(None),
        HeaderField::Repeated => return Err(mismatch_error(format!("the header `{header}` occurs twice"))),
        HeaderField::Value(value) => value,
    };
    if !value.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7E)) {
        return Err(mismatch_error(format!("the header `{header}` has non-ASCII characters; encode it in Base64")));
    }
    let value = std::str::from_utf8(value).unwrap_or_default();
    Ok(Some(value.trim_matches([' ', '\t'])))
}

/// Decodes `=?base64?…?=`; all other values are literal.
fn decode_value<'a>(header: &str, value: &'a str) -> Result<Cow<'a, str>, RpcError> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Ok(value.into());
    };
    let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map(Cow::Owned).ok_or_else(|| mismatch_error(format!("the header `{header}` is not UTF-8 text in Base64")))
}

/// Truncates text from the peer: an error is one short sentence.
fn truncate(value: &str) -> String {
    value.chars().take(128).collect()
}

fn mismatch_error(text: String) -> RpcError {
    RpcError::new(code::HEADER_MISMATCH, format!("Header mismatch: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_must_match_the_arguments() {
        for (header, argument) in [
            ("eu", r#""eu""#),
            ("42", "42"),
            ("42.0", "42"),
            ("42", "42.0"),
            ("4.2e1", "42"),
            ("-7", "-7"),
            ("true", "true"),
        ] {
            assert!(matches_argument(header, argument), "{header} {argument}");
        }
        for (header, argument) in [
            ("EU", r#""eu""#),
            ("43", "42"),
            ("42.5", "42"),
            ("True", "true"),
            ("inf", "1"),
            ("", "0"),
            ("1", r#""1 ""#),
            ("[1]", "[1]"),
        ] {
            assert!(!matches_argument(header, argument), "{header} {argument}");
        }
    }

    #[test]
    fn a_value_is_encoded_only_with_both_markers() {
        assert_eq!(decode_value("h", "=?base64?Z3LDvG4=?=").unwrap(), "grün");
        for literal in ["=?base64?Z3LDvG4=", "Z3LDvG4=?=", "=?BASE64?Z3LDvG4=?=", "plain"] {
            assert_eq!(decode_value("h", literal).unwrap(), literal);
        }
        for broken in ["=?base64?Z3LDvG4?=", "=?base64?Z3_Dv-4=?=", "=?base64?/w==?=", "=?base64?Z3 LDvG4=?="] {
            assert_eq!(decode_value("h", broken).unwrap_err().code, code::HEADER_MISMATCH, "{broken}");
        }
    }

    #[test]
    fn a_path_finds_its_argument() {
        let path: Vec<Box<str>> = vec!["to".into(), "region".into()];
        assert_eq!(argument_at(r#"{"to":{"region":"eu"}}"#, &path).as_deref(), Some("\"eu\""));
        assert_eq!(argument_at(r#"{"to":"eu"}"#, &path), None);
        assert_eq!(argument_at("{}", &path), None);
    }
}
