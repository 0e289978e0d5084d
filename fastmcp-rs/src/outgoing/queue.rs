//! The frames that wait to be written to one peer.
//!
//! It is bounded in bytes: a call waits with its answer until the peer has read enough of what came before,
//! and a notification that finds no room is dropped, since it only informs. It does no input or output; a
//! transport takes the bytes from it.

use std::any::Any;
use std::fmt::Debug;
#[cfg(feature = "metrics")]
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

use crate::exec::backoff::Backoff;

/// The most bytes that wait before answers wait too.
const DEFAULT_LIMIT: usize = 8 << 20;
/// The same where each request has an outbox of its own.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
const EXCHANGE_LIMIT: usize = 256 << 10;
/// The same for what belongs to no request: most sessions are never asked for it.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
const SESSION_LIMIT: usize = 16 << 10;

/// Answers from this length on are taken over if nothing is before them; shorter ones are copied into the room that is
/// there already.
const MIN_MOVED_BYTES: usize = 64 << 10;

/// Room beyond this is given back once it was not used for [`SHRINK_AFTER`]: large messages have left it behind.
pub(crate) const MAX_IDLE_CAPACITY: usize = 1 << 20;
/// For how long such room is kept.
pub(crate) const SHRINK_AFTER: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

#[derive(Debug)]
pub(crate) struct OutgoingQueue {
    limit: usize,
    /// Whether there is nothing more once an answer has come.
    ends_with_response: bool,
    state: Mutex<QueueState>,
    /// Told of every change, for threads.
    changed: Condvar,
    /// Told when there is room, for tasks.
    room: Notify,
    /// Told when there are frames, for tasks.
    frames: Notify,
    /// Told of every frame, for one who bounds what waits while nobody reads.
    observer: OnceLock<Box<dyn QueueObserver>>,
}

/// Keeps the frames of an outbox within bounds while its reader is away.
pub(crate) trait QueueObserver: Debug + Send + Sync {
    /// Is called after frames were added, without any lock of the outbox.
    fn on_frames_added(&self);
}

#[derive(Debug, Default)]
struct QueueState {
    bytes: Vec<u8>,
    /// Whether somebody is writing what was taken.
    is_writing: bool,
    /// How many bytes that is: they wait for the peer as well.
    bytes_in_write: usize,
    is_closed: bool,
    /// How many threads wait for a change. To tell nobody would still be a system call.
    waiting_threads: usize,
    /// How many tasks wait for room.
    waiting_tasks: usize,
    /// Whether the last frames are in `bytes`, or were taken.
    is_finished: bool,
    /// Whether whoever reads is to go away and come back later.
    disconnect_requested: bool,
    /// The one who takes frames by [`OutgoingQueue::poll_take`].
    reader: Option<Waker>,
    /// What somebody wants to be dropped when the last frames have come.
    retained: Option<Box<dyn Any + Send>>,
    /// Changes whenever something was written.
    progress: u64,
    #[cfg(feature = "metrics")]
    depth: DepthGauge,
}

/// How many of its bytes an outbox has added to a number that others read.
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
    /// Whether no more should be added.
    fn is_full(&self, limit: usize) -> bool {
        self.bytes.len() + self.bytes_in_write >= limit
    }

    /// What waits has changed.
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
    /// An outbox for the answer to one request, and for what precedes it.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn for_exchange() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue { limit: EXCHANGE_LIMIT, ends_with_response: true, ..OutgoingQueue::default() })
    }

    /// An outbox for what belongs to no request of a session.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn for_session() -> Arc<OutgoingQueue> {
        Arc::new(OutgoingQueue { limit: SESSION_LIMIT, ..OutgoingQueue::default() })
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds frames, each with its newline, whatever the bound: for a reader that stops reading by itself
    /// when too much waits.
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

    /// Adds the frames of an answer; where each request has an outbox of its own, there are no more.
    pub(crate) fn push_response(&self, frames: Vec<u8>) {
        if frames.is_empty() && !self.ends_with_response {
            return;
        }
        let mut state = self.lock();
        if state.is_closed || state.is_finished {
            state.retained = None;
            return;
        }
        if state.bytes.is_empty() && frames.len() >= MIN_MOVED_BYTES {
            state.bytes = frames;
        } else {
            state.bytes.extend_from_slice(&frames);
        }
        if self.ends_with_response {
            state.is_finished = true;
            state.retained = None;
        }
        self.notify_readers(&mut state);
        drop(state);
        self.notify_observer();
    }

    /// Keeps something until the last frames have come, or nobody takes them any more.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn retain_until_end(&self, retained: impl Any + Send) {
        let mut state = self.lock();
        if !state.is_closed && !state.is_finished {
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

    /// Sets the keeper, which stays.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn set_observer(&self, observer: impl QueueObserver + 'static) {
        // Whoever has set it before keeps it.
        let _ = self.observer.set(Box::new(observer));
    }

    /// Lets the keeper look at what waits.
    pub(crate) fn notify_observer(&self) {
        if let Some(observer) = self.observer.get() {
            observer.on_frames_added();
        }
    }

    /// How many bytes wait.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().bytes.len()
    }

    /// Waits until there is room, or the peer is gone.
    pub(crate) async fn wait_for_capacity(&self) {
        loop {
            // Made before the look, so that room which appears in between is not missed.
            let room = self.room.notified();
            if !self.register_waiter() {
                return;
            }
            room.await;
            self.lock().waiting_tasks -= 1;
        }
    }

    /// Whether there is no room; then a task is known to wait for it.
    fn register_waiter(&self) -> bool {
        let mut state = self.lock();
        let full = state.is_full(self.limit) && !state.is_closed;
        state.waiting_tasks += usize::from(full);
        full
    }

    /// Adds what waits here to a number, from now on.
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

    /// Waits; if nothing happens for a while, gives back the room that is kept for the next frames.
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

    /// The peer reads no more: drops what waits, and all that is still to come.
    pub(crate) fn close(&self) {
        drop(self.lock().retained.take());
        self.abandon();
    }

    /// The same for a call that goes on without a reader: what is held stays until the call has ended.
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

    /// Lets the caller write frames itself if nobody else is writing: the way of a reader whose answers are
    /// ready. What waits already is put in front of them. [`OutgoingQueue::end_write`] must follow when it is `true`.
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

    /// The frames that were taken, or that the caller had, are written.
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

    /// Waits for frames and takes all of them into `bytes`; `false` once the outbox is closed.
    /// [`OutgoingQueue::end_write`] must follow when it is `true`.
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

    /// Waits until fewer bytes wait than the bound, or the outbox is closed.
    pub(crate) fn wait_for_capacity_blocking(&self) {
        let mut state = self.lock();
        while state.is_full(self.limit) && !state.is_closed {
            state = self.wait_for_change(state);
        }
    }

    /// Part of the frames that were taken is written.
    pub(crate) fn record_progress(&self) {
        let mut state = self.lock();
        state.progress += 1;
    }

    /// A number that changes whenever something was written.
    pub(crate) fn progress(&self) -> u64 {
        self.lock().progress
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        !state.is_writing && state.bytes.is_empty()
    }

    /// Takes the frames that are there, for a stream that only one task reads. `None` when there will be no more;
    /// the flag tells that these are the last.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn poll_take(&self, task: &mut Context<'_>) -> Poll<Option<(Vec<u8>, bool)>> {
        let mut state = self.lock();
        if !state.bytes.is_empty() {
            if state.waiting_tasks > 0 {
                self.room.notify_waiters();
            }
            let bytes = std::mem::take(&mut state.bytes);
            state.update_gauge();
            return Poll::Ready(Some((bytes, state.is_finished)));
        }
        if state.is_closed || state.is_finished {
            return Poll::Ready(None);
        }
        state.reader = Some(task.waker().clone());
        Poll::Pending
    }

    /// Takes the frames that are there, for one who does not wait for more. The flag tells that there will be no more.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn take_queued(&self) -> (Vec<u8>, bool) {
        let mut state = self.lock();
        let bytes = std::mem::take(&mut state.bytes);
        if !bytes.is_empty() && state.waiting_tasks > 0 {
            self.room.notify_waiters();
        }
        state.update_gauge();
        (bytes, state.is_finished || state.is_closed)
    }

    /// Asks whoever takes frames to go away and come back later.
    pub(crate) fn request_disconnect(&self) {
        let mut state = self.lock();
        state.disconnect_requested = true;
        self.notify_readers(&mut state);
    }

    /// Whether who takes frames is asked to go away.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn is_disconnect_requested(&self) -> bool {
        self.lock().disconnect_requested
    }

    /// The same, for one who does go, or has come back.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn take_disconnect_request(&self) -> bool {
        std::mem::take(&mut self.lock().disconnect_requested)
    }

    /// Lets whoever waits in [`OutgoingQueue::poll_take`] look again.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(crate) fn wake_reader(&self) {
        if let Some(reader) = self.lock().reader.take() {
            reader.wake();
        }
    }

    /// Takes the frames that are there, for a transport that has no thread to wait.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn take_frames(&self) -> Vec<u8> {
        loop {
            self.wait_for_frames().await;
            if let Some(bytes) = self.try_take() {
                return bytes;
            }
        }
    }

    /// Waits until there are frames, or the outbox is closed.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn wait_for_frames(&self) {
        loop {
            // Made before the look, so that frames which come in between are not missed.
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
            outgoing.push_response(long.clone());
            outgoing.push_response(b"late\n".to_vec());
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
            outgoing.push_response(long);
            let taken = waiting.join().unwrap();
            (taken.len(), taken.as_ptr() == place)
        });
        assert_eq!(taken, (MIN_MOVED_BYTES, true));
    }
}
