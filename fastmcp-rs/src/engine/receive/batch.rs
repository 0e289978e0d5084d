//! JSON-RPC batches, which only revision 2025-03-26 supports.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-03-26/basic>

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::super::call::DispatchResult;
use super::super::call::admission::admission_error;
use super::super::call::in_flight::{Admission, CallPermit};
use super::super::call::pending::{FinishedCall, PendingCall};
use super::super::connection::Connection;
use super::super::dispatch::dispatch_frame;
use super::super::malformed;
use super::super::request::{EarlierAdmission, IncomingMessage};
use super::super::response::{ResponseStatus, write_frame};
use super::receive_queued;
use crate::json::bounded_seq::BoundedSeq;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::{Id, IdKey};
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, Outcome, ProtocolMethod};

/// The maximum number of messages in a batch. Responses are kept in memory until the last one is ready.
const MAX_MESSAGES: usize = 100;

/// Returns the number of messages in a batch, or 1 if the text is not a batch or has too many messages.
#[cfg(feature = "http")]
pub(crate) fn batch_length(message: &str) -> usize {
    batch_messages(message).map_or(1, |messages| messages.len())
}

/// Returns the messages of a batch, or `None` if the text is not a batch or has too many messages.
fn batch_messages(message: &str) -> Option<Vec<&RawValue>> {
    BoundedSeq::read(message, MAX_MESSAGES).ok().filter(|batch| !batch.has_more).map(|batch| batch.elements)
}

/// Handles a batch: its response is one array, after the last of its calls has ended.
pub(super) fn receive_batch(
    batch: IncomingMessage<'_>,
    permit: Option<CallPermit>,
    out: &mut Vec<u8>,
) -> ResponseStatus {
    let IncomingMessage { connection, exchange, .. } = batch;
    let messages = match read_messages(connection, batch.text, out) {
        Ok(messages) => messages,
        Err(status) => return status,
    };
    if permit.is_none() {
        if let Err(status) = admit(connection, batch.text, exchange.is_none(), out) {
            return status;
        }
    }
    let capabilities = &batch.registry.capabilities;
    if capabilities.resources || !capabilities.list_changes.is_empty() {
        // A message of the batch may enable notifications, which must not overtake the frames that are ready.
        connection.queue_output(out);
    }
    let outgoing = exchange.map_or_else(|| connection.queue(), |exchange| exchange.outgoing(connection));
    let mut started = StartedBatch { responses: Vec::new(), calls: Vec::new(), outgoing: Arc::clone(outgoing) };
    let mut ids = HashSet::new();
    for message in messages {
        let member = IncomingMessage { text: message.get(), ..batch };
        started.add(|out| dispatch_member(member, &mut ids, out));
    }
    started.finish(connection, out)
}

/// Reads the messages of a batch, or rejects a text that is none.
fn read_messages<'a>(
    connection: &Connection,
    message: &'a str,
    out: &mut Vec<u8>,
) -> Result<Vec<&'a RawValue>, ResponseStatus> {
    if serde_json::from_str::<&RawValue>(message).is_err() {
        return Err(malformed::reject_malformed(connection, message, &FrameError::Json, out));
    }
    if connection.session().is_none_or(|session| !session.revision.has(Feature::Batches)) {
        return Err(malformed::reject_malformed(connection, message, &FrameError::Batch, out));
    }
    batch_messages(message).filter(|messages| !messages.is_empty()).ok_or_else(|| {
        let text = format!("Invalid request: a batch must have 1 to {MAX_MESSAGES} messages");
        malformed::write_error_without_id(connection, out, &RpcError::new(code::INVALID_REQUEST, text))
    })
}

/// Admits a batch as a whole. The error is the status of a batch that is not handled now.
fn admit(connection: &Connection, message: &str, may_wait: bool, out: &mut Vec<u8>) -> Result<(), ResponseStatus> {
    match connection.in_flight().admit_batch(message, may_wait) {
        Admission::Start | Admission::DuplicateId => Ok(()),
        Admission::Wait => Err(ResponseStatus::Deferred),
        Admission::Overload => {
            Err(malformed::write_error_without_id(connection, out, &admission_error(&Admission::Overload)))
        }
    }
}

/// Dispatches one message of a batch.
fn dispatch_member(member: IncomingMessage<'_>, ids: &mut HashSet<IdKey>, out: &mut Vec<u8>) -> DispatchResult {
    let connection = member.connection;
    let frame = match Frame::parse(member.text) {
        Ok(frame) => frame,
        Err(malformed) => {
            return DispatchResult::Done(malformed::reject_malformed(connection, member.text, &malformed, out));
        }
    };
    match member_problem(&frame, ids) {
        None => dispatch_frame(member, &frame, EarlierAdmission::Batch, out),
        Some(problem) => {
            let id = frame.id.and_then(Id::parse);
            DispatchResult::Done(malformed::reject_frame(connection, id, problem, out))
        }
    }
}

/// Returns the reason why a frame cannot be part of its batch, if there is one.
fn member_problem(frame: &Frame<'_>, ids: &mut HashSet<IdKey>) -> Option<&'static str> {
    if frame.method.is_some() && !is_new_id(ids, frame) {
        return Some("Invalid request: another request in this batch has the same id");
    }
    if frame.has_method(ProtocolMethod::Initialize) {
        return Some("Invalid request: `initialize` cannot be part of a batch");
    }
    // A modern message must match its headers, and the headers of a batch belong to no single message.
    if frame.meta().is_some_and(|meta| meta.protocol_version.is_some()) {
        return Some("Invalid request: a message of revision 2026-07-28 cannot be part of a batch");
    }
    None
}

/// A batch whose messages were dispatched.
struct StartedBatch {
    /// The responses that are ready.
    responses: Vec<Vec<u8>>,
    /// The calls that are not ready.
    // The task of a call takes its box.
    #[allow(clippy::vec_box)]
    calls: Vec<Box<PendingCall>>,
    outgoing: Arc<OutgoingQueue>,
}

impl StartedBatch {
    /// Adds one message, which `dispatch` handles.
    fn add(&mut self, dispatch: impl FnOnce(&mut Vec<u8>) -> DispatchResult) {
        let mut out = Vec::new();
        if let DispatchResult::Pending(call) = dispatch(&mut out) {
            call.send_early_notifications();
            self.calls.push(call);
        }
        self.responses.extend(split_response(&self.outgoing, out));
    }

    /// Writes the response, unless it has to wait for calls.
    fn finish(self, connection: &Arc<Connection>, out: &mut Vec<u8>) -> ResponseStatus {
        if !self.calls.is_empty() {
            self.spawn(connection);
            return ResponseStatus::Queued;
        }
        if write_batch(self.responses, out) { ResponseStatus::Written(Outcome::Ok) } else { ResponseStatus::None }
    }

    /// Runs the calls as tasks, and sends the response after the last of them.
    fn spawn(self, connection: &Arc<Connection>) {
        connection.mark_queue_used();
        let StartedBatch { mut responses, calls, outgoing } = self;
        let tasks: Vec<_> = calls.into_iter().map(|call| spawn_member(connection, call)).collect();
        let connection = Arc::clone(connection);
        // A finished response holds a permit like a running call; otherwise, batches with one slow call could retain
        // any number of responses.
        let mut permits: Vec<_> = responses.iter().map(|_| connection.in_flight().reserve_for_response()).collect();
        tokio::spawn(async move {
            for task in tasks {
                // A call catches its own panics, so a task fails only if the runtime shuts down.
                if let Ok(Some(finished)) = task.await {
                    responses.extend(split_response(&outgoing, finished.frames));
                    permits.push(finished.permit);
                }
            }
            let mut out = Vec::new();
            let outcome = if write_batch(responses, &mut out) { Outcome::Ok } else { Outcome::Cancelled };
            permits.iter_mut().for_each(CallPermit::release_id);
            outgoing.push_response(out, outcome);
            drop(permits);
            receive_queued(&connection).await;
        });
    }
}

fn spawn_member(connection: &Arc<Connection>, call: Box<PendingCall>) -> JoinHandle<Option<FinishedCall>> {
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        let finished = call.run_to_end().await;
        receive_queued(&connection).await;
        finished
    })
}

/// Returns true if no earlier request of the batch has the same id. No request of a batch is answered before the whole
/// batch is, so all of its ids are in use until then.
fn is_new_id(ids: &mut HashSet<IdKey>, frame: &Frame<'_>) -> bool {
    frame.id.and_then(Id::parse).is_none_or(|id| ids.insert(id.key()))
}

/// Returns the response at the end of a message's frames, and sends the notifications before it, which must not be part
/// of the array.
fn split_response(outgoing: &OutgoingQueue, frames: Vec<u8>) -> Option<Vec<u8>> {
    let whole = frames.strip_suffix(b"\n")?;
    let start = memchr::memrchr(b'\n', whole).map_or(0, |at| at + 1);
    outgoing.push(&whole[..start]);
    Some(whole[start..].to_vec())
}

/// Writes the response to a batch. Returns `false` if there is none: a batch of notifications has no response.
fn write_batch(responses: Vec<Vec<u8>>, out: &mut Vec<u8>) -> bool {
    if responses.is_empty() {
        return false;
    }
    write_frame(out, |out| {
        out.push(b'[');
        out.extend_from_slice(&responses.join(&b','));
        out.push(b']');
    });
    true
}
