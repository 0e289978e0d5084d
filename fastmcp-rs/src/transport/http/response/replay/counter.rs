//! Counts the bytes that are stored for clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes that are stored for clients. A counter adds its bytes to a parent: session, peer, server.
#[derive(Debug, Default)]
pub(crate) struct ByteCounter {
    bytes: AtomicUsize,
    whole: Option<Arc<ByteCounter>>,
}

impl ByteCounter {
    pub(crate) fn for_parent(whole: &Arc<ByteCounter>) -> Arc<ByteCounter> {
        Arc::new(ByteCounter { bytes: AtomicUsize::new(0), whole: Some(Arc::clone(whole)) })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    /// Returns the number of bytes beyond a limit.
    pub(crate) fn excess(&self, limit: usize) -> usize {
        self.bytes().saturating_sub(limit)
    }

    pub(super) fn change(&self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let mut part = Some(self);
        while let Some(ledger) = part {
            // Adds first, so that the counter is never too low.
            ledger.bytes.fetch_add(to, Ordering::AcqRel);
            ledger.bytes.fetch_sub(from, Ordering::AcqRel);
            part = ledger.whole.as_deref();
        }
    }
}
