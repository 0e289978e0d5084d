//! The queue from the side of the threads that write it to standard output.
//!
//! The thread that reads requests writes responses that are ready itself; a thread of its own writes those that come
//! later. Only one of them writes at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::queue::{OutgoingQueue, QueueState};
use crate::exec::backoff::Backoff;
use crate::util::sync::MutexGuard;

/// The capacity beyond which an idle buffer is freed after [`SHRINK_AFTER`]: large messages leave such buffers behind.
pub(crate) const MAX_IDLE_CAPACITY: usize = 1 << 20;
/// The time for which an idle buffer is kept.
pub(crate) const SHRINK_AFTER: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

/// The outgoing queue of standard output.
#[derive(Clone, Debug)]
pub(crate) struct WriterQueue {
    queue: Arc<OutgoingQueue>,
    /// Changes with every write.
    progress: Arc<AtomicU64>,
}

impl WriterQueue {
    pub(crate) fn new(queue: &Arc<OutgoingQueue>) -> WriterQueue {
        WriterQueue { queue: Arc::clone(queue), progress: Arc::default() }
    }

    /// Adds frames for the thread that writes now.
    pub(crate) fn push(&self, frames: &[u8]) {
        self.queue.push(frames);
    }

    /// Closes the queue when the client reads no more: drops the queued frames and all later ones.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Lets the caller write frames itself if no other thread is writing: a reader whose responses are ready does so.
    /// Frames that are queued already are put in front of them. If it returns `true`, [`WriterQueue::end_write`] must
    /// follow.
    pub(crate) fn begin_write(&self, frames: &mut Vec<u8>) -> bool {
        let mut state = self.queue.lock();
        if state.in_write.is_some() || state.is_closed {
            return false;
        }
        if !state.bytes.is_empty() {
            std::mem::swap(&mut state.bytes, frames);
            frames.append(&mut state.bytes);
        }
        state.in_write = Some(frames.len());
        true
    }

    /// Ends a write of frames that were taken, or that the caller had.
    pub(crate) fn end_write(&self) {
        let mut state = self.queue.lock();
        state.in_write = None;
        self.record_progress();
        state.update_gauge();
        if state.waiting_threads > 0 {
            self.queue.changed.notify_all();
        }
        if state.waiting_tasks > 0 {
            self.queue.room.notify_waiters();
        }
    }

    /// Waits for frames and takes all of them into `bytes`; returns `false` once the queue is closed. If it returns
    /// `true`, [`WriterQueue::end_write`] must follow.
    pub(crate) fn take_blocking(&self, bytes: &mut Vec<u8>, backoff: &mut Backoff) -> bool {
        bytes.clear();
        backoff.reset();
        let mut state = self.queue.lock();
        while (state.bytes.is_empty() || state.in_write.is_some()) && !state.is_closed {
            if backoff.should_yield() {
                drop(state);
                backoff.record_yield(Backoff::yield_thread());
                state = self.queue.lock();
            } else if state.bytes.capacity().max(bytes.capacity()) > MAX_IDLE_CAPACITY {
                state = self.wait_or_shrink(state, bytes);
            } else {
                state = self.wait_for_change(state);
            }
        }
        if state.is_closed {
            return false;
        }
        std::mem::swap(&mut state.bytes, bytes);
        state.in_write = Some(bytes.len());
        true
    }

    /// Waits until the queue is below its limit, or is closed.
    pub(crate) fn wait_for_capacity(&self) {
        let mut state = self.queue.lock();
        while state.is_full(self.queue.limit) && !state.is_closed {
            state = self.wait_for_change(state);
        }
    }

    fn wait_for_change<'a>(&'a self, mut state: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        state.waiting_threads += 1;
        state = self.queue.changed.wait(state);
        state.waiting_threads -= 1;
        state
    }

    /// Waits; if nothing happens for [`SHRINK_AFTER`], frees the buffers that are kept for the next frames.
    fn wait_or_shrink<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState>,
        taken: &mut Vec<u8>,
    ) -> MutexGuard<'a, QueueState> {
        state.waiting_threads += 1;
        let (mut state, waited) = self.queue.changed.wait_timeout(state, SHRINK_AFTER);
        state.waiting_threads -= 1;
        if waited.timed_out() && state.bytes.is_empty() {
            state.bytes = Vec::new();
            *taken = Vec::new();
        }
        state
    }

    /// Records that part of the taken frames was written.
    pub(crate) fn record_progress(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns a number that changes with every write.
    pub(crate) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Returns true if no frame waits to be written.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.queue.lock();
        state.in_write.is_none() && state.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::queue::MIN_MOVED_BYTES;
    use crate::protocol::Outcome;

    #[test]
    fn memory_of_large_frames_is_released_when_idle() {
        let outgoing = WriterQueue::new(&Arc::default());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut taken = Vec::with_capacity(4 * MAX_IDLE_CAPACITY);
                outgoing.queue.lock().bytes.reserve(4 * MAX_IDLE_CAPACITY);
                assert!(outgoing.take_blocking(&mut taken, &mut Backoff::default()));
                taken.capacity() + outgoing.queue.lock().bytes.capacity()
            });
            std::thread::sleep(6 * SHRINK_AFTER);
            outgoing.push(b"frame\n");
            let kept = waiting.join().unwrap();
            assert!(kept < MAX_IDLE_CAPACITY, "{kept} bytes");
        });
    }

    #[test]
    fn a_long_response_is_queued_without_a_copy_and_wakes_the_writer() {
        let outgoing = WriterQueue::new(&Arc::default());
        let taken = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut bytes = Vec::new();
                assert!(outgoing.take_blocking(&mut bytes, &mut Backoff::default()));
                bytes
            });
            while outgoing.queue.lock().waiting_threads == 0 {
                std::thread::yield_now();
            }
            let long = vec![b'x'; MIN_MOVED_BYTES];
            let place = long.as_ptr();
            outgoing.queue.push_response(long, Outcome::Ok);
            let taken = waiting.join().unwrap();
            (taken.len(), taken.as_ptr() == place)
        });
        assert_eq!(taken, (MIN_MOVED_BYTES, true));
    }
}
