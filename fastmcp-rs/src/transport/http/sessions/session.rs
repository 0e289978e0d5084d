//! One session: its connection, its streams, and what is kept for its client.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use crate::auth::principal::Principal;
use crate::engine::Connection;
use crate::json::object::Raw;
use crate::outgoing::queue::{Keeper, Outbox};
use crate::protocol::Revision;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::sealing::milliseconds;
use crate::transport::http::peer::Peer;
use crate::transport::http::response::replay::{Channel, Ledger, Resumption, Shed};
use crate::transport::http::sessions::Sessions;
use crate::transport::http::sessions::seen::SeenRequests;
use crate::transport::http::sessions::usage::{Usage, milliseconds_since};

/// The most streams of a session that may be read on.
const MAX_CHANNELS: usize = 64;
/// The most bytes that are kept for the client of a session.
const MAX_KEPT_OF_SESSION: usize = 4 << 20;

pub(crate) struct Session {
    /// Tells it from the others of its peer.
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) revision: Revision,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) share: Option<Arc<Share>>,
    pub(crate) said: Said,
    pub(crate) usage: Arc<Usage>,
    /// Whether there was a request after the handshake.
    pub(crate) was_used: AtomicBool,
    /// Why it has ended, or zero.
    pub(crate) ending: AtomicU8,
    pub(crate) streams: Mutex<Streams>,
    pub(crate) kept: Arc<Ledger>,
    pub(crate) sessions: Weak<Sessions>,
    /// Set if the id carries the session.
    pub(crate) carried: Option<Carried>,
    /// How many answers are still to come on its stream, where it has only one.
    #[cfg(feature = "legacy-sse")]
    pub(crate) owed: AtomicUsize,
}

/// The data of a session whose id carries it.
pub(crate) struct Carried {
    /// The end of the lifetime, in milliseconds since 1970.
    pub(crate) expires: u64,
    pub(crate) seen: SeenRequests,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its client has ended it, it was idle, its lifetime was over, or it had to make room.
    Removed = 1,
    /// The server ends.
    Shutdown = 2,
}

impl Ending {
    /// What is answered to the requests that a session leaves behind.
    pub(crate) fn error(self) -> RpcError {
        match self {
            Ending::Removed => RpcError::new(
                code::INVALID_REQUEST,
                "Invalid request: the session has ended before its request was answered; begin with `initialize`",
            ),
            Ending::Shutdown => {
                let text = "Internal error: the server stopped before the request was answered";
                RpcError::new(code::INTERNAL_ERROR, text)
            }
        }
    }
}

pub(crate) struct Streams {
    /// What belongs to no request.
    pub(crate) own: Arc<Channel>,
    /// Those of requests, oldest first.
    pub(crate) requests: VecDeque<Arc<Channel>>,
    pub(crate) last_id: u64,
}

impl Streams {
    /// Drops bytes that are kept until so many are free: notifications first, then the oldest responses, then whole
    /// streams that nobody reads.
    pub(crate) fn shed(&mut self, excess: usize) {
        let mut freed = 0;
        for what in [Shed::Notifications, Shed::Response] {
            for channel in std::iter::once(&self.own).chain(&self.requests) {
                if freed >= excess {
                    return;
                }
                freed += channel.shed(what, excess - freed);
            }
        }
        while freed < excess {
            let at_rest = self.requests.iter().position(|channel| channel.is_at_rest());
            let Some(oldest) = at_rest.and_then(|index| self.requests.remove(index)) else { return };
            freed += oldest.kept();
        }
    }
}

impl Session {
    pub(crate) fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of what belongs to no request.
    pub(crate) fn own_channel(&self) -> Arc<Channel> {
        Arc::clone(&self.streams().own)
    }

    /// A stream for the answer to a request, whose id is `None` for a batch. It begins with `frames`.
    pub(crate) fn open_channel(
        self: &Arc<Self>,
        request: Option<&str>,
        outbox: Arc<Outbox>,
        frames: &[u8],
        is_last: bool,
    ) -> Arc<Channel> {
        let mut streams = self.streams();
        while streams.requests.len() >= MAX_CHANNELS {
            // What has ended and was given away goes first.
            let at_rest = streams.requests.iter().position(|channel| channel.is_at_rest());
            streams.requests.remove(at_rest.unwrap_or(0));
        }
        streams.last_id += 1;
        let channel = Channel::new(streams.last_id, request, outbox, Resumption::of(self.revision), &self.kept);
        channel.add(frames, is_last);
        self.watch(&channel);
        streams.requests.push_back(Arc::clone(&channel));
        drop(streams);
        // A session that ends from now on ends this stream, too.
        if let Some(ending) = self.ending() {
            channel.end(Some(&ending.error()));
        }
        channel
    }

    /// Bounds what is kept of a stream.
    pub(crate) fn watch(self: &Arc<Self>, channel: &Arc<Channel>) {
        channel.set_keeper(StreamKeeper { session: Arc::downgrade(self), channel: Arc::downgrade(channel) });
    }

    /// The stream of that id, if it can still be read on.
    pub(crate) fn channel(&self, id: u64) -> Option<Arc<Channel>> {
        let streams = self.streams();
        if id == streams.own.id {
            return Some(Arc::clone(&streams.own));
        }
        streams.requests.iter().find(|channel| channel.id == id).cloned()
    }

    /// Returns true if a stream id was not given by this process, but may have been given by another one.
    pub(crate) fn is_elsewhere(&self, stream: u64) -> bool {
        let streams = self.streams();
        self.carried.is_some() && !(streams.own.id..=streams.last_id).contains(&stream)
    }

    /// Returns the id, for the response to `initialize`. It is a secret, and never logged.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Records a request, so that a later cancellation of it is accepted.
    pub(crate) fn note_request(&self, id: Raw<'_>) {
        if let Some(carried) = &self.carried {
            if let Some(id) = Id::parse(id) {
                carried.seen.insert(id);
            }
        }
    }

    /// Records a batch, in which the ids of requests are not read.
    pub(crate) fn note_batch(&self) {
        if let Some(carried) = &self.carried {
            carried.seen.insert_unknown();
        }
    }

    /// Returns false if no request with that id has come to this process lately.
    pub(crate) fn may_have_seen(&self, id: Id<'_>) -> bool {
        self.carried.as_ref().is_none_or(|carried| carried.seen.may_contain(id)) || self.connection.is_in_flight(id)
    }

    /// Returns true if the lifetime has ended.
    pub(crate) fn is_expired(&self) -> bool {
        self.carried.as_ref().is_some_and(|carried| carried.expires <= milliseconds(SystemTime::now()))
    }

    /// Looks at what the client has said of itself since its session was opened. `false` if that is too much.
    #[cfg(feature = "legacy-sse")]
    pub(crate) fn may_be_remembered(&self) -> bool {
        let size = self.connection.session_size();
        // It says so once, and who has said it before does not answer for others.
        if self.said.own.load(Ordering::Acquire) == size {
            return true;
        }
        self.said.set(size);
        !self.said.is_too_much()
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.usage.users.load(Ordering::Acquire) > 0
    }

    /// For how long it was not used, in milliseconds.
    pub(crate) fn idle_time(&self) -> u64 {
        milliseconds_since(self.usage.start).saturating_sub(self.usage.last.load(Ordering::Acquire))
    }

    pub(crate) fn is_idle(&self, idle: Duration) -> bool {
        !self.is_in_use() && u128::from(self.idle_time()) >= idle.as_millis()
    }

    /// Drops what is kept beyond the limits of the session, its peer and the server.
    fn enforce_limits(&self) {
        let excess = self.kept.excess(MAX_KEPT_OF_SESSION);
        if excess > 0 {
            self.streams().shed(excess);
        }
        let now = || milliseconds_since(self.usage.start);
        if let Some(share) = self.share.as_ref().filter(|share| share.pool.is_full()) {
            share.pool.enforce_limit(now(), || share.lock().values().filter_map(Weak::upgrade).collect());
        }
        if let Some(sessions) = self.sessions.upgrade().filter(|sessions| sessions.pool.is_full()) {
            sessions.pool.enforce_limit(now(), || sessions.all());
        }
    }

    /// Why it has ended, if it has.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self.ending.load(Ordering::Acquire) {
            0 => None,
            ending if ending == Ending::Removed as u8 => Some(Ending::Removed),
            _ => Some(Ending::Shutdown),
        }
    }

    /// Ends everything that belongs to the session. Requests that are not answered get an error.
    pub(crate) fn end(&self, ending: Ending) {
        // Before anything is ended: whoever begins something afterwards looks at this, and ends it.
        if self.ending.compare_exchange(0, ending as u8, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let (own, requests) = {
            let streams = self.streams();
            (Arc::clone(&streams.own), streams.requests.clone())
        };
        let error = ending.error();
        for channel in requests {
            channel.end(Some(&error));
        }
        self.connection.cancel_all();
        #[cfg(feature = "legacy-sse")]
        if ending == Ending::Shutdown && self.owed.load(Ordering::Acquire) > 0 {
            // Its stream ends with the last of the errors that are owed.
            return;
        }
        own.end(None);
    }
}

/// Bounds what is kept of one stream, of its session, and of all sessions.
#[derive(Debug)]
struct StreamKeeper {
    session: Weak<Session>,
    channel: Weak<Channel>,
}

impl Keeper for StreamKeeper {
    fn frames_added(&self) {
        let Some(channel) = self.channel.upgrade() else { return };
        channel.keep();
        let Some(session) = self.session.upgrade() else { return };
        session.enforce_limits();
    }
}

/// How many milliseconds pass at least until streams of other sessions are dropped again.
pub(crate) const SHED_PAUSE: u64 = 10;

/// The most bytes of what the clients of a peer's sessions and of all sessions have said of themselves.
pub(crate) const MAX_SAID_OF_PEER: usize = 4 << 20;

pub(crate) const MAX_SAID: usize = 16 << 20;

/// How many bytes a client has said of itself, which count as long as its session is remembered.
pub(crate) struct Said {
    pub(crate) all: Arc<AtomicUsize>,
    pub(crate) share: Option<Arc<Share>>,
    pub(crate) own: AtomicUsize,
}

impl Said {
    pub(crate) fn set(&self, bytes: usize) {
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

    pub(crate) fn is_too_much_of_peer(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.said.load(Ordering::Acquire) > MAX_SAID_OF_PEER)
    }

    pub(crate) fn is_too_much(&self) -> bool {
        self.is_too_much_of_peer() || self.all.load(Ordering::Acquire) > MAX_SAID
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What is kept for the clients of several sessions, within a limit.
pub(crate) struct Pool {
    pub(crate) kept: Arc<Ledger>,
    limit: usize,
    /// When something was dropped, in milliseconds since the table was made.
    last_shed: AtomicU64,
}

impl Pool {
    pub(crate) fn new(kept: Arc<Ledger>, limit: usize) -> Pool {
        Pool { kept, limit, last_shed: AtomicU64::new(0) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kept.bytes() > self.limit
    }

    /// Drops what is beyond the limit, from the sessions for which the most is kept.
    pub(crate) fn enforce_limit(&self, now: u64, sessions: impl FnOnce() -> Vec<Arc<Session>>) {
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
pub(crate) struct Share {
    pub(crate) peer: Peer,
    pub(crate) sessions: Mutex<HashMap<u64, Weak<Session>>>,
    pub(crate) count: AtomicUsize,
    pub(crate) said: AtomicUsize,
    pub(crate) pool: Pool,
}

impl Share {
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
