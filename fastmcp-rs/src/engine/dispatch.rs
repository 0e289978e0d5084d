//! Passes a frame to the code that handles it: as a response, a notification, or a request of one of the two eras.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use serde_json::Value;

use super::call::DispatchResult;
use super::call::input_required::MAX_RESPONSES_BYTES;
use super::connection::Connection;
use super::http_exchange::HttpExchange;
use super::request::{EarlierAdmission, IncomingMessage, IncomingRequest};
use super::request_span::start_instrumentation;
use super::response::{ResponseStatus, write_error, write_error_without_id};
use super::{malformed, session, stateless, subscriptions};
use crate::json::object::{Raw, string_value};
use crate::protocol::ProtocolMethod;
use crate::protocol::frame::Frame;
use crate::protocol::id::{Id, IdKey};
use crate::protocol::write::{RpcError, code};

/// A frame by its kind.
enum FrameKind<'a> {
    Request {
        id: Id<'a>,
        method: Cow<'a, str>,
    },
    Notification {
        method: Cow<'a, str>,
    },
    /// A response of the client, with the id of its request, if that can be read.
    Response {
        id: Option<Id<'a>>,
    },
}

/// The reason why a frame is of no kind.
struct InvalidFrame<'a> {
    id: Option<Id<'a>>,
    reason: &'static str,
}

/// Passes a frame to the code that handles it.
pub(super) fn dispatch_frame(
    message: IncomingMessage<'_>,
    frame: &Frame<'_>,
    admission: EarlierAdmission,
    out: &mut Vec<u8>,
) -> DispatchResult {
    let IncomingMessage { connection, registry, text, exchange } = message;
    match classify(frame) {
        Ok(FrameKind::Request { id, method }) => {
            let (permit, is_batch_member) = match admission {
                EarlierAdmission::None => (None, false),
                EarlierAdmission::Permit(permit) => (Some(permit), false),
                EarlierAdmission::Batch => (None, true),
            };
            let request = IncomingRequest {
                connection,
                registry,
                message: text,
                frame,
                id,
                method: ProtocolMethod::parse(&method),
                method_name: &method,
                arguments: OnceCell::new(),
                permit: Cell::new(permit),
                is_batch_member,
                exchange,
                instrumentation: None,
            };
            if connection.server.is_instrumented() { answer_observed(request, out) } else { answer(&request, out) }
        }
        Ok(FrameKind::Notification { method }) => {
            handle_notification(connection, ProtocolMethod::parse(&method), frame, out);
            DispatchResult::Done(ResponseStatus::None)
        }
        Ok(FrameKind::Response { id }) => DispatchResult::Done(handle_response(connection, id, frame, exchange, out)),
        Err(InvalidFrame { id, reason }) => DispatchResult::Done(malformed::reject_frame(connection, id, reason, out)),
    }
}

fn classify<'a>(frame: &Frame<'a>) -> Result<FrameKind<'a>, InvalidFrame<'a>> {
    let id = match frame.id.map(Id::parse) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) if frame.method.is_none() => return Ok(FrameKind::Response { id: None }),
        Some(None) => {
            let reason = "Invalid request: `id` must be a string of at most 256 bytes, or a signed 64-bit integer";
            return Err(InvalidFrame { id: None, reason });
        }
    };
    if !frame.jsonrpc.is_some_and(is_version_two) {
        return Err(InvalidFrame { id, reason: "Invalid request: `jsonrpc` must be \"2.0\"" });
    }
    let Some(method) = frame.method else {
        if frame.result.is_none() && frame.error.is_none() {
            return Err(InvalidFrame { id, reason: "Invalid request: `method` is missing" });
        }
        return Ok(FrameKind::Response { id });
    };
    let Some(method) = string_value(method) else {
        return Err(InvalidFrame { id, reason: "Invalid request: `method` must be a string" });
    };
    Ok(match id {
        Some(id) => FrameKind::Request { id, method },
        None => FrameKind::Notification { method },
    })
}

/// Returns true if a member is `"2.0"`, which may be spelled with escapes.
fn is_version_two(jsonrpc: Raw<'_>) -> bool {
    jsonrpc.get() == r#""2.0""# || string_value(jsonrpc).is_some_and(|text| text == "2.0")
}

/// Answers a request in the manner of its era.
#[inline(always)]
fn answer(request: &IncomingRequest<'_>, out: &mut Vec<u8>) -> DispatchResult {
    let dispatched =
        if request.names_revision() { stateless::dispatch(request, out) } else { session::dispatch(request, out) };
    dispatched.unwrap_or_else(|error| DispatchResult::Done(write_error(out, request.id.as_str(), &error)))
}

/// Answers a request whose span or metrics are recorded.
#[cold]
fn answer_observed(request: IncomingRequest<'_>, out: &mut Vec<u8>) -> DispatchResult {
    let mut instrumentation = start_instrumentation(&request);
    let mut dispatched = {
        let _entered = instrumentation.enter();
        answer(&IncomingRequest { instrumentation: Some(&instrumentation), ..request }, out)
    };
    match &mut dispatched {
        DispatchResult::Done(status) => instrumentation.record_status(*status),
        DispatchResult::Pending(call) => {
            instrumentation.mark_running();
            call.set_instrumentation(instrumentation);
        }
    }
    dispatched
}

fn handle_notification(connection: &Connection, method: Option<ProtocolMethod>, frame: &Frame<'_>, out: &mut Vec<u8>) {
    match method {
        Some(ProtocolMethod::Cancelled) => cancel_request(connection, frame),
        // Requests are served even before this notification arrives.
        Some(ProtocolMethod::Initialized) => subscriptions::start_session_notifications(connection, out),
        _ => {}
    }
}

fn cancel_request(connection: &Connection, frame: &Frame<'_>) {
    let params = frame.params();
    let Some(id) = params.and_then(|params| params.request_id).and_then(Id::parse) else { return };
    let reason = params.and_then(|params| params.reason).and_then(string_value).unwrap_or_default();
    tracing::debug!(target: "fastmcp_rs", "request {} is cancelled: {reason}", id.as_str());
    let key = id.key();
    // The order matters: a subscription that is being opened checks its id last.
    connection.in_flight().cancel(&key);
    connection.feed().close_subscription(&key);
}

/// Passes the client's response to the call that waits for it.
fn handle_response(
    connection: &Connection,
    id: Option<Id<'_>>,
    frame: &Frame<'_>,
    exchange: Option<&HttpExchange<'_>>,
    out: &mut Vec<u8>,
) -> ResponseStatus {
    match id.map(|id| id.key()) {
        Some(IdKey::Integer(id)) if was_requested(connection, id) => resolve_client_request(connection, id, frame),
        // An error without an id may be about a message of ours that could not be read.
        None if frame.result.is_none() => {}
        // On transports that report it, a response that answers no request of the server is refused.
        _ if exchange.is_some_and(|exchange| exchange.rejects_stray_responses) => {
            let text = "Invalid request: this process sent no request with the id of this response";
            return write_error_without_id(out, &RpcError::new(code::INVALID_REQUEST, text));
        }
        _ => {}
    }
    ResponseStatus::None
}

/// Returns true if this connection has sent a request with that id to the client.
fn was_requested(connection: &Connection, id: i64) -> bool {
    connection.client_requests_if_used().is_some_and(|requests| requests.was_opened(id))
}

/// Resolves a request to the client. A response for which no call waits is not read.
fn resolve_client_request(connection: &Connection, id: i64, frame: &Frame<'_>) {
    let requests = connection.client_requests_if_used().filter(|requests| requests.is_open(id));
    let Some(requests) = requests else { return };
    let unreadable = || (i64::from(code::INTERNAL_ERROR), "the response cannot be read".to_owned());
    let size: usize = [frame.result, frame.error].iter().flatten().map(|answer| answer.get().len()).sum();
    let reply = match (frame.result, frame.error) {
        _ if size > MAX_RESPONSES_BYTES => Err((
            i64::from(code::INTERNAL_ERROR),
            format!("the response has {size} bytes; the limit is {MAX_RESPONSES_BYTES} bytes"),
        )),
        (Some(result), None) => serde_json::from_str(result.get()).map_err(|_| unreadable()),
        (_, error) => {
            let error = error.and_then(|error| serde_json::from_str::<Value>(error.get()).ok()).unwrap_or_default();
            let message = error["message"].as_str().map(str::to_owned);
            Err(message.map_or_else(unreadable, |message| (error["code"].as_i64().unwrap_or_default(), message)))
        }
    };
    requests.resolve(id, reply);
}
