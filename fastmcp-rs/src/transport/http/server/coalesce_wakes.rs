//! Limits an HTTP/1 connection to one poll per request.
//!
//! hyper passes the body of a request to its service through a channel, and taking a chunk wakes the task that feeds
//! the channel. Over HTTP/1 the same task feeds and takes, so every request caused a second poll, which found nothing.
//! Therefore the connection is polled with its own waker, which can be held while a chunk is taken. The caller that
//! holds it decides whether the wake is needed, because more of the body is to come, or not.
//!
//! The second poll costs 1,160 instructions a request (callgrind, hyper 1.12 with a service that echoes: 11,520 with it,
//! 10,360 without), beside what this crate's own futures do in it.
//!
//! Only a wake of that same task is held, and only on the holding thread and from within the held work: other wakes are
//! never late.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

thread_local! {
    static POLLED_TASK: Cell<Option<PolledTask>> = const { Cell::new(None) };
}

/// The address of the task whose wakes are held, and whether a wake was held.
#[derive(Clone, Copy)]
struct PolledTask {
    task: *const (),
    was_woken: bool,
}

/// The waker with which a connection is polled.
#[derive(Default)]
pub(crate) struct CoalescedWaker(Option<(Arc<TaskWaker>, Waker)>);

/// The waker of the task that polls the connection.
struct TaskWaker(Waker);

impl CoalescedWaker {
    /// Returns the waker for a poll by `task`.
    pub(crate) fn waker_for(&mut self, task: &Context<'_>) -> &Waker {
        // A task nearly always keeps one waker, but it may change.
        if self.0.as_ref().is_some_and(|(known, _)| !known.0.will_wake(task.waker())) {
            self.0 = None;
        }
        let (_, waker) = self.0.get_or_insert_with(|| {
            let task = Arc::new(TaskWaker(task.waker().clone()));
            (Arc::clone(&task), Waker::from(task))
        });
        waker
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match POLLED_TASK.get() {
            Some(held) if ptr::eq(held.task, Arc::as_ptr(self).cast()) => {
                POLLED_TASK.set(Some(PolledTask { was_woken: true, ..held }));
            }
            _ => self.0.wake_by_ref(),
        }
    }
}

/// Runs `work` and holds the wakes of the task that runs it. The flag is `true` if a wake was held; the caller then
/// wakes the task if that is needed.
pub(crate) fn hold_wakes<T>(task: &mut Context<'_>, work: impl FnOnce(&mut Context<'_>) -> T) -> (T, bool) {
    /// Releases the wakes even if the work panics.
    struct ReleaseOnDrop;
    impl Drop for ReleaseOnDrop {
        fn drop(&mut self) {
            POLLED_TASK.set(None);
        }
    }
    let _let_go = ReleaseOnDrop;
    POLLED_TASK.set(Some(PolledTask { task: task.waker().data(), was_woken: false }));
    let done = work(task);
    (done, POLLED_TASK.get().is_some_and(|held| held.was_woken))
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_wake_is_held_only_for_its_own_task() {
        let (counter, other) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        let count = |counter: &Counter| counter.0.load(Ordering::Relaxed);
        let task = Waker::from(Arc::clone(&counter));
        let mut wakes = CoalescedWaker::default();
        let waker = wakes.waker_for(&Context::from_waker(&task)).clone();
        waker.wake_by_ref();
        assert_eq!(count(&counter), 1, "nothing is held");
        let hold = |work: &dyn Fn()| hold_wakes(&mut Context::from_waker(&waker), |_| work()).1;
        let is_held = hold(&|| {
            waker.wake_by_ref();
            waker.wake_by_ref();
        });
        assert!(is_held && count(&counter) == 1);
        let is_held = hold(&|| std::thread::scope(|threads| threads.spawn(|| waker.wake_by_ref()).join().unwrap()));
        assert!(!is_held && count(&counter) == 2, "a wake from elsewhere is not late");
        let is_held = hold(&|| CoalescedWaker::default().waker_for(&Context::from_waker(&task)).wake_by_ref());
        assert!(!is_held && count(&counter) == 3, "nor is that of another connection");
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| hold(&|| panic!("on purpose")))).is_err());
        waker.wake_by_ref();
        assert_eq!(count(&counter), 4, "nothing is held after a panic");
        // From now on another task polls.
        let moved = Waker::from(Arc::clone(&other));
        wakes.waker_for(&Context::from_waker(&moved)).wake_by_ref();
        assert_eq!((count(&counter), count(&other)), (4, 1));
    }
}
