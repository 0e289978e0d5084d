//! Takes a message from its text to its response, which is written now, or by a task later.
//!
//! A message that waits for others to end comes here again as soon as there is a permit for it.

pub(super) mod batch;
mod offload;

use std::str::Utf8Error;
use std::sync::Arc;

use super::call::DispatchResult;
use super::call::in_flight::CallPermit;
use super::call::pending::PendingCall;
use super::connection::Connection;
use super::dispatch::dispatch_frame;
use super::malformed;
use super::request::{EarlierAdmission, IncomingMessage};
use super::response::ResponseStatus;
use crate::protocol::Outcome;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::write::{RpcError, code};
use crate::registry::RegistrySnapshot;

/// Handles one line, without its newline.
pub(super) fn receive_line(
    connection: &Arc<Connection>,
    view: &mut RegistrySnapshot,
    line: Result<&str, Utf8Error>,
    out: &mut Vec<u8>,
) {
    let Ok(line) = line else {
        let error = RpcError::new(code::PARSE_ERROR, "Parse error: the message is not valid UTF-8");
        malformed::write_error_without_id(connection, out, &error);
        return;
    };
    let message = line.strip_suffix('\r').unwrap_or(line);
    if message.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return;
    }
    let registry = connection.server.registry.refresh(view);
    if registry.has_slow_visibility() && offload::offload_if_filtered(connection, message, out) {
        return;
    }
    receive_message(IncomingMessage { connection, registry, text: message, exchange: None }, None, out);
}

/// Handles the text of one message: a frame, a batch, or malformed input.
pub(super) fn receive_message(
    message: IncomingMessage<'_>,
    permit: Option<CallPermit>,
    out: &mut Vec<u8>,
) -> ResponseStatus {
    let mut frame = Frame::default();
    match frame.read(message.text) {
        Ok(()) => receive_frame(message, &frame, permit, out),
        Err(FrameError::Batch) => batch::receive_batch(message, permit, out),
        Err(malformed) => malformed::reject_malformed(message.connection, message.text, &malformed, out),
    }
}

/// Handles a frame that was read from the message.
pub(super) fn receive_frame(
    message: IncomingMessage<'_>,
    frame: &Frame<'_>,
    permit: Option<CallPermit>,
    out: &mut Vec<u8>,
) -> ResponseStatus {
    let admission = permit.map_or(EarlierAdmission::None, EarlierAdmission::Permit);
    match dispatch_frame(message, frame, admission, out) {
        DispatchResult::Done(status) => status,
        DispatchResult::Pending(call) => {
            spawn_call(message.connection, call, out);
            ResponseStatus::Queued
        }
    }
}

/// Continues a call as a task of the runtime.
fn spawn_call(connection: &Arc<Connection>, call: Box<PendingCall>, out: &mut Vec<u8>) {
    connection.mark_queue_used();
    let outgoing = Arc::clone(call.outgoing());
    // The frames that are ready must not be overtaken by those of the task, so all of them go through the queue.
    outgoing.push(out);
    call.send_early_notifications();
    out.clear();
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        match call.run_to_end().await {
            Some(mut finished) => {
                finished.permit.release_id();
                outgoing.push_response(finished.frames, finished.outcome);
                drop(finished.permit);
            }
            None => outgoing.push_response(Vec::new(), Outcome::Cancelled),
        }
        receive_queued(&connection).await;
    });
}

/// Handles the messages that waited for calls to end.
async fn receive_queued(connection: &Arc<Connection>) {
    while let Some((message, permit)) = connection.in_flight().next_queued() {
        offload::receive_with_permit(connection, message, permit).await;
    }
}
