//! The number of bytes that wait in all outgoing queues of a server, for its metrics.
//!
//! Without the feature `metrics` the types are empty and the functions do nothing.

pub(crate) use body::{QueueDepth, QueueShare};

#[cfg(feature = "metrics")]
mod body {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// The sum over all queues.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct QueueDepth(Arc<AtomicI64>);

    impl QueueDepth {
        /// Returns the number of bytes that wait now.
        pub(crate) fn total(&self) -> i64 {
            self.0.load(Ordering::Relaxed).max(0)
        }
    }

    /// The share of one queue in the sum.
    #[derive(Debug, Default)]
    pub(crate) struct QueueShare {
        added: i64,
        sum: Option<QueueDepth>,
    }

    impl QueueShare {
        /// Adds the queue to a sum, from its next change on. A queue belongs to one sum.
        pub(crate) fn join(&mut self, sum: &QueueDepth) {
            self.sum.get_or_insert_with(|| sum.clone());
        }

        /// Sets the number of bytes that wait in the queue.
        pub(crate) fn set(&mut self, bytes: usize) {
            if let Some(sum) = &self.sum {
                let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
                sum.0.fetch_add(bytes - self.added, Ordering::Relaxed);
                self.added = bytes;
            }
        }
    }

    impl Drop for QueueShare {
        fn drop(&mut self) {
            self.set(0);
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod body {
    pub(crate) enum QueueDepth {}

    #[derive(Debug, Default)]
    pub(crate) struct QueueShare;

    impl QueueShare {
        pub(crate) fn join(&mut self, sum: &QueueDepth) {
            match *sum {}
        }

        pub(crate) fn set(&mut self, _bytes: usize) {}
    }
}
