//! The ids of ended sessions whose lifetime has not expired.
//!
//! Memory is bounded, so some ids are forgotten before they expire: the earliest to expire first, and the ids of a peer
//! with too many before those of others. The session of a forgotten id can be restored, as after a restart: only by its
//! principal, and with nothing that a new session would not have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use crate::transport::http::peer::Peer;

/// The most ids that are remembered per peer, and globally. Each takes about 100 bytes.
const MAX_OF_PEER: usize = 4 << 10;
const MAX: usize = 64 << 10;

/// The end of the lifetime of an id, in milliseconds since 1970, and the digest of the id. Ordered by expiry.
type Entry = (u64, [u8; 16]);

/// The ids whose sessions must not be restored.
#[derive(Default)]
pub(crate) struct EndedIds {
    /// All ids, each with the hash of its peer, because a peer may be long.
    all: BTreeMap<Entry, u64>,
    of_peers: HashMap<u64, BTreeSet<Entry>>,
    hashes: RandomState,
}

impl EndedIds {
    pub(crate) fn contains(&self, id: &str, expires: u64) -> bool {
        // A digest is not computed if no id is remembered.
        !self.all.is_empty() && self.all.contains_key(&(expires, digest(id)))
    }

    /// Remembers an id of a peer until it expires, and forgets ids that have expired.
    pub(crate) fn insert(&mut self, id: &str, expires: u64, peer: Option<&Peer>, now: u64) {
        while self.all.first_key_value().is_some_and(|(entry, _)| entry.0 <= now) {
            self.forget_first();
        }
        let (is_known, peer) = (peer.is_some(), self.hashes.hash_one(peer));
        let entry = (expires, digest(id));
        self.all.insert(entry, peer);
        let of_peer = self.of_peers.entry(peer).or_default();
        of_peer.insert(entry);
        // Clients without a peer are many: those of this machine, and those behind a proxy that is not trusted.
        if is_known && of_peer.len() > MAX_OF_PEER {
            if let Some(first) = of_peer.pop_first() {
                self.all.remove(&first);
            }
        }
        if self.all.len() > MAX {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((entry, peer)) = self.all.pop_first() else { return };
        let Some(of_peer) = self.of_peers.get_mut(&peer) else { return };
        of_peer.remove(&entry);
        if of_peer.is_empty() {
            self.of_peers.remove(&peer);
        }
    }
}

/// Returns 128 bits of the SHA-256 digest of an id.
fn digest(id: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&ring::digest::digest(&ring::digest::SHA256, id.as_bytes()).as_ref()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::from_address([192, 0, 2, last].into())
    }

    #[test]
    fn an_id_is_remembered_until_it_expires() {
        let mut ended = EndedIds::default();
        assert!(!ended.contains("a", 100));
        ended.insert("a", 100, Some(&peer(1)), 0);
        ended.insert("b", 200, None, 99);
        assert!(ended.contains("a", 100) && ended.contains("b", 200) && !ended.contains("b", 100));
        ended.insert("c", 300, None, 100);
        assert!(!ended.contains("a", 100) && ended.contains("b", 200));
        assert_eq!((ended.all.len(), ended.of_peers.len()), (2, 1), "nothing is left of a peer without ids");
    }

    #[test]
    fn a_peer_that_ends_many_sessions_evicts_its_own_ids() {
        let mut ended = EndedIds::default();
        ended.insert("quiet", 1, Some(&peer(1)), 0);
        for number in 0..2 * MAX_OF_PEER as u64 {
            ended.insert(&number.to_string(), 1000 + number, Some(&peer(2)), 0);
        }
        assert!(ended.contains("quiet", 1));
        assert_eq!(ended.all.len(), MAX_OF_PEER + 1);
        assert!(!ended.contains("0", 1000), "the one that expires first goes first");
        assert!(ended.contains("8191", 1000 + 8191));
    }

    #[test]
    fn ids_of_clients_without_a_peer_are_kept_up_to_the_global_limit() {
        let mut ended = EndedIds::default();
        for number in 0..2 * MAX_OF_PEER as u64 {
            ended.insert(&number.to_string(), 1000 + number, None, 0);
        }
        assert!(ended.contains("0", 1000));
    }

    #[test]
    fn the_ids_of_all_peers_have_a_common_limit() {
        let mut ended = EndedIds::default();
        for number in 0..MAX as u64 + 100 {
            ended.insert(&number.to_string(), 1000 + number, Some(&peer((number % 251) as u8)), 0);
        }
        assert_eq!(ended.all.len(), MAX);
        assert_eq!(ended.of_peers.values().map(BTreeSet::len).sum::<usize>(), MAX);
        assert!(!ended.contains("99", 1099) && ended.contains("100", 1100));
    }
}
