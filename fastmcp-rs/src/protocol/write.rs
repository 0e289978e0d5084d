//! Writing frames, straight into the buffer that goes out.

use serde::Serialize;

use super::method::ProtocolMethod;
use crate::json::encode::{write_json, write_string};
use crate::json::{dual_serializer, separators};

/// The JSON-RPC error codes that a server may use.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic>
pub(crate) mod code {
    pub(crate) const PARSE_ERROR: i32 = -32700;
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    pub(crate) const INVALID_PARAMS: i32 = -32602;
    pub(crate) const INTERNAL_ERROR: i32 = -32603;
    /// For legacy peers only: a modern one gets "invalid params".
    pub(crate) const RESOURCE_NOT_FOUND: i32 = -32002;
    pub(crate) const HEADER_MISMATCH: i32 = -32020;
    pub(crate) const MISSING_CLIENT_CAPABILITY: i32 = -32021;
    pub(crate) const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;
}

/// A JSON-RPC error, before it knows whose answer it is.
#[derive(Debug)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) message: String,
    /// JSON text.
    pub(crate) data: Option<String>,
}

impl RpcError {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        RpcError { code, message: message.into(), data: None }
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        RpcError::new(code::INVALID_PARAMS, message)
    }

    pub(crate) fn with_data(mut self, data: &impl Serialize) -> Self {
        self.data = dual_serializer::to_string(data).ok();
        self
    }
}

/// Appends JSON that was written elsewhere.
pub(crate) fn raw(out: &mut Vec<u8>, json: &str) {
    separators::append(out, json.as_bytes());
}

/// Appends `{"jsonrpc":"2.0","id":…,"result":`, to be followed by the result and a closing brace.
pub(crate) fn begin_result(out: &mut Vec<u8>, id: &str) {
    begin_frame(out, id);
    out.extend_from_slice(br#","result":"#);
}

/// Appends `{"jsonrpc":"2.0","id":…`.
pub(crate) fn begin_frame(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    append_id(out, id);
}

/// Appends a notification up to its method: `{"jsonrpc":"2.0","method":"…"`.
#[inline]
pub(crate) fn begin_notification(out: &mut Vec<u8>, method: ProtocolMethod) {
    out.extend_from_slice(method.notification_start().as_bytes());
}

/// Appends the id of a request or a progress token, as its peer has written it.
pub(crate) fn append_id(out: &mut Vec<u8>, id: &str) {
    match id.as_bytes() {
        [b'"', ..] => raw(out, id),
        digits => out.extend_from_slice(digits),
    }
}

/// Appends a whole answer whose result is `result`, a JSON text.
pub(crate) fn write_result(out: &mut Vec<u8>, id: &str, result: &[u8]) {
    begin_result(out, id);
    out.extend_from_slice(result);
    out.push(b'}');
}

/// Appends a whole error answer. Without a legible id there is no `id` member.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&str>, error: &RpcError) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.extend_from_slice(br#""id":"#);
        append_id(out, id);
        out.push(b',');
    }
    out.extend_from_slice(br#""error":{"code":"#);
    let _ = write_json(out, &error.code);
    out.extend_from_slice(br#","message":"#);
    write_string(out, &error.message);
    if let Some(data) = &error.data {
        out.extend_from_slice(br#","data":"#);
        out.extend_from_slice(data.as_bytes());
    }
    out.extend_from_slice(b"}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_serde_would() {
        let mut texts: Vec<String> = (0..0x180u32).filter_map(char::from_u32).map(|c| format!("{c}")).collect();
        texts.extend(['\u{2027}', '\u{2028}', '\u{2029}', '\u{202A}', '\u{2085}'].map(String::from));
        texts.push(texts.concat());
        texts.push(format!("{}\n{}", "long ".repeat(100), texts.concat()));
        for text in texts {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            let expected = serde_json::to_string(&text).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), separators::escaped(&expected));
        }
    }

    #[test]
    fn an_error_without_an_id_has_no_id_member() {
        let mut out = Vec::new();
        write_error(&mut out, None, &RpcError::new(code::PARSE_ERROR, "not \"JSON\""));
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"not \"JSON\""}}"#);
    }
}
