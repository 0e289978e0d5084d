//! Permits that cap concurrent messages, streams and connections, globally and per peer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::peer::Peer;

/// One that counts, as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// One more, unless there are `limit` already.
    pub(crate) fn new(counter: &Arc<AtomicUsize>, limit: usize) -> Option<Counted> {
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
pub(crate) struct PerPeer<K> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    limit: usize,
}

/// One that counts for its peer, as long as it lives.
#[derive(Debug)]
pub(crate) struct CountedFor<K: Eq + Hash> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Eq + Hash + Clone> PerPeer<K> {
    pub(crate) fn new(limit: usize) -> PerPeer<K> {
        PerPeer { open: Arc::default(), limit }
    }

    /// One more of that peer, unless it has as many as it may.
    pub(crate) fn count(&self, key: K) -> Option<CountedFor<K>> {
        let open = self.lock();
        if open.get(&key).is_some_and(|count| *count >= self.limit) || self.limit == 0 {
            return None;
        }
        Some(self.add_to(open, key))
    }

    /// One more of that peer, even if it has as many as it may.
    fn add(&self, key: K) -> CountedFor<K> {
        self.add_to(self.lock(), key)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_to(&self, mut open: MutexGuard<'_, HashMap<K, usize>>, key: K) -> CountedFor<K> {
        *open.entry(key.clone()).or_default() += 1;
        CountedFor { open: Arc::clone(&self.open), key }
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

/// Caps the messages that are served at a time, globally and per peer.
///
/// Most messages are answered at once. So one is counted for its peer only when it waits for something, or when so many
/// are served that a peer could have reached its limit: until then, there is nothing to look up.
#[derive(Debug)]
pub(crate) struct Permits {
    all: Arc<AtomicUsize>,
    limit: usize,
    of_peers: PerPeer<Peer>,
}

/// A permit for one message, as long as it lives.
#[derive(Debug)]
pub(crate) struct Permit {
    _counted: Counted,
    of_peer: Option<CountedFor<Peer>>,
    /// Those of the other messages of a batch.
    _others: Vec<Permit>,
}

/// There is no permit left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Globally,
    ForPeer,
}

impl Permits {
    pub(crate) fn new(limit: usize, per_peer: usize) -> Permits {
        Permits { all: Arc::default(), limit, of_peers: PerPeer::new(per_peer) }
    }

    pub(crate) fn acquire(&self, peer: Option<&Peer>) -> Result<Permit, Exhausted> {
        let counted = Counted::new(&self.all, self.limit).ok_or(Exhausted::Globally)?;
        let of_peer = match peer {
            Some(peer) if self.len() > self.of_peers.limit => {
                Some(self.of_peers.count(peer.clone()).ok_or(Exhausted::ForPeer)?)
            }
            _ => None,
        };
        Ok(Permit { _counted: counted, of_peer, _others: Vec::new() })
    }

    /// Makes a permit one for all messages of a batch, or at most for as many as one peer may have: a larger batch would
    /// never be served.
    pub(crate) fn extend(&self, peer: Option<&Peer>, permit: &mut Permit, messages: usize) -> Result<(), Exhausted> {
        self.count_for(peer, permit);
        let most = if peer.is_some() { self.of_peers.limit.min(self.limit) } else { self.limit };
        let others = (1..messages.min(most)).map(|_| {
            let counted = Counted::new(&self.all, self.limit).ok_or(Exhausted::Globally)?;
            let of_peer = peer.map(|peer| self.of_peers.count(peer.clone()).ok_or(Exhausted::ForPeer)).transpose()?;
            Ok(Permit { _counted: counted, of_peer, _others: Vec::new() })
        });
        permit._others = others.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Counts a message for its peer, because it waits for something.
    pub(crate) fn count_for(&self, peer: Option<&Peer>, permit: &mut Permit) {
        if let (Some(peer), None) = (peer, &permit.of_peer) {
            permit.of_peer = Some(self.of_peers.add(peer.clone()));
        }
    }

    /// The number of messages that are being served.
    pub(crate) fn len(&self) -> usize {
        self.all.load(Ordering::Acquire)
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

    #[test]
    fn a_waiting_message_counts_for_its_peer() {
        let peer = |address: &str| Some(Peer::of_address(address.parse().unwrap()));
        let (bad, good) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let permits = Permits::new(6, 2);
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut permit = permits.acquire(bad.as_ref()).unwrap();
            permits.count_for(bad.as_ref(), &mut permit);
            permits.count_for(bad.as_ref(), &mut permit);
            waiting.push(permit);
        }
        assert_eq!(permits.acquire(bad.as_ref()).unwrap_err(), Exhausted::ForPeer);
        assert_eq!(permits.len(), 2, "what is refused takes nothing");
        let others = [permits.acquire(good.as_ref()), permits.acquire(None), permits.acquire(None)];
        assert!(others.iter().all(Result::is_ok));
        assert!(permits.acquire(None).is_ok());
        let last = permits.acquire(good.as_ref()).unwrap();
        assert_eq!(permits.acquire(None).unwrap_err(), Exhausted::Globally);
        drop((waiting, others, last));
        assert_eq!(permits.len(), 0);
        assert!(permits.of_peers.open.lock().unwrap().is_empty());
        assert!(permits.acquire(bad.as_ref()).is_ok());
    }
}
