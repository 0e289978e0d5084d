//! The queue from the side of one HTTP response or stream, which a single task polls.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::queue::{OutgoingQueue, QueueObserver};
use crate::protocol::Outcome;

/// The limit of a queue for frames outside of any request: most clients never read them.
const SESSION_LIMIT: usize = 16 << 10;

/// The outgoing queue of a response or a stream.
#[derive(Clone, Debug)]
pub(crate) struct StreamQueue(Arc<OutgoingQueue>);

impl StreamQueue {
    pub(crate) fn new(queue: &Arc<OutgoingQueue>) -> StreamQueue {
        StreamQueue(Arc::clone(queue))
    }

    /// Creates a queue for the frames of a session outside of any request.
    pub(crate) fn for_session() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue::with_limit(SESSION_LIMIT))
    }

    /// Takes the queued frames. Returns `None` if no more will follow. If these are the last, they come with the outcome
    /// of the response.
    pub(crate) fn poll_take(&self, task: &mut Context<'_>) -> Poll<Option<(Vec<u8>, Option<Outcome>)>> {
        let mut state = self.0.lock();
        if !state.bytes.is_empty() {
            let bytes = self.0.take(&mut state);
            return Poll::Ready(Some((bytes, state.ending)));
        }
        if state.is_closed || state.ending.is_some() {
            return Poll::Ready(None);
        }
        state.reader = Some(task.waker().clone());
        Poll::Pending
    }

    /// Takes the queued frames without waiting. If no more will follow, they come with the outcome of the response.
    pub(crate) fn take_queued(&self) -> (Vec<u8>, Option<Outcome>) {
        let mut state = self.0.lock();
        let bytes = self.0.take(&mut state);
        (bytes, state.ending.or(state.is_closed.then_some(Outcome::Cancelled)))
    }

    /// Returns the number of queued bytes.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.0.queued_bytes()
    }

    /// Keeps a value until the last frames have been added, or the queue is closed.
    pub(crate) fn retain_until_end(&self, retained: impl Any + Send) {
        let mut state = self.0.lock();
        if !state.is_closed && state.ending.is_none() {
            state.retained = Some(Box::new(retained));
        }
    }

    /// Sets the observer, which cannot be replaced.
    pub(crate) fn set_observer(&self, observer: impl QueueObserver + 'static) {
        // An observer that was set before stays.
        let _ = self.0.observer.set(Box::new(observer));
    }

    /// Calls the observer.
    pub(crate) fn notify_observer(&self) {
        self.0.notify_observer();
    }

    /// Returns true if the reader is asked to disconnect.
    pub(crate) fn is_disconnect_requested(&self) -> bool {
        self.0.lock().disconnect_requested
    }

    /// Clears the request when the reader disconnects or has reconnected. Returns whether it was set.
    pub(crate) fn take_disconnect_request(&self) -> bool {
        std::mem::take(&mut self.0.lock().disconnect_requested)
    }

    /// Wakes the reader that waits in [`StreamQueue::poll_take`].
    pub(crate) fn wake_reader(&self) {
        if let Some(reader) = self.0.lock().reader.take() {
            reader.wake();
        }
    }

    /// Closes the queue when the client reads no more: drops the queued frames and all later ones.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    /// Closes the queue for a call that continues without a reader: the retained value stays until the call has ended.
    pub(crate) fn abandon(&self) {
        self.0.close_for_call();
    }
}
