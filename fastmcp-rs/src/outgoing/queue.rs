//! The frames that wait to be written to one peer.
//!
//! It is bounded in bytes: a call waits with its response until the peer has read enough of the earlier frames, and a
//! notification that finds no room is dropped, because it only informs. The queue does no input or output; a transport
//! takes the bytes from it.

use std::any::Any;
use std::fmt::Debug;
#[cfg(feature = "metrics")]
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

use crate::exec::backoff::Backoff;
use crate::protocol::Outcome;

/// The number of queued bytes from which responses wait for room.
const DEFAULT_LIMIT: usize = 8 << 20;
/// The limit of a queue that serves one request.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
const EXCHANGE_LIMIT: usize = 256 << 10;
/// The limit of a queue for frames outside of any request: most clients never read them.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
const SESSION_LIMIT: usize = 16 << 10;

/// The minimum length of a response that is moved into an empty queue; shorter ones are copied into the existing
/// buffer.
const MIN_MOVED_BYTES: usize = 64 << 10;

/// The capacity beyond which an idle buffer is freed after [`SHRINK_AFTER`]: large messages leave such buffers behind.
pub(crate) const MAX_IDLE_CAPACITY: usize = 1 << 20;
/// The time for which an idle buffer is kept.
pub(crate) const SHRINK_AFTER: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

#[derive(Debug)]
pub(crate) struct OutgoingQueue {
    limit: usize,
    /// True if the queue ends with the response.
    ends_with_response: bool,
    state: Mutex<QueueState>,
    /// Notifies threads of every change.
    changed: Condvar,
    /// Notifies tasks of room.
    room: Notify,
    /// Notifies tasks of frames.
    frames: Notify,
    /// The observer of added frames, which bounds the queue while its reader is away.
    observer: OnceLock<Box<dyn QueueObserver>>,
}

/// Keeps the frames of a queue within bounds while its reader is away.
pub(crate) trait QueueObserver: Debug + Send + Sync {
    /// Called after frames were added, without any lock of the queue.
    fn on_frames_added(&self);
}

#[derive(Debug, Default)]
struct QueueState {
    bytes: Vec<u8>,
    /// True while a thread writes the bytes that it took.
    is_writing: bool,
    /// The number of those bytes: they wait for the peer as well.
    bytes_in_write: usize,
    is_closed: bool,
    /// The number of threads that wait for a change. A notification without waiting threads would still be a system
    /// call.
    waiting_threads: usize,
    /// The number of tasks that wait for room.
    waiting_tasks: usize,
    /// The outcome of the response that is in `bytes`, or that was taken: no frames follow it.
    ending: Option<Outcome>,
    /// True if the reader should disconnect and reconnect later.
    disconnect_requested: bool,
    /// The waker of the reader in [`OutgoingQueue::poll_take`].
    reader: Option<Waker>,
    /// A value that is dropped after the last frames.
    retained: Option<Box<dyn Any + Send>>,
    /// Changes with every write.
    progress: u64,
    #[cfg(feature = "metrics")]
    depth: DepthGauge,
}

/// The number of bytes that a queue has added to a shared gauge.
#[cfg(feature = "metrics")]
#[derive(Debug, Default)]
struct DepthGauge {
    added: i64,
    sum: Option<Arc<AtomicI64>>,
}

#[cfg(feature = "metrics")]
impl DepthGauge {
    fn set(&mut self, bytes: usize) {
        if let Some(sum) = &self.sum {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            sum.fetch_add(bytes - self.added, Ordering::Relaxed);
            self.added = bytes;
        }
    }
}

#[cfg(feature = "metrics")]
impl Drop for DepthGauge {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl QueueState {
    /// Returns true if no more frames should be added.
    fn is_full(&self, limit: usize) -> bool {
        self.bytes.len() + self.bytes_in_write >= limit
    }

    /// Updates the gauge after the queue has changed.
    fn update_gauge(&mut self) {
        #[cfg(feature = "metrics")]
        self.depth.set(self.bytes.len() + self.bytes_in_write);
    }
}

impl Default for OutgoingQueue {
    fn default() -> OutgoingQueue {
        OutgoingQueue {
            limit: DEFAULT_LIMIT,
            ends_with_response: false,
            state: Mutex::default(),
            changed: Condvar::new(),
            room: Notify::new(),
            frames: Notify::new(),
            observer: OnceLock::new(),
        }
    }
}

impl OutgoingQueue {
    /// Creates a queue for the response to one request, and for the frames that precede it.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn for_exchange() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue { limit: EXCHANGE_LIMIT, ends_with_response: true, ..OutgoingQueue::default() })
    }

    /// Creates a queue for the frames of a session outside of any request.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn for_session() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue { limit: SESSION_LIMIT, ..OutgoingQueue::default() })
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Keeps a value until the last frames have been added, or the queue is closed.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn retain_until_end(&self, retained: impl Any + Send) {
        let mut state = self.lock();
        if !state.is_closed && state.ending.is_none() {
            state.retained = Some(Box::new(retained));
        }
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

    /// Sets the observer, which cannot be replaced.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn set_observer(&self, observer: impl QueueObserver + 'static) {
        // An observer that was set before stays.
        let _ = self.observer.set(Box::new(observer));
    }

    /// Calls the observer.
    pub(crate) fn notify_observer(&self) {
        if let Some(observer) = self.observer.get() {
            observer.on_frames_added();
        }
    }

    /// Returns the number of queued bytes.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().bytes.len()
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

    /// Adds the queued bytes to a gauge, from now on.
    #[cfg(feature = "metrics")]
    pub(crate) fn add_to_gauge(&self, sum: &Arc<AtomicI64>) {
        self.lock().depth.sum.get_or_insert_with(|| Arc::clone(sum));
    }

    fn notify_readers(&self, state: &mut QueueState) {
        state.update_gauge();
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        if state.waiting_threads > 0 {
            self.changed.notify_all();
        }
        self.frames.notify_one();
    }

    fn wait_for_change<'a>(&'a self, mut state: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        state.waiting_threads += 1;
        state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
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
        let (mut state, waited) =
            self.changed.wait_timeout(state, SHRINK_AFTER).unwrap_or_else(PoisonError::into_inner);
        state.waiting_threads -= 1;
        if waited.timed_out() && state.bytes.is_empty() {
            state.bytes = Vec::new();
            *taken = Vec::new();
        }
        state
    }

    /// Closes the queue when the peer reads no more: drops the queued frames and all later ones.
    pub(crate) fn close(&self) {
        drop(self.lock().retained.take());
        self.abandon();
    }

    /// Closes the queue for a call that continues without a reader: the retained value stays until the call has ended.
    pub(crate) fn abandon(&self) {
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

    /// Lets the caller write frames itself if no other thread is writing: a reader whose responses are ready does so.
    /// Frames that are queued already are put in front of them. If it returns `true`, [`OutgoingQueue::end_write`] must
    /// follow.
    pub(crate) fn begin_write(&self, frames: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        if state.is_writing || state.is_closed {
            return false;
        }
        if !state.bytes.is_empty() {
            std::mem::swap(&mut state.bytes, frames);
            frames.append(&mut state.bytes);
        }
        state.is_writing = true;
        state.bytes_in_write = frames.len();
        true
    }

    /// Ends a write of frames that were taken, or that the caller had.
    pub(crate) fn end_write(&self) {
        let mut state = self.lock();
        state.is_writing = false;
        state.bytes_in_write = 0;
        state.progress += 1;
        state.update_gauge();
        if state.waiting_threads > 0 {
            self.changed.notify_all();
        }
        if state.waiting_tasks > 0 {
            self.room.notify_waiters();
        }
    }

    /// Waits for frames and takes all of them into `bytes`; returns `false` once the queue is closed. If it returns
    /// `true`, [`OutgoingQueue::end_write`] must follow.
    pub(crate) fn take_blocking(&self, bytes: &mut Vec<u8>, backoff: &mut Backoff) -> bool {
        bytes.clear();
        backoff.reset();
        let mut state = self.lock();
        while (state.bytes.is_empty() || state.is_writing) && !state.is_closed {
            if backoff.should_yield() {
                drop(state);
                backoff.record_yield(Backoff::yield_thread());
                state = self.lock();
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
        state.is_writing = true;
        state.bytes_in_write = bytes.len();
        true
    }

    /// Waits until the queue is below its limit, or is closed.
    pub(crate) fn wait_for_capacity_blocking(&self) {
        let mut state = self.lock();
        while state.is_full(self.limit) && !state.is_closed {
            state = self.wait_for_change(state);
        }
    }

    /// Records that part of the taken frames was written.
    pub(crate) fn record_progress(&self) {
        let mut state = self.lock();
        state.progress += 1;
    }

    /// Returns a number that changes with every write.
    pub(crate) fn progress(&self) -> u64 {
        self.lock().progress
    }

    /// Returns true if no frame waits to be written.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        !state.is_writing && state.bytes.is_empty()
    }

    /// Takes the queued frames, for a stream that only one task reads. Returns `None` if no more will follow. If these
    /// are the last, they come with the outcome of the response.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn poll_take(&self, task: &mut Context<'_>) -> Poll<Option<(Vec<u8>, Option<Outcome>)>> {
        let mut state = self.lock();
        if !state.bytes.is_empty() {
            if state.waiting_tasks > 0 {
                self.room.notify_waiters();
            }
            let bytes = std::mem::take(&mut state.bytes);
            state.update_gauge();
            return Poll::Ready(Some((bytes, state.ending)));
        }
        if state.is_closed || state.ending.is_some() {
            return Poll::Ready(None);
        }
        state.reader = Some(task.waker().clone());
        Poll::Pending
    }

    /// Takes the queued frames without waiting. If no more will follow, they come with the outcome of the response.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn take_queued(&self) -> (Vec<u8>, Option<Outcome>) {
        let mut state = self.lock();
        let bytes = std::mem::take(&mut state.bytes);
        if !bytes.is_empty() && state.waiting_tasks > 0 {
            self.room.notify_waiters();
        }
        state.update_gauge();
        (bytes, state.ending.or(state.is_closed.then_some(Outcome::Cancelled)))
    }

    /// Asks the reader to disconnect and reconnect later.
    pub(crate) fn request_disconnect(&self) {
        let mut state = self.lock();
        state.disconnect_requested = true;
        self.notify_readers(&mut state);
    }

    /// Returns true if the reader is asked to disconnect.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn is_disconnect_requested(&self) -> bool {
        self.lock().disconnect_requested
    }

    /// Clears the request when the reader disconnects or has reconnected. Returns whether it was set.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn take_disconnect_request(&self) -> bool {
        std::mem::take(&mut self.lock().disconnect_requested)
    }

    /// Wakes the reader that waits in [`OutgoingQueue::poll_take`].
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn wake_reader(&self) {
        if let Some(reader) = self.lock().reader.take() {
            reader.wake();
        }
    }

    /// Takes the queued frames, for a transport that has no thread to wait.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn take_frames(&self) -> Vec<u8> {
        loop {
            self.wait_for_frames().await;
            if let Some(bytes) = self.try_take() {
                return bytes;
            }
        }
    }

    /// Waits until there are frames, or the queue is closed.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn wait_for_frames(&self) {
        loop {
            // The future is created before the check, so that frames which arrive in between are not missed.
            let frames = self.frames.notified();
            if self.has_frames() {
                return;
            }
            frames.await;
        }
    }

    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    fn has_frames(&self) -> bool {
        let state = self.lock();
        !state.bytes.is_empty() || state.is_closed
    }

    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) fn try_take(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if state.bytes.is_empty() && !state.is_closed {
            return None;
        }
        if state.waiting_tasks > 0 {
            self.room.notify_waiters();
        }
        let bytes = std::mem::take(&mut state.bytes);
        state.update_gauge();
        Some(bytes)
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
            let taken = outgoing.try_take().unwrap();
            let late: &[u8] = if is_last { b"" } else { b"late\n" };
            assert_eq!(taken, [b"first\n", long.as_slice(), late].concat());
        }
    }

    #[test]
    fn memory_of_large_frames_is_released_when_idle() {
        let outgoing = OutgoingQueue::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut taken = Vec::with_capacity(4 * MAX_IDLE_CAPACITY);
                outgoing.lock().bytes.reserve(4 * MAX_IDLE_CAPACITY);
                assert!(outgoing.take_blocking(&mut taken, &mut Backoff::default()));
                taken.capacity() + outgoing.lock().bytes.capacity()
            });
            std::thread::sleep(6 * SHRINK_AFTER);
            outgoing.push(b"frame\n");
            let kept = waiting.join().unwrap();
            assert!(kept < MAX_IDLE_CAPACITY, "{kept} bytes");
        });
    }

    #[test]
    fn a_long_response_is_queued_without_a_copy_and_wakes_the_writer() {
        let outgoing = Arc::new(OutgoingQueue::default());
        let taken = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut bytes = Vec::new();
                assert!(outgoing.take_blocking(&mut bytes, &mut Backoff::default()));
                bytes
            });
            while outgoing.lock().waiting_threads == 0 {
                std::thread::yield_now();
            }
            let long = vec![b'x'; MIN_MOVED_BYTES];
            let place = long.as_ptr();
            outgoing.push_response(long, Outcome::Ok);
            let taken = waiting.join().unwrap();
            (taken.len(), taken.as_ptr() == place)
        });
        assert_eq!(taken, (MIN_MOVED_BYTES, true));
    }
}
