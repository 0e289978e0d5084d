//! The queue of frames for one peer, from the side that adds frames.
//!
//! It is bounded in bytes: a call waits with its response until the peer has read enough of the earlier frames, and a
//! notification that finds no room is dropped, because it only informs. The queue does no input or output; one reader
//! takes the bytes from it: a [`WriterQueue`](super::stdio), a [`StreamQueue`](super::stream) or a
//! [`FrameTap`](super::tap).

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use tokio::sync::Notify;

use super::depth::{QueueDepth, QueueShare};
use crate::protocol::Outcome;
use crate::util::sync::{Condvar, Mutex, MutexGuard};

/// The number of queued bytes from which responses wait for room.
const DEFAULT_LIMIT: usize = 8 << 20;
/// The limit of a queue that serves one request.
const EXCHANGE_LIMIT: usize = 256 << 10;

/// The minimum length of a response that is moved into an empty queue; shorter ones are copied into the existing
/// buffer.
pub(super) const MIN_MOVED_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct OutgoingQueue {
    pub(super) limit: usize,
    /// True if the queue ends with the response.
    ends_with_response: bool,
    state: Mutex<QueueState>,
    /// Notifies threads of every change.
    pub(super) changed: Condvar,
    /// Notifies tasks of room.
    pub(super) room: Notify,
    /// The observer of added frames, which bounds the queue while its reader is away.
    pub(super) observer: OnceLock<Box<dyn QueueObserver>>,
}

/// Keeps the frames of a queue within bounds while its reader is away.
pub(crate) trait QueueObserver: Debug + Send + Sync {
    /// Called after frames were added, without any lock of the queue.
    fn on_frames_added(&self);
}

#[derive(Debug, Default)]
pub(super) struct QueueState {
    pub(super) bytes: Vec<u8>,
    /// The number of bytes that a thread has taken and writes now: they wait for the peer as well.
    pub(super) in_write: Option<usize>,
    pub(super) is_closed: bool,
    /// The number of threads that wait for a change. A notification without waiting threads would still be a system
    /// call.
    pub(super) waiting_threads: usize,
    /// The number of tasks that wait for room.
    pub(super) waiting_tasks: usize,
    /// The outcome of the response that is in `bytes`, or that was taken: no frames follow it.
    pub(super) ending: Option<Outcome>,
    /// True if the reader should disconnect and reconnect later.
    pub(super) disconnect_requested: bool,
    /// The waker of a reader that waits for frames as a task.
    pub(super) reader: Option<Waker>,
    /// A value that is dropped after the last frames.
    pub(super) retained: Option<Box<dyn Any + Send>>,
    /// The share of the queue in the metrics.
    share: QueueShare,
}

impl QueueState {
    /// Returns true if no more frames should be added.
    pub(super) fn is_full(&self, limit: usize) -> bool {
        self.waiting_bytes() >= limit
    }

    fn waiting_bytes(&self) -> usize {
        self.bytes.len() + self.in_write.unwrap_or_default()
    }

    /// Updates the metrics after the queue has changed.
    pub(super) fn update_gauge(&mut self) {
        self.share.set(self.waiting_bytes());
    }
}

impl Default for OutgoingQueue {
    fn default() -> OutgoingQueue {
        OutgoingQueue::with_limit(DEFAULT_LIMIT)
    }
}

impl OutgoingQueue {
    /// Creates a queue for which responses wait once it holds `limit` bytes.
    pub(super) fn with_limit(limit: usize) -> OutgoingQueue {
        OutgoingQueue {
            limit,
            ends_with_response: false,
            state: Mutex::default(),
            changed: Condvar::new(),
            room: Notify::new(),
            observer: OnceLock::new(),
        }
    }

    /// Creates a queue for the response to one request, and for the frames that precede it.
    pub(crate) fn for_exchange() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue { ends_with_response: true, ..OutgoingQueue::with_limit(EXCHANGE_LIMIT) })
    }

    /// Returns true if the queue serves one request, and ends with its response.
    pub(crate) fn ends_with_response(&self) -> bool {
        self.ends_with_response
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock()
    }

    /// Adds frames, each with its newline, regardless of the limit: for a reader that stops reading by itself when too
    /// many bytes wait.
    pub(crate) fn push(&self, frames: &[u8]) {
        if frames.is_empty() {
            return;
        }
        let mut state = self.lock();
        if !state.is_closed {
            state.bytes.extend_from_slice(frames);
            self.notify_readers(&mut state);
            drop(state);
            self.notify_observer();
        }
    }

    /// Adds the frames of a response, which reports `outcome`; in a queue that serves one request, they are the last.
    pub(crate) fn push_response(&self, frames: Vec<u8>, outcome: Outcome) {
        if frames.is_empty() && !self.ends_with_response {
            return;
        }
        let mut state = self.lock();
        if state.is_closed || state.ending.is_some() {
            state.retained = None;
            return;
        }
        if state.bytes.is_empty() && frames.len() >= MIN_MOVED_BYTES {
            state.bytes = frames;
        } else {
            state.bytes.extend_from_slice(&frames);
        }
        if self.ends_with_response {
            state.ending = Some(outcome);
            state.retained = None;
        }
        self.notify_readers(&mut state);
        drop(state);
        self.notify_observer();
    }

    /// Adds a frame if there is room.
    pub(crate) fn try_push(&self, frame: &[u8]) -> bool {
        let mut state = self.lock();
        if state.is_closed || state.is_full(self.limit) {
            return false;
        }
        state.bytes.extend_from_slice(frame);
        self.notify_readers(&mut state);
        drop(state);
        self.notify_observer();
        true
    }

    /// Calls the observer.
    pub(super) fn notify_observer(&self) {
        if let Some(observer) = self.observer.get() {
            observer.on_frames_added();
        }
    }

    /// Waits until there is room, or the queue is closed.
    pub(crate) async fn wait_for_capacity(&self) {
        loop {
            // The future is created before the check, so that room which appears in between is not missed.
            let room = self.room.notified();
            if !self.register_waiter() {
                return;
            }
            room.await;
            self.lock().waiting_tasks -= 1;
        }
    }

    /// Returns true if there is no room, and registers a task that waits for it.
    fn register_waiter(&self) -> bool {
        let mut state = self.lock();
        let full = state.is_full(self.limit) && !state.is_closed;
        state.waiting_tasks += usize::from(full);
        full
    }

    /// Adds the queued bytes to the metrics of a server, from now on.
    pub(crate) fn add_to_gauge(&self, depth: &QueueDepth) {
        self.lock().share.join(depth);
    }

    fn notify_readers(&self, state: &mut QueueState) {
        state.update_gauge();
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        if state.waiting_threads > 0 {
            self.changed.notify_all();
        }
    }

    /// Asks the reader to disconnect and reconnect later.
    pub(crate) fn request_disconnect(&self) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.disconnect_requested, true) {
            self.notify_readers(&mut state);
        }
    }

    /// Closes the queue when the peer reads no more: drops the queued frames and all later ones.
    pub(crate) fn close(&self) {
        drop(self.lock().retained.take());
        self.close_for_call();
    }

    /// Closes the queue, except that the retained value stays until the call has ended.
    pub(super) fn close_for_call(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.bytes = Vec::new();
        self.notify_readers(&mut state);
        drop(state);
        self.room.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Takes all queued frames, which makes room for others.
    #[cfg(any(feature = "http", feature = "testing", test))]
    pub(super) fn take(&self, state: &mut QueueState) -> Vec<u8> {
        let bytes = std::mem::take(&mut state.bytes);
        if !bytes.is_empty() && state.waiting_tasks > 0 {
            self.room.notify_waiters();
        }
        state.update_gauge();
        bytes
    }

    /// Returns the number of queued bytes.
    #[cfg(any(feature = "http", test))]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().bytes.len()
    }

    /// Takes all queued frames, for tests of the rooms above.
    #[cfg(test)]
    pub(crate) fn take_for_test(&self) -> Vec<u8> {
        self.take(&mut self.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_response_follows_the_queued_frames() {
        let long = vec![b'x'; MIN_MOVED_BYTES];
        for (outgoing, is_last) in [(Arc::new(OutgoingQueue::default()), false), (OutgoingQueue::for_exchange(), true)]
        {
            outgoing.push(b"first\n");
            outgoing.push_response(long.clone(), Outcome::Ok);
            outgoing.push_response(b"late\n".to_vec(), Outcome::Ok);
            let taken = outgoing.take_for_test();
            let late: &[u8] = if is_last { b"" } else { b"late\n" };
            assert_eq!(taken, [b"first\n", long.as_slice(), late].concat());
        }
    }
}
