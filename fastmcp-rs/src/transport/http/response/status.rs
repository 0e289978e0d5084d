//! Construction of responses: status, headers, JSON or stream, and the errors without a result.

use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::super::config::SessionMode;
use super::super::limits::PermitError;
use super::super::request::body::BodyError;
use super::super::request::header_values::AcceptedTypes;
use super::super::sessions::SessionEnd;
use super::body::ResponseBody;
use super::sse::EventStream;
use crate::engine::transport_api::write_error;
use crate::json::object::string_value;
use crate::protocol::frame::Frame;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, Revision};

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response of the service.
pub(crate) type HttpResponse = Response<ResponseBody>;

/// Creates a response of frames that are all there: a stream if there are several and the client accepts streams, and
/// otherwise JSON, with the last frame alone.
pub(crate) fn frames_response(mut frames: Vec<u8>, accepted: AcceptedTypes, status: StatusCode) -> HttpResponse {
    let end = frames.strip_suffix(b"\n").map_or(frames.len(), <[u8]>::len);
    let begin = memchr::memrchr(b'\n', &frames[..end]).map_or(0, |at| at + 1);
    let is_one = begin == 0;
    // The status of a refusal matters more than the form of the response.
    if (is_one && (accepted.json || status != StatusCode::OK)) || !accepted.events {
        frames.truncate(end);
        if !is_one {
            frames.drain(..begin);
        }
        return json_response(status, frames);
    }
    event_stream(EventStream::from_frames(&frames))
}

/// Returns the status of a response to a modern client, which may be an error.
pub(crate) fn modern_status(error: Option<i32>, has_complete_envelope: impl FnOnce() -> bool) -> StatusCode {
    match error {
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

/// Returns the status of a response to a legacy client. Such a client takes 404 for the end of its session, so an
/// unknown method is answered with 200.
pub(crate) fn legacy_status(error: Option<i32>) -> StatusCode {
    match error {
        Some(code::PARSE_ERROR | code::INVALID_REQUEST) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

pub(crate) fn respond(status: StatusCode, body: ResponseBody) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Creates a response of one JSON text.
pub(crate) fn json_response(status: StatusCode, mut json: Vec<u8>) -> HttpResponse {
    if json.last() == Some(&b'\n') {
        json.pop();
    }
    let mut response = respond(status, ResponseBody::whole(json));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(crate) fn event_stream(stream: EventStream) -> HttpResponse {
    let mut response = respond(StatusCode::OK, ResponseBody::events(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Creates a refusal that contains nothing about eras, because a client must not take it for the response of a modern
/// server.
pub(crate) fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    refuse_with_code(status, code::INVALID_REQUEST, message)
}

fn refuse_with_code(status: StatusCode, code: i32, message: &str) -> HttpResponse {
    let mut out = Vec::new();
    write_error(&mut out, None, &RpcError::new(code, message));
    json_response(status, out)
}

pub(crate) fn unavailable(message: &str) -> HttpResponse {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, message);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

pub(crate) fn too_many_messages(exhausted: PermitError) -> HttpResponse {
    unavailable(match exhausted {
        PermitError::Globally => "Unavailable: too many messages are in progress; try again later",
        PermitError::ForPeer => "Unavailable: too many messages of this client are in progress; try again later",
    })
}

pub(crate) fn too_many_sessions() -> HttpResponse {
    unavailable("Unavailable: too many sessions are in use; try again later")
}

pub(crate) fn body_error_response(unread: &BodyError, limit: usize) -> HttpResponse {
    let mut response = match unread {
        BodyError::TooLarge => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("Invalid request: the message has more than {limit} bytes"))
        }
        BodyError::TooSlow => {
            refuse(StatusCode::REQUEST_TIMEOUT, "Invalid request: the message did not arrive in time")
        }
        BodyError::NoMemory => unavailable("Unavailable: too many large messages are in progress; try again later"),
        BodyError::Broken => refuse(StatusCode::BAD_REQUEST, "Invalid request: the message is incomplete"),
    };
    // The rest of the body is not read.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(crate) fn unsupported_media() -> HttpResponse {
    refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type: `Content-Type` must be application/json")
}

/// Refuses a message with a content encoding, because its decoded size is unknown in advance.
pub(crate) fn unsupported_encoding() -> HttpResponse {
    let message = "Unsupported media type: `Content-Encoding` is not supported";
    let mut response = refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}

pub(crate) fn not_utf8() -> HttpResponse {
    refuse_with_code(StatusCode::BAD_REQUEST, code::PARSE_ERROR, "Parse error: the message is not valid UTF-8")
}

pub(crate) fn session_gone() -> HttpResponse {
    refuse(StatusCode::NOT_FOUND, "Invalid request: unknown or expired session; begin with `initialize`")
}

/// Creates the response to a request whose session ended first.
pub(crate) fn session_ended(ending: SessionEnd, id: Option<&str>) -> HttpResponse {
    let status = match ending {
        SessionEnd::Removed => StatusCode::NOT_FOUND,
        SessionEnd::Shutdown => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut out = Vec::new();
    write_error(&mut out, id, &ending.error());
    json_response(status, out)
}

pub(crate) fn session_missing() -> HttpResponse {
    refuse(
        StatusCode::BAD_REQUEST,
        "Invalid request: `Mcp-Session-Id` is missing; clients before 2026-07-28 begin with `initialize`, and later \
         ones send their protocol version in `_meta`",
    )
}

pub(crate) fn batch_refused() -> HttpResponse {
    refuse(StatusCode::BAD_REQUEST, "Invalid request: batches are not supported here; send one JSON object")
}

/// Refuses a legacy message on a server that supports modern clients only.
pub(crate) fn modern_only(frame: &Frame<'_>) -> HttpResponse {
    let id = frame.id.and_then(crate::protocol::id::Id::parse);
    let supported: Vec<&str> = Revision::ALL
        .iter()
        .filter(|revision| revision.has(Feature::Stateless))
        .map(|revision| revision.as_str())
        .collect();
    let requested =
        frame.params().and_then(|params| params.protocol_version).and_then(string_value).unwrap_or_default();
    let error =
        RpcError::new(code::UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version: this server has no sessions");
    let error = error.with_data(&serde_json::json!({ "supported": supported, "requested": requested }));
    let mut out = Vec::new();
    write_error(&mut out, id.map(|id| id.as_str()), &error);
    json_response(StatusCode::BAD_REQUEST, out)
}

pub(crate) fn method_not_allowed(sessions: SessionMode) -> HttpResponse {
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "Invalid request: send messages with POST");
    let allowed = if sessions == SessionMode::Sessions { "POST, GET, DELETE" } else { "POST" };
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
