//! JSON-RPC batches, which only revision 2025-03-26 supports.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-03-26/basic>

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::value::RawValue;

use super::call::in_flight::{Admission, CallPermit};
use super::{Connection, DispatchStatus, HttpExchange, PermitState, write_frame};
use crate::json::bounded_seq::BoundedSeq;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::{Id, IdKey};
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, ProtocolMethod};
use crate::registry::Registry;

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

impl Connection {
    /// Answers a batch with one array, after the last of its calls has ended.
    pub(crate) fn dispatch_batch(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        permit: Option<CallPermit>,
        exchange: Option<&HttpExchange<'_>>,
        out: &mut Vec<u8>,
    ) -> DispatchStatus {
        let outgoing = exchange.map_or_else(|| self.outgoing(), |exchange| exchange.outgoing(self));
        if serde_json::from_str::<&RawValue>(message).is_err() {
            self.reject_malformed(message, &FrameError::Json, out);
            return DispatchStatus::Done;
        }
        if self.session().is_none_or(|session| !session.revision.has(Feature::Batches)) {
            self.reject_malformed(message, &FrameError::Batch, out);
            return DispatchStatus::Done;
        }
        let Some(messages) = batch_messages(message).filter(|messages| !messages.is_empty()) else {
            let text = format!("Invalid request: a batch must have 1 to {MAX_MESSAGES} messages");
            self.write_error_without_id(out, &RpcError::new(code::INVALID_REQUEST, text));
            return DispatchStatus::Done;
        };
        if permit.is_none() {
            match self.in_flight().admit_batch(message, exchange.is_none()) {
                Admission::Start | Admission::DuplicateId => {}
                Admission::Wait => return DispatchStatus::Done,
                Admission::Overload => {
                    let text = "Internal error: too many calls are waiting; try again later";
                    self.write_error_without_id(out, &RpcError::new(code::INTERNAL_ERROR, text));
                    return DispatchStatus::Done;
                }
            }
        }
        if registry.capabilities.resources || !registry.capabilities.list_changes.is_empty() {
            // A message of the batch may enable notifications, which must not overtake the frames that are ready.
            self.queue_output(out);
        }
        let mut answers = Vec::new();
        let mut calls = Vec::new();
        let mut ids = HashSet::new();
        for message in messages {
            let mut answer = Vec::new();
            let dispatched = self.dispatch_member(registry, message.get(), &mut ids, exchange, &mut answer);
            if let DispatchStatus::Pending(call) = dispatched {
                call.send_early_notifications();
                calls.push(call);
            }
            answers.extend(split_response(outgoing, answer));
        }
        if calls.is_empty() {
            write_batch(answers, out);
            return DispatchStatus::Done;
        }
        self.uses_outgoing_queue.store(true, Ordering::Release);
        if let Some(exchange) = exchange {
            exchange.pending.set(true);
        }
        let finish = |call: Box<super::PendingCall>| {
            let connection = Arc::clone(self);
            tokio::spawn(async move {
                let finished = call.run_to_end().await;
                connection.serve_queued().await;
                finished
            })
        };
        let tasks: Vec<_> = calls.into_iter().map(finish).collect();
        let connection = Arc::clone(self);
        let outgoing = Arc::clone(outgoing);
        // A finished response holds a place like a running call; otherwise, batches with one slow call could retain any
        // number of responses.
        let mut permits: Vec<_> = answers.iter().map(|_| self.in_flight().reserve_for_response()).collect();
        tokio::spawn(async move {
            for task in tasks {
                // A call catches its own panics, so a task fails only if the runtime shuts down.
                if let Ok(Some((frames, permit))) = task.await {
                    answers.extend(split_response(&outgoing, frames));
                    permits.push(permit);
                }
            }
            let mut out = Vec::new();
            write_batch(answers, &mut out);
            permits.iter_mut().for_each(CallPermit::release_id);
            outgoing.push_response(out);
            drop(permits);
            connection.serve_queued().await;
        });
        DispatchStatus::Done
    }

    fn dispatch_member(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        ids: &mut HashSet<IdKey>,
        exchange: Option<&HttpExchange<'_>>,
        out: &mut Vec<u8>,
    ) -> DispatchStatus {
        match Frame::parse(message) {
            Ok(frame) if frame.method.is_some() && !is_new_id(ids, &frame) => {
                let id = frame.id.and_then(Id::parse);
                self.reject_frame(id, out, "Invalid request: another request in this batch has the same id");
                DispatchStatus::Done
            }
            Ok(frame) if frame.has_method(ProtocolMethod::Initialize) => {
                let id = frame.id.and_then(Id::parse);
                self.reject_frame(id, out, "Invalid request: `initialize` cannot be part of a batch");
                DispatchStatus::Done
            }
            // A modern message must match its headers, and the headers of a batch belong to no single message.
            Ok(frame) if frame.meta().is_some_and(|meta| meta.protocol_version.is_some()) => {
                let id = frame.id.and_then(Id::parse);
                self.reject_frame(
                    id,
                    out,
                    "Invalid request: a message of revision 2026-07-28 cannot be part of a batch",
                );
                DispatchStatus::Done
            }
            Ok(frame) => self.dispatch_frame(registry, message, &frame, PermitState::Batch, exchange, out),
            Err(malformed) => {
                self.reject_malformed(message, &malformed, out);
                DispatchStatus::Done
            }
        }
    }
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

fn write_batch(answers: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    // A batch of notifications has no response.
    if answers.is_empty() {
        return;
    }
    write_frame(out, |out| {
        out.push(b'[');
        out.extend_from_slice(&answers.join(&b','));
        out.push(b']');
    });
}
