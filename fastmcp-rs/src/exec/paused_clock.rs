//! Holds a clock that a test has paused while a thread of the pool works.
//!
//! tokio advances a paused clock to the next timer, which may be the call's time limit, as soon as its runtime is idle,
//! and it does not know the threads of our pool. So a blocking task of the runtime, which tokio does know, waits for as
//! long as such a thread works. This happens only while an app is under test.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;

use crate::util::sync::Mutex;

/// The number of apps under test in this process.
static RUNNING_TESTS: AtomicUsize = AtomicUsize::new(0);

/// Counts an app as under test until it is dropped.
#[cfg(feature = "testing")]
pub(crate) struct TestRegistration(());

#[cfg(feature = "testing")]
impl TestRegistration {
    pub(crate) fn new() -> TestRegistration {
        RUNNING_TESTS.fetch_add(1, Ordering::Relaxed);
        TestRegistration(())
    }
}

#[cfg(feature = "testing")]
impl Drop for TestRegistration {
    fn drop(&mut self) {
        RUNNING_TESTS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns true if an app is under test, so that its clock may be paused.
pub(crate) fn may_be_paused() -> bool {
    cfg!(feature = "testing") && RUNNING_TESTS.load(Ordering::Relaxed) > 0
}

/// Holds the clock until it is dropped, except while a polled future is pending.
pub(crate) struct ClockHold {
    runtime: Handle,
    state: Mutex<HoldState>,
}

#[derive(Default)]
struct HoldState {
    /// Holds the clock while it exists: the blocking task ends when this sender is dropped.
    held: Option<mpsc::Sender<()>>,
    /// True if the future was woken since it was last polled.
    is_woken: bool,
}

impl ClockHold {
    pub(crate) fn hold_if_tested(runtime: &Handle) -> Option<Arc<ClockHold>> {
        if !may_be_paused() {
            return None;
        }
        let clock = ClockHold { runtime: runtime.clone(), state: Mutex::default() };
        clock.hold_clock(false);
        Some(Arc::new(clock))
    }

    fn hold_clock(&self, is_woken: bool) {
        let mut state = self.state.lock();
        state.is_woken = is_woken;
        if state.held.is_none() {
            let (sender, receiver) = mpsc::channel();
            state.held = Some(sender);
            // `recv` returns an error, and the task ends, when the sender is dropped.
            self.runtime.spawn_blocking(move || receiver.recv());
        }
    }

    /// Polls a future. The clock runs while the future is pending, and is held again as soon as the future is woken.
    pub(crate) fn poll<F: Future>(self: Arc<ClockHold>, work: Pin<&mut F>, task: &mut Context<'_>) -> Poll<F::Output> {
        self.hold_clock(false);
        let waker = Waker::from(Arc::new(HoldOnWake { clock: Arc::downgrade(&self), task: task.waker().clone() }));
        let polled = work.poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            let mut state = self.state.lock();
            if !state.is_woken {
                state.held = None;
            }
        }
        polled
    }
}

/// Holds the clock before it wakes the polling thread; otherwise the clock could advance first.
struct HoldOnWake {
    clock: Weak<ClockHold>,
    task: Waker,
}

impl Wake for HoldOnWake {
    fn wake(self: Arc<Self>) {
        if let Some(clock) = self.clock.upgrade() {
            clock.hold_clock(true);
        }
        self.task.wake_by_ref();
    }
}
