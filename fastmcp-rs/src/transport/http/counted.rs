//! Things of which there may be so many: messages, streams, connections; altogether, or of each peer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One that counts, as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// One more, unless there are `limit` already.
    pub(super) fn new(counter: &Arc<AtomicUsize>, limit: usize) -> Option<Counted> {
        if counter.fetch_add(1, Ordering::AcqRel) >= limit {
            counter.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Counted(Arc::clone(counter)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Counters by something that tells peers apart. Who has none left takes no room.
#[derive(Debug)]
pub(super) struct PerPeer<K> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    limit: usize,
}

/// One that counts for its peer, as long as it lives.
#[derive(Debug)]
pub(super) struct CountedFor<K: Eq + Hash> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Eq + Hash + Clone> PerPeer<K> {
    pub(super) fn new(limit: usize) -> PerPeer<K> {
        PerPeer { open: Arc::default(), limit }
    }

    /// One more of that peer, unless it has as many as it may.
    pub(super) fn count(&self, key: K) -> Option<CountedFor<K>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&key).copied().unwrap_or_default();
        if count >= self.limit {
            return None;
        }
        open.insert(key.clone(), count + 1);
        Some(CountedFor { open: Arc::clone(&self.open), key })
    }
}

impl<K: Eq + Hash> Drop for CountedFor<K> {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_own_limit() {
        let peers = PerPeer::new(2);
        let held = [peers.count("a"), peers.count("a")];
        assert!(held.iter().all(Option::is_some) && peers.count("a").is_none());
        assert!(peers.count("b").is_some());
        drop(held);
        assert!(peers.count("a").is_some());
        assert!(peers.open.lock().unwrap().is_empty());
    }
}
