//! The outcome of a request, read from the frame of its response.
//!
//! Handlers, layers and errors of the engine all end as one frame. So the outcome need not be tracked anywhere else,
//! and the frame is read only if the request is observed.

use std::borrow::Cow;

use crate::protocol::frame::is_tool_error;
use crate::protocol::write::strip_id;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestOutcome {
    Ok,
    /// A tool returned a failed result.
    ToolError,
    /// A JSON-RPC error of this code.
    Error(i32),
    /// The request got no response.
    Cancelled,
}

impl RequestOutcome {
    /// Reads the outcome from frames, the last of which is the response. `id` is the request's id as JSON text.
    pub(crate) fn from_frames(frames: &[u8], id: &str, is_tool_call: bool) -> RequestOutcome {
        let frames = frames.strip_suffix(b"\n").unwrap_or(frames);
        let answer = memchr::memrchr(b'\n', frames).map_or(frames, |at| &frames[at + 1..]);
        let Some(rest) = strip_id(answer, id) else { return RequestOutcome::Cancelled };
        if let Some(error) = rest.strip_prefix(br#","error":{"code":"#) {
            let end = error.iter().position(|byte| !matches!(byte, b'-' | b'0'..=b'9')).unwrap_or(error.len());
            let code = std::str::from_utf8(&error[..end]).ok().and_then(|code| code.parse().ok());
            return RequestOutcome::Error(code.unwrap_or_default());
        }
        match rest.strip_prefix(br#","result":"#).and_then(|result| result.strip_suffix(b"}")) {
            Some(result) if is_tool_call && std::str::from_utf8(result).is_ok_and(is_tool_error) => {
                RequestOutcome::ToolError
            }
            Some(_) => RequestOutcome::Ok,
            None => RequestOutcome::Cancelled,
        }
    }

    /// Returns the `error.type` of the conventions, or `None` for a success.
    pub(crate) fn error_type(self) -> Option<Cow<'static, str>> {
        match self {
            RequestOutcome::Ok => None,
            RequestOutcome::ToolError => Some("tool_error".into()),
            RequestOutcome::Error(code) => Some(code.to_string().into()),
            RequestOutcome::Cancelled => Some("cancelled".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RequestOutcome;

    #[test]
    fn the_last_frame_determines_the_outcome() {
        let of = |frames: &str| RequestOutcome::from_frames(frames.as_bytes(), "7", true);
        let note = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n";
        let ok = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"structuredContent":{"isError":true}}}"#;
        assert_eq!(of(ok), RequestOutcome::Ok);
        assert_eq!(of(&format!("{note}{ok}\n")), RequestOutcome::Ok);
        let quoted = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"\"isError\":true"}]}}"#;
        assert_eq!(of(quoted), RequestOutcome::Ok);
        let failed = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[],\"isError\":true}}\n";
        assert_eq!(of(failed), RequestOutcome::ToolError);
        assert_eq!(RequestOutcome::from_frames(failed.as_bytes(), "7", false), RequestOutcome::Ok);
        assert_eq!(
            of(r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"x"}}"#),
            RequestOutcome::Error(-32602)
        );
        assert_eq!(
            of(r#"{"jsonrpc":"2.0","id":70,"result":{}}"#),
            RequestOutcome::Cancelled,
            "it answers another request"
        );
        assert_eq!(of(""), RequestOutcome::Cancelled);
    }
}
