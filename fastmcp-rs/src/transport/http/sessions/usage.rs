//! The usage of a session, which determines its idle time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

// The clock of the runtime, so that tests can pause it.
use tokio::time::Instant;

/// The current users of a session, and the time of its last use.
#[derive(Debug)]
pub(crate) struct SessionUsage {
    pub(crate) start: Instant,
    /// The number of requests that are being served, running calls, and open streams.
    pub(crate) users: AtomicUsize,
    /// The time at which the last use ended, in milliseconds since `start`.
    pub(crate) last: AtomicU64,
}

/// A guard that keeps a session in use until it is dropped.
#[derive(Debug)]
pub(crate) struct SessionUse(Arc<SessionUsage>);

impl SessionUse {
    pub(crate) fn new(usage: &Arc<SessionUsage>) -> SessionUse {
        usage.users.fetch_add(1, Ordering::AcqRel);
        SessionUse(Arc::clone(usage))
    }
}

impl Drop for SessionUse {
    fn drop(&mut self) {
        // The time is stored before the use ends; otherwise the session could be found idle in between.
        self.0.last.store(milliseconds_since(self.0.start), Ordering::Release);
        self.0.users.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(crate) fn milliseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Clone for SessionUse {
    fn clone(&self) -> SessionUse {
        SessionUse::new(&self.0)
    }
}
