//! JSON-RPC batches, which only revision 2025-03-26 has.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-03-26/basic>

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::value::RawValue;

use super::{Connection, Dispatched, finish_frame};
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::object::text;
use crate::protocol::write::{RpcError, code};

/// The most messages of a batch: a line of brackets must not become a much longer line of errors.
const MAX_MESSAGES: usize = 1_000;

impl Connection {
    /// Answers a batch with one array, once the last of its calls has ended.
    pub(super) fn batch(self: &Arc<Self>, message: &str, out: &mut Vec<u8>) -> Dispatched {
        if serde_json::from_str::<&RawValue>(message).is_err() {
            self.refuse(message, &Malformed::Json, out);
            return Dispatched::Done;
        }
        if self.session().is_none_or(|session| session.revision != Revision::V2025_03_26) {
            self.refuse(message, &Malformed::Batch, out);
            return Dispatched::Done;
        }
        let messages: Vec<&RawValue> = serde_json::from_str(message).unwrap_or_default();
        if messages.is_empty() || messages.len() > MAX_MESSAGES {
            let text = format!("Invalid request: a batch has 1 to {MAX_MESSAGES} messages");
            self.anonymous_error(out, &RpcError::new(code::INVALID_REQUEST, text));
            return Dispatched::Done;
        }
        let mut answers = Vec::new();
        let mut calls = Vec::new();
        for message in messages {
            let mut answer = Vec::new();
            if let Dispatched::Pending(call) = self.dispatch_member(message.get(), &mut answer) {
                answer.extend_from_slice(call.early_notifications());
                calls.push(call);
            }
            answers.extend(Answers::split(self, answer));
        }
        if calls.is_empty() {
            finish_batch(answers, out);
            return Dispatched::Done;
        }
        self.answers_late.store(true, Ordering::Release);
        let connection = Arc::clone(self);
        let tasks: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.finish())).collect();
        tokio::spawn(async move {
            for task in tasks {
                // A call catches its own panics, so a task that fails was ended with the runtime.
                if let Ok(Some(frames)) = task.await {
                    answers.extend(Answers::split(&connection, frames));
                }
            }
            let mut out = Vec::new();
            finish_batch(answers, &mut out);
            connection.outbox.push(&out);
            connection.resume().await;
        });
        Dispatched::Done
    }

    fn dispatch_member(self: &Arc<Self>, message: &str, out: &mut Vec<u8>) -> Dispatched {
        match Frame::parse(message) {
            Ok(frame) if frame.method.and_then(text).as_deref() == Some("initialize") => {
                let id = frame.id.and_then(crate::protocol::id::Id::parse);
                self.refuse_frame(id, out, "Invalid request: `initialize` cannot be part of a batch");
                Dispatched::Done
            }
            Ok(frame) => self.dispatch_frame(message, &frame, out),
            Err(malformed) => {
                self.refuse(message, &malformed, out);
                Dispatched::Done
            }
        }
    }
}

/// Tells a message's answer, which belongs into the array, from the notifications before it, which do not.
struct Answers;

impl Answers {
    fn split(connection: &Connection, frames: Vec<u8>) -> Option<Vec<u8>> {
        let frames = frames.strip_suffix(b"\n")?;
        let start = memchr::memrchr(b'\n', frames).map_or(0, |at| at + 1);
        let (notifications, last) = frames.split_at(start);
        let is_notification = last.starts_with(br#"{"jsonrpc":"2.0","method":"#);
        if is_notification {
            connection.outbox.push(frames);
            connection.outbox.push(b"\n");
            return None;
        }
        connection.outbox.push(notifications);
        Some(last.to_vec())
    }
}

fn finish_batch(answers: Vec<Vec<u8>>, out: &mut Vec<u8>) {
    // A batch of notifications has no answer.
    if answers.is_empty() {
        return;
    }
    finish_frame(out, |out| {
        out.push(b'[');
        out.extend_from_slice(&answers.join(&b','));
        out.push(b']');
    });
}
