//! Stops a clock that a test has paused while a thread of the pool works.
//!
//! tokio moves a paused clock on to the next timer, which may be the call's time limit, as soon as its runtime has
//! nothing to do; it knows nothing of our threads. So a blocking task of its own, which it does know of, waits for
//! as long as a thread works. All of that happens only where an app is under test.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;

/// How many apps are under test in this process.
static LIVE_TESTS: AtomicUsize = AtomicUsize::new(0);

/// Counts an app as under test until it is dropped.
#[cfg(feature = "testing")]
pub(crate) struct LiveTest(());

#[cfg(feature = "testing")]
impl LiveTest {
    pub(crate) fn new() -> LiveTest {
        LIVE_TESTS.fetch_add(1, Ordering::Relaxed);
        LiveTest(())
    }
}

#[cfg(feature = "testing")]
impl Drop for LiveTest {
    fn drop(&mut self) {
        LIVE_TESTS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether an app is under test, and so its clock may be paused.
pub(crate) fn may_be_paused() -> bool {
    cfg!(feature = "testing") && LIVE_TESTS.load(Ordering::Relaxed) > 0
}

/// The clock stands until this is dropped, except while work that is polled waits for something.
pub(crate) struct ClockStop {
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whoever holds this holds the clock.
    held: Option<mpsc::Sender<()>>,
    /// Whether the work is to be polled again.
    is_woken: bool,
}

impl ClockStop {
    pub(crate) fn begin(runtime: &Handle) -> Option<Arc<ClockStop>> {
        if !may_be_paused() {
            return None;
        }
        let clock = ClockStop { runtime: runtime.clone(), state: Mutex::default() };
        clock.hold(false);
        Some(Arc::new(clock))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, is_woken: bool) {
        let mut state = self.lock();
        state.is_woken = is_woken;
        if state.held.is_none() {
            let (sender, receiver) = mpsc::channel();
            state.held = Some(sender);
            // It ends with an error when the sender is dropped.
            self.runtime.spawn_blocking(move || receiver.recv());
        }
    }

    /// Polls work; the clock goes on while it waits, and stands as soon as it is woken.
    pub(crate) fn poll<F: Future>(self: Arc<ClockStop>, work: Pin<&mut F>, task: &mut Context<'_>) -> Poll<F::Output> {
        self.hold(false);
        let waker = Waker::from(Arc::new(StopOnWake { clock: Arc::downgrade(&self), task: task.waker().clone() }));
        let polled = work.poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            let mut state = self.lock();
            if !state.is_woken {
                state.held = None;
            }
        }
        polled
    }
}

/// Stops the clock before the thread that polls is woken, as the clock could be ahead of it otherwise.
struct StopOnWake {
    clock: Weak<ClockStop>,
    task: Waker,
}

impl Wake for StopOnWake {
    fn wake(self: Arc<Self>) {
        if let Some(clock) = self.clock.upgrade() {
            clock.hold(true);
        }
        self.task.wake_by_ref();
    }
}
