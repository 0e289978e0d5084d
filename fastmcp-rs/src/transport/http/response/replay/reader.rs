//! Reads a [`ReplayStream`] for one connection of the client.

use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use tokio::time::Instant;

use super::{ReplayStream, event_id};

/// The reconnection delay that clients are given, in milliseconds.
const RETRY: u32 = 3_000;

/// A reader of a [`ReplayStream`].
pub(crate) struct ReplayReader {
    pub(super) stream: Arc<ReplayStream>,
    pub(super) number: u64,
    /// The number of the last event that the reader has returned.
    pub(super) after: u64,
    pub(super) is_primed: bool,
    /// Whether the reader has ended early, though further events may follow.
    pub(super) has_hung_up: bool,
}

impl ReplayReader {
    /// Returns true if the stream carries the response to a request.
    pub(crate) fn is_for_request(&self) -> bool {
        !self.stream.is_own
    }

    pub(crate) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let stream = &self.stream;
        let mut state = stream.state.lock();
        if state.reader != self.number || self.has_hung_up {
            return Poll::Ready(None);
        }
        let mut events = Vec::new();
        if !std::mem::replace(&mut self.is_primed, true) {
            // With this id, the client can reconnect even if it loses the stream now.
            events.extend_from_slice(
                format!("id: {}\nretry: {RETRY}\ndata:\n\n", event_id(stream.id, self.after)).as_bytes(),
            );
        }
        let mut poll_queue = || match stream.outgoing.poll_take(task) {
            Poll::Ready(Some((frames, ending))) => {
                stream.add_frames_to(&mut state, &frames, ending);
                true
            }
            Poll::Ready(None) => {
                state.finished = true;
                true
            }
            Poll::Pending => false,
        };
        let is_awake = poll_queue();
        let unread = state.history.partition_point(|event| event.number <= self.after);
        for event in state.history.range(unread..) {
            events.extend_from_slice(&event.bytes);
            self.after = event.number;
        }
        state.given = self.after;
        stream.update_counter(&mut state);
        self.has_hung_up = stream.outgoing.take_disconnect_request();
        let is_over = state.finished || self.has_hung_up;
        drop(state);
        match (events.is_empty(), is_over) {
            (false, _) => {
                stream.outgoing.notify_observer();
                Poll::Ready(Some(events.into()))
            }
            (true, true) => Poll::Ready(None),
            (true, false) => {
                if is_awake {
                    task.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for ReplayReader {
    fn drop(&mut self) {
        let mut state = self.stream.state.lock();
        if state.reader != self.number {
            return;
        }
        state.is_read = false;
        state.last_change = Instant::now();
        drop(state);
        self.stream.outgoing.notify_observer();
    }
}
