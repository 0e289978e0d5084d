//! The queue from the side of a test client in the same process.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::queue::OutgoingQueue;

/// The outgoing queue of an in-process connection. One task at a time may wait for frames.
#[derive(Clone, Debug)]
pub(crate) struct FrameTap(Arc<OutgoingQueue>);

impl FrameTap {
    pub(crate) fn new(queue: &Arc<OutgoingQueue>) -> FrameTap {
        FrameTap(Arc::clone(queue))
    }

    /// Takes the queued frames, which may be none.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.take(&mut self.0.lock())
    }

    /// Waits until there are frames, or the queue is closed.
    pub(crate) async fn wait(&self) {
        poll_fn(|task| {
            let mut state = self.0.lock();
            if !state.bytes.is_empty() || state.is_closed {
                return Poll::Ready(());
            }
            state.reader = Some(task.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}
