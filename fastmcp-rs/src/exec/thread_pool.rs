//! Threads for tools that block.
//!
//! A `fn` tool may compute or wait for any time, so it never runs on the reader or on the runtime's workers. This pool
//! is used instead of tokio's because tokio waits for its blocking threads when a runtime is dropped: a stuck tool
//! would keep a process alive whose client has gone.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{self, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::exec::backoff::Backoff;
use crate::util::count::counted;
use crate::util::sync::{Condvar, Mutex, MutexGuard};
use crate::util::{catch_panic, operator_log};

/// The maximum number of threads.
const MAX_THREADS: usize = 64;
/// The time after which an idle thread ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Job = Box<dyn FnOnce() + Send>;
/// A job that waits for a thread. Its caller empties the slot when the job is no longer needed, so that the job's
/// values are dropped without waiting for a thread.
pub(crate) type JobSlot = Arc<Mutex<Option<Job>>>;

struct ThreadPool {
    state: Mutex<PoolState>,
    work_available: Condvar,
}

#[derive(Default)]
struct PoolState {
    jobs: VecDeque<JobSlot>,
    /// The number of empty slots among the jobs.
    empty_slots: usize,
    threads: usize,
    idle: usize,
    /// The number of waiting jobs at the last overload warning, while all threads are busy.
    last_warned: usize,
    /// True while a thread is about to look for work: it was notified, is starting, or is yielding to other threads.
    is_waking_thread: bool,
    /// The backoff of the thread that yields.
    backoff: Backoff,
}

impl PoolState {
    /// Returns true if a warning is due that a new job waits because all threads are busy. Warnings are due at powers
    /// of two, and only once per number while the threads stay busy, so that a flood of calls does not flood the log.
    fn should_warn_of_overload(&mut self) -> bool {
        let is_full = self.threads >= MAX_THREADS && self.idle == 0 && !self.is_waking_thread;
        let waiting = self.jobs.len();
        let should_warn = is_full && waiting.is_power_of_two() && waiting > self.last_warned;
        if should_warn {
            self.last_warned = waiting;
        }
        should_warn
    }
}

static POOL: OnceLock<ThreadPool> = OnceLock::new();

thread_local! {
    static IS_POOL_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Returns true if this is a thread of the pool.
pub(crate) fn is_pool_thread() -> bool {
    IS_POOL_THREAD.get()
}

/// Returns the number of jobs that wait for a thread.
#[cfg(feature = "metrics")]
pub(crate) fn queued_jobs() -> usize {
    POOL.get().map_or(0, |pool| {
        let state = pool.state.lock();
        state.jobs.len().saturating_sub(state.empty_slots)
    })
}

/// Empties a job's slot when its caller is gone.
pub(crate) struct JobGuard(pub(crate) JobSlot);

impl Drop for JobGuard {
    fn drop(&mut self) {
        let job = self.0.lock().take();
        if job.is_none() {
            return;
        }
        if let Some(pool) = POOL.get() {
            let mut state = pool.state.lock();
            state.empty_slots += 1;
            if state.empty_slots > 64 && state.empty_slots * 2 > state.jobs.len() {
                state.jobs.retain(|slot| slot.lock().is_some());
                state.empty_slots = 0;
            }
        }
    }
}

/// Polls a future on this thread until it is ready.
///
/// tokio's own `block_on` marks the thread as one of a runtime, where libraries that block panic, because they wait
/// with `Runtime::block_on` or `blocking_recv` themselves.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let wake = Arc::new(ThreadWaker { thread: thread::current(), is_woken: AtomicBool::new(true) });
    let waker = Waker::from(Arc::clone(&wake));
    let mut future = pin!(future);
    loop {
        // The future may park the thread, too, and consume the token of `unpark`.
        while !wake.is_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
        if let Poll::Ready(value) = future.as_mut().poll(&mut task::Context::from_waker(&waker)) {
            return value;
        }
    }
}

/// Wakes a thread that waits in [`block_on`].
struct ThreadWaker {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

pub(crate) fn submit_job(tool: &str, job: Job) -> JobSlot {
    let slot: JobSlot = Arc::new(Mutex::new(Some(job)));
    let pool = POOL.get_or_init(|| ThreadPool { state: Mutex::default(), work_available: Condvar::new() });
    let mut state = pool.state.lock();
    state.jobs.push_back(Arc::clone(&slot));
    let waiting = state.jobs.len();
    let should_warn = state.should_warn_of_overload();
    wake_thread(pool, state);
    if should_warn {
        operator_log::warn(format_args!(
            "all {MAX_THREADS} threads for blocking tools are busy; {} in the queue, and the last is of `{tool}`",
            counted(waiting, "call")
        ));
    }
    slot
}

/// Makes a thread take the waiting jobs.
///
/// It notifies or starts one thread at a time, and that thread does the same for the next one if more jobs wait. So a
/// job never waits for a job that blocks, and quick jobs, which the first thread takes one after another, need no
/// system call each.
fn wake_thread(pool: &'static ThreadPool, mut state: MutexGuard<'_, PoolState>) {
    if state.jobs.is_empty() || state.is_waking_thread {
        return;
    }
    if state.idle > 0 {
        state.is_waking_thread = true;
        pool.work_available.notify_one();
        return;
    }
    if state.threads >= MAX_THREADS {
        return;
    }
    state.is_waking_thread = true;
    state.threads += 1;
    drop(state);
    if thread::Builder::new().name("mcp-blocking".into()).spawn(move || run_worker(pool)).is_err() {
        let mut state = pool.state.lock();
        state.is_waking_thread = false;
        state.threads -= 1;
        if state.threads == 0 {
            // No thread is left to take the jobs; dropping them answers their calls.
            for slot in state.jobs.drain(..) {
                slot.lock().take();
            }
        }
    }
}

fn run_worker(pool: &'static ThreadPool) {
    IS_POOL_THREAD.set(true);
    let mut state = pool.state.lock();
    state.is_waking_thread = false;
    loop {
        if let Some(slot) = state.jobs.pop_front() {
            state.backoff.reset();
            wake_thread(pool, state);
            let job = slot.lock().take();
            let was_empty = job.is_none();
            // The values of a job may panic when they are dropped, and the thread must continue.
            let _ = catch_panic::run_catching(|| job.map(|job| job()));
            state = pool.state.lock();
            state.empty_slots = state.empty_slots.saturating_sub(usize::from(was_empty));
            continue;
        }
        if !state.is_waking_thread && state.backoff.should_yield() {
            state.is_waking_thread = true;
            drop(state);
            let took = Backoff::yield_thread();
            state = pool.state.lock();
            state.is_waking_thread = false;
            state.backoff.record_yield(took);
            continue;
        }
        state.backoff.reset();
        state.last_warned = 0;
        state.idle += 1;
        let (guard, timeout) = pool.work_available.wait_timeout(state, IDLE_TIMEOUT);
        state = guard;
        state.idle -= 1;
        state.is_waking_thread = false;
        if timeout.timed_out() && state.jobs.is_empty() {
            state.threads -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::context::blocking::run;

    #[test]
    fn a_growing_queue_of_blocking_calls_is_logged_at_each_doubling() {
        let mut state = PoolState { threads: MAX_THREADS, ..PoolState::default() };
        let mut last_warned = Vec::new();
        for waiting in [1, 1, 2, 3, 4, 1, 2, 5, 8, 8] {
            state.jobs.clear();
            state.jobs.extend((0..waiting).map(|_| JobSlot::default()));
            if state.should_warn_of_overload() {
                last_warned.push(waiting);
            }
        }
        assert_eq!(last_warned, [1, 2, 4, 8]);
        state.idle = 1;
        state.jobs.extend((0..8).map(|_| JobSlot::default()));
        assert!(!state.should_warn_of_overload(), "a thread has nothing to do");
    }

    #[tokio::test]
    async fn a_blocked_job_does_not_delay_others() {
        const JOBS: usize = MAX_THREADS / 2;
        // The job runs twice, because the threads have to be started at first, and are idle then.
        for _ in 0..2 {
            let barrier = Arc::new(Barrier::new(JOBS));
            let jobs: Vec<_> = (0..JOBS)
                .map(|_| {
                    let barrier = Arc::clone(&barrier);
                    tokio::spawn(run("x", move || barrier.wait().is_leader()))
                })
                .collect();
            for job in jobs {
                // A sleeping thread checks again by itself after `IDLE_TIMEOUT`.
                let ended = tokio::time::timeout(IDLE_TIMEOUT / 2, job).await;
                ended.expect("all of them run at once").unwrap().unwrap();
            }
        }
    }
}
