//! Permits that cap concurrent messages, streams and connections, globally and per peer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::peer::Peer;

use crate::util::sync::{Mutex, MutexGuard};

/// A permit of a global limit. Dropping it returns it.
#[derive(Debug)]
pub(crate) struct GlobalPermit(Arc<AtomicUsize>);

impl GlobalPermit {
    /// Acquires a permit. Returns `None` if `limit` permits are in use.
    pub(crate) fn new(counter: &Arc<AtomicUsize>, limit: usize) -> Option<GlobalPermit> {
        if counter.fetch_add(1, Ordering::AcqRel) >= limit {
            counter.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(GlobalPermit(Arc::clone(counter)))
    }
}

impl Drop for GlobalPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A limit of permits per key, such as a peer. A key without permits takes no memory.
#[derive(Debug)]
pub(crate) struct PeerLimit<K> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    limit: usize,
}

/// A permit of a [`PeerLimit`]. Dropping it returns it.
#[derive(Debug)]
pub(crate) struct PeerPermit<K: Eq + Hash> {
    open: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Eq + Hash + Clone> PeerLimit<K> {
    pub(crate) fn new(limit: usize) -> PeerLimit<K> {
        PeerLimit { open: Arc::default(), limit }
    }

    /// Acquires a permit. Returns `None` if the limit of the key is reached.
    pub(crate) fn try_acquire(&self, key: K) -> Option<PeerPermit<K>> {
        let open = self.open.lock();
        if open.get(&key).is_some_and(|count| *count >= self.limit) || self.limit == 0 {
            return None;
        }
        Some(self.insert_permit(open, key))
    }

    /// Acquires a permit, even if the limit of the key is reached.
    fn force_acquire(&self, key: K) -> PeerPermit<K> {
        self.insert_permit(self.open.lock(), key)
    }

    fn insert_permit(&self, mut open: MutexGuard<'_, HashMap<K, usize>>, key: K) -> PeerPermit<K> {
        *open.entry(key.clone()).or_default() += 1;
        PeerPermit { open: Arc::clone(&self.open), key }
    }
}

impl<K: Eq + Hash> Drop for PeerPermit<K> {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// Caps the concurrently served messages, globally and per peer.
///
/// Most messages are answered at once, so a message is counted for its peer only when it waits for something, or when
/// so many messages are being served that a peer could have reached its limit. Other messages need no lookup.
#[derive(Debug)]
pub(crate) struct MessageLimit {
    all: Arc<AtomicUsize>,
    limit: usize,
    per_peer: PeerLimit<Peer>,
}

/// A permit for one message, or for all messages of a batch. Dropping it returns it.
#[derive(Debug)]
pub(crate) struct MessagePermit {
    _global: GlobalPermit,
    peer_permit: Option<PeerPermit<Peer>>,
    /// The permits of the other messages of a batch.
    _batch: Vec<MessagePermit>,
}

/// The limit that refused a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PermitError {
    Globally,
    ForPeer,
}

impl MessageLimit {
    pub(crate) fn new(limit: usize, per_peer: usize) -> MessageLimit {
        MessageLimit { all: Arc::default(), limit, per_peer: PeerLimit::new(per_peer) }
    }

    pub(crate) fn acquire(&self, peer: Option<&Peer>) -> Result<MessagePermit, PermitError> {
        let counted = GlobalPermit::new(&self.all, self.limit).ok_or(PermitError::Globally)?;
        let peer_permit = match peer {
            Some(peer) if self.len() > self.per_peer.limit => {
                Some(self.per_peer.try_acquire(peer.clone()).ok_or(PermitError::ForPeer)?)
            }
            _ => None,
        };
        Ok(MessagePermit { _global: counted, peer_permit, _batch: Vec::new() })
    }

    /// Extends the permit of a batch to all of its messages, or to as many as one peer may have, because a larger batch
    /// could never be served.
    pub(crate) fn extend(
        &self,
        peer: Option<&Peer>,
        permit: &mut MessagePermit,
        messages: usize,
    ) -> Result<(), PermitError> {
        self.charge_peer(peer, permit);
        let most = if peer.is_some() { self.per_peer.limit.min(self.limit) } else { self.limit };
        let others = (1..messages.min(most)).map(|_| {
            let counted = GlobalPermit::new(&self.all, self.limit).ok_or(PermitError::Globally)?;
            let peer_permit =
                peer.map(|peer| self.per_peer.try_acquire(peer.clone()).ok_or(PermitError::ForPeer)).transpose()?;
            Ok(MessagePermit { _global: counted, peer_permit, _batch: Vec::new() })
        });
        permit._batch = others.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Counts a message for its peer, because the message waits for something. It is counted even if the limit of the
    /// peer is reached.
    pub(crate) fn charge_peer(&self, peer: Option<&Peer>, permit: &mut MessagePermit) {
        if let (Some(peer), None) = (peer, &permit.peer_permit) {
            permit.peer_permit = Some(self.per_peer.force_acquire(peer.clone()));
        }
    }

    /// Returns the number of messages that are being served.
    pub(crate) fn len(&self) -> usize {
        self.all.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_its_own_limit() {
        let peers = PeerLimit::new(2);
        let held = [peers.try_acquire("a"), peers.try_acquire("a")];
        assert!(held.iter().all(Option::is_some) && peers.try_acquire("a").is_none());
        assert!(peers.try_acquire("b").is_some());
        drop(held);
        assert!(peers.try_acquire("a").is_some());
        assert!(peers.open.lock().is_empty());
    }

    #[test]
    fn a_waiting_message_counts_for_its_peer() {
        let peer = |address: &str| Some(Peer::from_address(address.parse().unwrap()));
        let (bad, good) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let permits = MessageLimit::new(6, 2);
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut permit = permits.acquire(bad.as_ref()).unwrap();
            permits.charge_peer(bad.as_ref(), &mut permit);
            permits.charge_peer(bad.as_ref(), &mut permit);
            waiting.push(permit);
        }
        assert_eq!(permits.acquire(bad.as_ref()).unwrap_err(), PermitError::ForPeer);
        assert_eq!(permits.len(), 2, "what is refused takes nothing");
        let others = [permits.acquire(good.as_ref()), permits.acquire(None), permits.acquire(None)];
        assert!(others.iter().all(Result::is_ok));
        assert!(permits.acquire(None).is_ok());
        let last = permits.acquire(good.as_ref()).unwrap();
        assert_eq!(permits.acquire(None).unwrap_err(), PermitError::Globally);
        drop((waiting, others, last));
        assert_eq!(permits.len(), 0);
        assert!(permits.per_peer.open.lock().is_empty());
        assert!(permits.acquire(bad.as_ref()).is_ok());
    }
}
