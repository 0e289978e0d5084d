//! How a session is used, from which it follows when it is idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::time::Instant;

// The clock of the runtime, so that tests can pause it.

/// How a session is used: by whom at the moment, and when for the last time.
#[derive(Debug)]
pub(crate) struct SessionUsage {
    pub(crate) start: Instant,
    /// Requests that are being served, calls that run, and streams that are open.
    pub(crate) users: AtomicUsize,
    /// When the last of them has ended, in milliseconds since `start`.
    pub(crate) last: AtomicU64,
}

/// Keeps a session in use as long as it lives.
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
        // Before it is no longer in use, or it could be found idle in between.
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
