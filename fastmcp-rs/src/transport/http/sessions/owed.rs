//! The number of responses that a session with a single stream has yet to send.
//!
//! Without the feature `legacy-sse` there are no such sessions.

pub(crate) use body::OwedResponses;

#[cfg(feature = "legacy-sse")]
mod body {
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    pub(crate) struct OwedResponses(AtomicUsize);

    impl OwedResponses {
        pub(crate) fn add(&self) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }

        /// Returns true if the removed response was the last one.
        pub(crate) fn remove(&self) -> bool {
            self.0.fetch_sub(1, Ordering::AcqRel) == 1
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.load(Ordering::Acquire) == 0
        }

        /// Returns true if there are none. It writes, so that the task which removes the last response afterwards sees
        /// everything that this thread did before.
        pub(crate) fn is_empty_now(&self) -> bool {
            self.0.fetch_add(0, Ordering::AcqRel) == 0
        }
    }
}

#[cfg(not(feature = "legacy-sse"))]
mod body {
    #[derive(Default)]
    pub(crate) struct OwedResponses(());

    impl OwedResponses {
        pub(crate) fn is_empty(&self) -> bool {
            true
        }
    }
}
