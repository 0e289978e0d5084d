//! Evicts sessions to make room for new ones.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::session::PeerSessions;
use super::{Cause, HttpSession, SHARDS, Sessions};

/// The number of sessions to compare, about, when one must be evicted.
const EVICTION_SAMPLE: usize = 1_024;

/// The exceeded limit that makes an eviction necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EvictionCause {
    Count,
    ClientInfo,
}

impl EvictionCause {
    /// Ranks sessions for eviction: the highest rank is evicted first. Sessions of the peer with the most sessions (or
    /// bytes) precede others, sessions that were never used precede others, and then the longest idle time decides.
    fn rank(self, session: &HttpSession) -> (usize, bool, u64) {
        let of_peer = match (self, &session.peer_sessions) {
            (EvictionCause::Count, peer_sessions) => {
                peer_sessions.as_ref().map_or(1, |peer_sessions| peer_sessions.count.load(Ordering::Relaxed))
            }
            (EvictionCause::ClientInfo, Some(peer_sessions)) => peer_sessions.client_info_bytes.load(Ordering::Relaxed),
            // These peers cannot be distinguished, so the largest session is evicted first.
            (EvictionCause::ClientInfo, None) => session.client_info_bytes.own.load(Ordering::Relaxed),
        };
        (of_peer, !session.was_used.load(Ordering::Relaxed), session.idle_milliseconds())
    }
}

impl Sessions {
    /// Makes room for one more session and counts it globally. It already counts for its peer. Returns false if there
    /// is no room.
    pub(super) fn make_room(&self, peer_sessions: Option<&PeerSessions>) -> bool {
        let has_too_many =
            |peer_sessions: &PeerSessions| peer_sessions.count.load(Ordering::Acquire) > self.limits.sessions_per_peer;
        if peer_sessions.is_some_and(|peer_sessions| {
            has_too_many(peer_sessions) && !self.evict(Some(peer_sessions), EvictionCause::Count)
        }) {
            return false;
        }
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.limits.sessions && !self.evict(None, EvictionCause::Count)
        {
            self.count.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        true
    }

    /// Ends one session that is not in use, of one peer or of all. Returns false if all are in use.
    pub(super) fn evict(&self, peer_sessions: Option<&PeerSessions>, cause: EvictionCause) -> bool {
        // Another request may start to use the chosen session.
        (0..3).any(|_| {
            let first = match peer_sessions {
                Some(peer_sessions) => find_eviction_candidate(
                    peer_sessions.sessions.lock().values().filter_map(Weak::upgrade).take(EVICTION_SAMPLE),
                    cause,
                ),
                None => self.find_eviction_candidate(cause),
            };
            first.is_some_and(|session| self.remove_if(&session.id, |session| !session.is_in_use(), Cause::Evicted))
        })
    }

    /// Returns the session to evict: the highest rank of all sessions, or of a part of them if there are many.
    fn find_eviction_candidate(&self, cause: EvictionCause) -> Option<Arc<HttpSession>> {
        // Each search begins at another shard, so that no shard loses its sessions before the others.
        let begin = self.evicted.fetch_add(1, Ordering::Relaxed);
        let (mut compared, mut first) = (0, None);
        for index in 0..SHARDS {
            let shard = self.shards[(begin + index) % SHARDS].lock();
            compared += shard.len();
            first = find_eviction_candidate(first.into_iter().chain(shard.values().cloned()), cause);
            if compared >= EVICTION_SAMPLE && first.is_some() {
                break;
            }
        }
        first
    }
}

/// Returns the session with the highest rank among those that are not in use.
fn find_eviction_candidate(
    sessions: impl Iterator<Item = Arc<HttpSession>>,
    cause: EvictionCause,
) -> Option<Arc<HttpSession>> {
    sessions.filter(|session| !session.is_in_use()).max_by_key(|session| cause.rank(session))
}
