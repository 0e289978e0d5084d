//! The share of a peer: how much its sessions may take, before all sessions together have reached their limit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::session::Session;
use crate::transport::http::channel::Ledger;
use crate::transport::http::peer::Peer;

/// How many milliseconds pass at least until streams of other sessions are dropped again.
const SHED_PAUSE: u64 = 10;
/// The most bytes of what the clients of a peer's sessions and of all sessions have said of themselves.
const MAX_SAID_OF_PEER: usize = 4 << 20;
const MAX_SAID: usize = 16 << 20;

/// How many bytes a client has said of itself, which count as long as its session is remembered.
pub(super) struct Said {
    pub(super) all: Arc<AtomicUsize>,
    pub(super) share: Option<Arc<Share>>,
    pub(super) own: AtomicUsize,
}

impl Said {
    pub(super) fn set(&self, bytes: usize) {
        // First more, so that it is never too little.
        for counter in self.counters() {
            counter.fetch_add(bytes, Ordering::AcqRel);
        }
        let before = self.own.swap(bytes, Ordering::AcqRel);
        for counter in self.counters() {
            counter.fetch_sub(before, Ordering::AcqRel);
        }
    }

    fn counters(&self) -> impl Iterator<Item = &AtomicUsize> {
        [Some(&*self.all), self.share.as_ref().map(|share| &share.said)].into_iter().flatten()
    }

    pub(super) fn is_too_much_of_peer(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.said.load(Ordering::Acquire) > MAX_SAID_OF_PEER)
    }

    pub(super) fn is_too_much(&self) -> bool {
        self.is_too_much_of_peer() || self.all.load(Ordering::Acquire) > MAX_SAID
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What is kept for the clients of several sessions, within a limit.
pub(super) struct Pool {
    pub(super) kept: Arc<Ledger>,
    limit: usize,
    /// When something was dropped, in milliseconds since the table was made.
    last_shed: AtomicU64,
}

impl Pool {
    pub(super) fn new(kept: Arc<Ledger>, limit: usize) -> Pool {
        Pool { kept, limit, last_shed: AtomicU64::new(0) }
    }

    pub(super) fn is_full(&self) -> bool {
        self.kept.bytes() > self.limit
    }

    /// Drops what is beyond the limit, from the sessions for which the most is kept.
    pub(super) fn enforce_limit(&self, now: u64, sessions: impl FnOnce() -> Vec<Arc<Session>>) {
        // What cannot be dropped belongs to calls that run; then it is of no use to look again at once.
        let last = self.last_shed.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= SHED_PAUSE;
        if !is_due || self.last_shed.compare_exchange(last, now.max(1), Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let of_peer = |session: &Session| session.share.as_ref().map_or(0, |share| share.pool.kept.bytes());
        let mut sessions = sessions();
        sessions.sort_by_cached_key(|session| std::cmp::Reverse((of_peer(session), session.kept.bytes())));
        for session in sessions {
            // More than needed, so that this happens seldom.
            let excess = self.kept.excess(self.limit - self.limit / 8);
            if excess == 0 {
                return;
            }
            session.streams().shed(excess);
        }
    }
}

/// The sessions of one peer.
pub(super) struct Share {
    pub(super) peer: Peer,
    pub(super) sessions: Mutex<HashMap<u64, Weak<Session>>>,
    pub(super) count: AtomicUsize,
    pub(super) said: AtomicUsize,
    pub(super) pool: Pool,
}

impl Share {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
