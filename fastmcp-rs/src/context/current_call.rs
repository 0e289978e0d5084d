//! The current call of a thread, for code that gets no `Context`, such as a `tracing` event in a helper.
//!
//! The engine sets it around each poll of a handler, and the pool of blocking threads around each job. Only
//! `logging::ClientLayer` reads it, so it is not set before such a layer is installed. Without the feature `logging`
//! the functions are empty, and cost a call nothing.

#[cfg(feature = "logging")]
pub(crate) use call::enable;
pub(crate) use call::{current, enter, is_enabled};

#[cfg(feature = "logging")]
mod call {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::context::Context;

    static ENABLED: AtomicBool = AtomicBool::new(false);

    thread_local! {
        static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
    }

    /// Starts to record the current call, for the rest of the process.
    pub(crate) fn enable() {
        ENABLED.store(true, Ordering::Relaxed);
    }

    /// Returns true if the current call is recorded.
    #[inline]
    pub(crate) fn is_enabled() -> bool {
        ENABLED.load(Ordering::Relaxed)
    }

    /// Returns the call that runs on this thread.
    pub(crate) fn current() -> Option<Context> {
        if !is_enabled() {
            return None;
        }
        CURRENT.try_with(|current| current.try_borrow().ok()?.clone()).ok().flatten()
    }

    /// Sets the current call of this thread until the returned guard is dropped.
    #[inline]
    pub(crate) fn enter(call: impl FnOnce() -> Option<Context>) -> Option<CurrentCallGuard> {
        is_enabled().then(|| CurrentCallGuard(replace(call())))
    }

    /// A guard that restores the previous call when it is dropped: handlers may run inside one another.
    pub(crate) struct CurrentCallGuard(Option<Context>);

    impl Drop for CurrentCallGuard {
        fn drop(&mut self) {
            // The replaced context may drop user values, and their destructors may read the current call. So it is
            // dropped after the borrow ends.
            drop(replace(self.0.take()));
        }
    }

    fn replace(call: Option<Context>) -> Option<Context> {
        CURRENT.try_with(|current| current.replace(call)).ok().flatten()
    }
}

#[cfg(not(feature = "logging"))]
mod call {
    use crate::context::Context;

    pub(crate) struct CurrentCallGuard;

    pub(crate) const fn is_enabled() -> bool {
        false
    }

    pub(crate) const fn current() -> Option<Context> {
        None
    }

    pub(crate) fn enter(_: impl FnOnce() -> Option<Context>) -> Option<CurrentCallGuard> {
        None
    }
}
