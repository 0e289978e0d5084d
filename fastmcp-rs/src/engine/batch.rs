//! JSON-RPC batches, which only revision 2025-03-26 supports.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-03-26/basic>

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::call::in_flight::{Admission, Place};
use super::{Admitted, Connection, Dispatched, Exchange, finish_frame};
use crate::json::object::text;
use crate::outgoing::queue::Outbox;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::id::{Id, Key};
use crate::protocol::write::{RpcError, code};
use crate::registry::Registry;

/// The maximum number of messages in a batch. Responses are kept in memory until the last one is ready.
const MAX_MESSAGES: usize = 100;

/// Returns the number of messages in a batch, or 1 if the text is not a batch or has too many messages.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
pub(crate) fn batch_length(message: &str) -> usize {
    serde_json::from_str(message).map_or(1, |Messages(messages)| messages.len())
}

impl Connection {
    /// Answers a batch with one array, after the last of its calls has ended.
    pub(crate) fn batch(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        reservation: Option<Place>,
        exchange: Option<&Exchange<'_>>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        let outbox = exchange.map_or_else(|| self.outbox(), |exchange| exchange.outbox(self));
        if serde_json::from_str::<&RawValue>(message).is_err() {
            self.refuse(message, &Malformed::Json, out);
            return Dispatched::Done;
        }
        if self.session().is_none_or(|session| session.revision != Revision::V2025_03_26) {
            self.refuse(message, &Malformed::Batch, out);
            return Dispatched::Done;
        }
        let Some(Messages(messages)) = serde_json::from_str(message).ok().filter(|Messages(list)| !list.is_empty())
        else {
            let text = format!("Invalid request: a batch has 1 to {MAX_MESSAGES} messages");
            self.anonymous_error(out, &RpcError::new(code::INVALID_REQUEST, text));
            return Dispatched::Done;
        };
        if reservation.is_none() {
            match self.in_flight().admit_batch(message, exchange.is_none()) {
                Admission::Start | Admission::DuplicateId => {}
                Admission::Wait => return Dispatched::Done,
                Admission::Overload => {
                    let text = "Internal error: too many calls wait already; call again when some are answered";
                    self.anonymous_error(out, &RpcError::new(code::INTERNAL_ERROR, text));
                    return Dispatched::Done;
                }
            }
        }
        if registry.offers.resources || !registry.offers.list_changes.is_empty() {
            // A message of the batch may enable notifications, which must not overtake the frames that are ready.
            self.send_now(out);
        }
        let mut answers = Vec::new();
        let mut calls = Vec::new();
        let mut ids = HashSet::new();
        for message in messages {
            let mut answer = Vec::new();
            let dispatched = self.dispatch_member(registry, message.get(), &mut ids, exchange, &mut answer);
            if let Dispatched::Pending(call) = dispatched {
                call.send_early_notifications();
                calls.push(call);
            }
            answers.extend(split(outbox, answer));
        }
        if calls.is_empty() {
            finish_batch(answers, out);
            return Dispatched::Done;
        }
        self.answers_late.store(true, Ordering::Release);
        if let Some(exchange) = exchange {
            exchange.pending.set(true);
        }
        let finish = |call: Box<super::PendingCall>| {
            let connection = Arc::clone(self);
            tokio::spawn(async move {
                let finished = call.finish().await;
                connection.resume().await;
                finished
            })
        };
        let tasks: Vec<_> = calls.into_iter().map(finish).collect();
        let connection = Arc::clone(self);
        let outbox = Arc::clone(outbox);
        // A finished response holds a place like a running call; otherwise, batches with one slow call could retain any
        // number of responses.
        let mut places: Vec<_> = answers.iter().map(|_| self.in_flight().guard()).collect();
        tokio::spawn(async move {
            for task in tasks {
                // A call catches its own panics, so a task fails only if the runtime shuts down.
                if let Ok(Some((frames, place))) = task.await {
                    answers.extend(split(&outbox, frames));
                    places.push(place);
                }
            }
            let mut out = Vec::new();
            finish_batch(answers, &mut out);
            places.iter_mut().for_each(Place::release_id);
            outbox.push_last(out);
            drop(places);
            connection.resume().await;
        });
        Dispatched::Done
    }

    fn dispatch_member(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        ids: &mut HashSet<Key>,
        exchange: Option<&Exchange<'_>>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        match Frame::parse(message) {
            Ok(frame) if frame.method.is_some() && !is_first(ids, &frame) => {
                let id = frame.id.and_then(Id::parse);
                self.refuse_frame(id, out, "Invalid request: another request of this batch has the same id");
                Dispatched::Done
            }
            Ok(frame) if frame.method.and_then(text).as_deref() == Some("initialize") => {
                let id = frame.id.and_then(Id::parse);
                self.refuse_frame(id, out, "Invalid request: `initialize` cannot be part of a batch");
                Dispatched::Done
            }
            // A modern message must match its headers, and the headers of a batch belong to no single message.
            Ok(frame) if frame.meta().is_some_and(|meta| meta.protocol_version.is_some()) => {
                let id = frame.id.and_then(Id::parse);
                self.refuse_frame(id, out, "Invalid request: a message of 2026-07-28 cannot be part of a batch");
                Dispatched::Done
            }
            Ok(frame) => self.dispatch_frame(registry, message, &frame, Admitted::Member, exchange, out),
            Err(malformed) => {
                self.refuse(message, &malformed, out);
                Dispatched::Done
            }
        }
    }
}

/// Returns true if no earlier request of the batch has the same id. No request of a batch is answered before the whole
/// batch is, so all of its ids are in use until then.
fn is_first(ids: &mut HashSet<Key>, frame: &Frame<'_>) -> bool {
    frame.id.and_then(Id::parse).is_none_or(|id| ids.insert(id.key()))
}

/// Returns the response at the end of a message's frames, and sends the notifications before it, which must not be part
/// of the array.
fn split(outbox: &Outbox, frames: Vec<u8>) -> Option<Vec<u8>> {
    let whole = frames.strip_suffix(b"\n")?;
    let start = memchr::memrchr(b'\n', whole).map_or(0, |at| at + 1);
    outbox.push(&whole[..start]);
    Some(whole[start..].to_vec())
}

/// The messages of a batch. Deserialization fails as soon as there are too many.
struct Messages<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Messages<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MessagesVisitor)
    }
}

struct MessagesVisitor;

impl<'de> Visitor<'de> for MessagesVisitor {
    type Value = Messages<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Messages<'de>, A::Error> {
        let mut messages = Vec::new();
        while let Some(message) = seq.next_element()? {
            if messages.len() == MAX_MESSAGES {
                return Err(A::Error::custom("too many messages"));
            }
            messages.push(message);
        }
        Ok(Messages(messages))
    }
}

fn finish_batch(answers: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    // A batch of notifications has no response.
    if answers.is_empty() {
        return;
    }
    finish_frame(out, |out| {
        out.push(b'[');
        out.extend_from_slice(&answers.join(&b','));
        out.push(b']');
    });
}
