//! Which call runs on this thread, for code that is given no `Context`: a `tracing` event in a helper.
//!
//! The engine sets it around each poll of a handler, and the pool of blocking threads around each job. Only
//! `logging::ClientLayer` asks for it, so nothing is set until one is installed; and without the feature `logging`
//! there is nothing to set, and no code for it on the way of a call.

#[cfg(feature = "logging")]
pub(crate) use call::want;
pub(crate) use call::{current, enter, is_wanted};

#[cfg(feature = "logging")]
mod call {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::context::Context;

    static WANTED: AtomicBool = AtomicBool::new(false);

    thread_local! {
        static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
    }

    /// Somebody asks for the current call from now on.
    pub(crate) fn want() {
        WANTED.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asks for the current call.
    #[inline]
    pub(crate) fn is_wanted() -> bool {
        WANTED.load(Ordering::Relaxed)
    }

    /// The call that runs on this thread.
    pub(crate) fn current() -> Option<Context> {
        if !is_wanted() {
            return None;
        }
        CURRENT.try_with(|current| current.try_borrow().ok()?.clone()).ok().flatten()
    }

    /// Makes a call the one that runs on this thread, until what is returned is dropped.
    #[inline]
    pub(crate) fn enter(call: impl FnOnce() -> Option<Context>) -> Option<Entered> {
        is_wanted().then(|| Entered(replace(call())))
    }

    /// Holds what was current before: handlers may run inside one another.
    pub(crate) struct Entered(Option<Context>);

    impl Drop for Entered {
        fn drop(&mut self) {
            // What a context holds may be dropped with it, and may ask for the current call.
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

    pub(crate) struct Entered;

    pub(crate) const fn is_wanted() -> bool {
        false
    }

    pub(crate) const fn current() -> Option<Context> {
        None
    }

    pub(crate) fn enter(_: impl FnOnce() -> Option<Context>) -> Option<Entered> {
        None
    }
}
