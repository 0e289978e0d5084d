//! The responses: what status an answer has, whether it is JSON or a stream, and what is said where there is none.

use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::super::config::SessionMode;
use super::super::limits::Exhausted;
use super::super::request::body::Unread;
use super::super::request::header_values::Accepted;
use super::super::sessions::Ending;
use super::body::ResponseBody;
use super::sse::EventStream;
use crate::engine::write_error;
use crate::json::object::text;
use crate::protocol::Revision;
use crate::protocol::frame::Frame;
use crate::protocol::write::{RpcError, code, strip_id};

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is sent back.
pub(crate) type Answer = Response<ResponseBody>;

/// A response of frames that are all there: JSON if it is one, or all that the client takes, and a stream otherwise.
pub(crate) fn ready(mut frames: Vec<u8>, accepted: Accepted, status: impl FnOnce(&[u8]) -> StatusCode) -> Answer {
    let end = frames.strip_suffix(b"\n").map_or(frames.len(), <[u8]>::len);
    let begin = memchr::memrchr(b'\n', &frames[..end]).map_or(0, |at| at + 1);
    let is_one = begin == 0;
    let status = status(&frames[begin..end]);
    // The status of a refusal matters more than the form.
    if (is_one && (accepted.json || status != StatusCode::OK)) || !accepted.events {
        frames.truncate(end);
        if !is_one {
            frames.drain(..begin);
        }
        return whole(status, frames);
    }
    event_stream(EventStream::of_frames(&frames))
}

/// The code of an answer that is an error. Frames are written here, so their members stand in a known order.
pub(crate) fn error_code(answer: &[u8], id: Option<&str>) -> Option<i32> {
    let rest = match id.and_then(|id| strip_id(answer, id)) {
        Some(rest) => rest.strip_prefix(b",")?,
        None => answer.strip_prefix(br#"{"jsonrpc":"2.0","#)?,
    };
    let rest = rest.strip_prefix(br#""error":{"code":"#)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    std::str::from_utf8(&rest[..length]).ok()?.parse().ok()
}

pub(crate) fn modern_status(
    answer: &[u8],
    id: Option<&str>,
    has_complete_envelope: impl FnOnce() -> bool,
) -> StatusCode {
    match error_code(answer, id) {
        None => StatusCode::OK,
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(
            code::PARSE_ERROR
            | code::INVALID_REQUEST
            | code::HEADER_MISMATCH
            | code::MISSING_CLIENT_CAPABILITY
            | code::UNSUPPORTED_PROTOCOL_VERSION,
        ) => StatusCode::BAD_REQUEST,
        Some(code::INVALID_PARAMS) if !has_complete_envelope() => StatusCode::BAD_REQUEST,
        Some(_) => StatusCode::OK,
    }
}

/// To a legacy client 404 means that its session is gone, so an unknown method is not one.
pub(crate) fn legacy_status(answer: &[u8], id: Option<&str>) -> StatusCode {
    match error_code(answer, id) {
        Some(code::PARSE_ERROR | code::INVALID_REQUEST) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

pub(crate) fn respond(status: StatusCode, body: ResponseBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// A response of one JSON text.
pub(crate) fn whole(status: StatusCode, mut json: Vec<u8>) -> Answer {
    if json.last() == Some(&b'\n') {
        json.pop();
    }
    let mut answer = respond(status, ResponseBody::whole(json));
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

pub(crate) fn event_stream(stream: EventStream) -> Answer {
    let mut answer = respond(StatusCode::OK, ResponseBody::events(stream));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    answer
}

/// A refusal that says nothing about eras: a client must not take it for an answer of a modern server.
pub(crate) fn refuse(status: StatusCode, message: &str) -> Answer {
    refuse_with(status, code::INVALID_REQUEST, message)
}

fn refuse_with(status: StatusCode, code: i32, message: &str) -> Answer {
    let mut out = Vec::new();
    write_error(&mut out, None, &RpcError::new(code, message));
    whole(status, out)
}

pub(crate) fn unavailable(message: &str) -> Answer {
    let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

pub(crate) fn too_many_messages(exhausted: Exhausted) -> Answer {
    unavailable(match exhausted {
        Exhausted::Globally => "Unavailable: too many messages are being served; try again",
        Exhausted::ForPeer => "Unavailable: too many messages of this client are being served; try again",
    })
}

pub(crate) fn too_many_sessions() -> Answer {
    unavailable("Unavailable: too many sessions are in use; try again")
}

pub(crate) fn unreadable(unread: &Unread, limit: usize) -> Answer {
    let mut answer = match unread {
        Unread::TooLarge => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("Invalid request: a message may have at most {limit} bytes"))
        }
        Unread::TooSlow => refuse(StatusCode::REQUEST_TIMEOUT, "Invalid request: the message did not come in time"),
        Unread::NoRoom => unavailable("Unavailable: too many large messages are being served; try again"),
        Unread::Broken => refuse(StatusCode::BAD_REQUEST, "Invalid request: the message broke off"),
    };
    // What is left of the body is not read.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

pub(crate) fn unsupported_media() -> Answer {
    refuse(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type: a message is sent as `Content-Type: application/json`",
    )
}

/// Refuses a message that would have to be decoded first: how large it is then, nobody knows before.
pub(crate) fn unsupported_encoding() -> Answer {
    let message = "Unsupported media type: a message is sent as it is, without `Content-Encoding`";
    let mut answer = refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    answer.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    answer
}

pub(crate) fn not_utf8() -> Answer {
    refuse_with(StatusCode::BAD_REQUEST, code::PARSE_ERROR, "Parse error: the message is not valid UTF-8")
}

pub(crate) fn session_gone() -> Answer {
    refuse(StatusCode::NOT_FOUND, "Invalid request: there is no such session (any more); begin with `initialize`")
}

/// The answer to a request whose session has ended before it was answered.
pub(crate) fn session_ended(ending: Ending, id: Option<&str>) -> Answer {
    let status = match ending {
        Ending::Removed => StatusCode::NOT_FOUND,
        Ending::Shutdown => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut out = Vec::new();
    write_error(&mut out, id, &ending.error());
    whole(status, out)
}

pub(crate) fn session_missing() -> Answer {
    refuse(
        StatusCode::BAD_REQUEST,
        "Invalid request: `Mcp-Session-Id` is missing; a client of an earlier revision begins with `initialize`, and a \
         modern one sends `_meta` with its protocol version",
    )
}

pub(crate) fn batch_refused() -> Answer {
    refuse(StatusCode::BAD_REQUEST, "Invalid request: a message is not an array")
}

/// A legacy message to a server that serves no legacy clients.
pub(crate) fn modern_only(frame: &Frame<'_>) -> Answer {
    let id = frame.id.and_then(crate::protocol::id::Id::parse);
    let supported: Vec<&str> = [Revision::V2026_07_28].iter().map(|revision| revision.as_str()).collect();
    let requested = frame.params().and_then(|params| params.protocol_version).and_then(text).unwrap_or_default();
    let error =
        RpcError::new(code::UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version: there are no sessions here");
    let error = error.with_data(&serde_json::json!({ "supported": supported, "requested": requested }));
    let mut out = Vec::new();
    write_error(&mut out, id.map(|id| id.as_str()), &error);
    whole(StatusCode::BAD_REQUEST, out)
}

pub(crate) fn method_not_allowed(sessions: SessionMode) -> Answer {
    let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED, "Invalid request: messages are sent by POST");
    let allowed = if sessions == SessionMode::Sessions { "POST, GET, DELETE" } else { "POST" };
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_code_of_a_response_is_found() {
        assert_eq!(
            error_code(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"x"}}"#, Some("7")),
            Some(-32020)
        );
        assert_eq!(error_code(br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#, Some("7")), Some(-32700));
        let forged = r#""\",\"error\":{\"code\":1}""#;
        let frame = format!(r#"{{"jsonrpc":"2.0","id":{forged},"result":{{}}}}"#);
        assert_eq!(error_code(frame.as_bytes(), Some(forged)), None);
        assert_eq!(error_code(br#"[{"jsonrpc":"2.0"}]"#, None), None);
    }
}
