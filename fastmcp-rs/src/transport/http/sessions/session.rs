//! One session: its connection, its streams, and the data that is stored for its client.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::auth::principal::Principal;
use crate::engine::transport_api::Connection;
use crate::json::object::Raw;
use crate::outgoing::queue::QueueObserver;
use crate::outgoing::stream::StreamQueue;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Outcome, Revision};
use crate::sealing::milliseconds;
use crate::transport::http::peer::Peer;
use crate::transport::http::response::replay::{ByteCounter, DiscardKind, ReplayStream, Resumption};
use crate::transport::http::sessions::Sessions;
use crate::transport::http::sessions::owed::OwedResponses;
use crate::transport::http::sessions::seen::SeenRequests;
use crate::transport::http::sessions::usage::{SessionUsage, milliseconds_since};
use crate::util::sync::{Mutex, MutexGuard};

/// The maximum number of request streams of a session that can be resumed.
const MAX_REPLAY_STREAMS: usize = 64;
/// The maximum number of bytes that are stored for the client of a session.
const MAX_REPLAY_PER_SESSION: usize = 4 << 20;

pub(crate) struct HttpSession {
    /// The number that identifies the session among those of its peer.
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) connection: Arc<Connection>,
    pub(crate) revision: Revision,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) peer_sessions: Option<Arc<PeerSessions>>,
    pub(crate) client_info_bytes: ClientInfoBytes,
    pub(crate) usage: Arc<SessionUsage>,
    /// Whether a request followed the handshake.
    pub(crate) was_used: AtomicBool,
    /// The [`SessionEnd`] as a number; zero while the session is open.
    pub(crate) ending: AtomicU8,
    pub(crate) streams: Mutex<SessionStreams>,
    pub(crate) kept: Arc<ByteCounter>,
    pub(crate) sessions: Weak<Sessions>,
    /// Set if the id carries the session.
    pub(crate) carried: Option<CarriedState>,
    /// The number of responses that are still to come, for a session with a single stream.
    pub(crate) owed: OwedResponses,
}

/// The data of a session whose id carries it.
pub(crate) struct CarriedState {
    /// The end of the lifetime, in milliseconds since 1970.
    pub(crate) expires: u64,
    pub(crate) seen: SeenRequests,
}

/// The reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// The client deleted it, it was idle, its lifetime ended, or it was evicted.
    Removed = 1,
    /// The server shut down.
    Shutdown = 2,
}

impl SessionEnd {
    /// Returns the error for the requests that the session leaves unanswered.
    pub(crate) fn error(self) -> RpcError {
        match self {
            SessionEnd::Removed => RpcError::new(
                code::INVALID_REQUEST,
                "Invalid request: the session ended before its response; begin with `initialize`",
            ),
            SessionEnd::Shutdown => {
                let text = "Internal error: the server stopped before it had a response";
                RpcError::new(code::INTERNAL_ERROR, text)
            }
        }
    }
}

pub(crate) struct SessionStreams {
    /// The session's own stream, for messages that belong to no request.
    pub(crate) own: Arc<ReplayStream>,
    /// The streams of requests, oldest first.
    pub(crate) requests: VecDeque<Arc<ReplayStream>>,
    pub(crate) last_id: u64,
}

impl SessionStreams {
    /// Drops stored data until `excess` bytes are free: notifications first, then the oldest responses, then ended
    /// streams without a reader.
    pub(crate) fn discard(&mut self, excess: usize) {
        let mut freed = 0;
        for kind in [DiscardKind::Notifications, DiscardKind::Response] {
            for stream in std::iter::once(&self.own).chain(&self.requests) {
                if freed >= excess {
                    return;
                }
                freed += stream.discard(kind, excess - freed);
            }
        }
        while freed < excess {
            let at_rest = self.requests.iter().position(|stream| stream.is_idle());
            let Some(oldest) = at_rest.and_then(|index| self.requests.remove(index)) else { return };
            freed += oldest.kept_bytes();
        }
    }
}

impl HttpSession {
    pub(crate) fn streams(&self) -> MutexGuard<'_, SessionStreams> {
        self.streams.lock()
    }

    /// Returns the session's own stream, for messages that belong to no request.
    pub(crate) fn own_stream(&self) -> Arc<ReplayStream> {
        Arc::clone(&self.streams().own)
    }

    /// Opens a stream for the response to a request, which begins with `frames`. `request` is the id of the request;
    /// `None` for a batch. If these are the last frames, `ending` is the outcome of the response.
    pub(crate) fn open_request_stream(
        self: &Arc<Self>,
        request: Option<&str>,
        outgoing: StreamQueue,
        frames: &[u8],
        ending: Option<Outcome>,
    ) -> Arc<ReplayStream> {
        let mut streams = self.streams();
        while streams.requests.len() >= MAX_REPLAY_STREAMS {
            // Ended streams without a reader are dropped first.
            let at_rest = streams.requests.iter().position(|stream| stream.is_idle());
            streams.requests.remove(at_rest.unwrap_or(0));
        }
        streams.last_id += 1;
        let stream =
            ReplayStream::new(streams.last_id, request, outgoing, Resumption::for_revision(self.revision), &self.kept);
        stream.add_frames(frames, ending);
        self.limit_stream(&stream);
        streams.requests.push_back(Arc::clone(&stream));
        drop(streams);
        // A session that ends later closes this stream itself.
        if let Some(ending) = self.ending() {
            stream.close(Some(&ending.error()));
        }
        stream
    }

    /// Limits the stored data of a stream.
    pub(crate) fn limit_stream(self: &Arc<Self>, stream: &Arc<ReplayStream>) {
        stream.set_observer(StreamLimiter { session: Arc::downgrade(self), stream: Arc::downgrade(stream) });
    }

    /// Returns the stream with that id, if it can still be resumed.
    pub(crate) fn stream(&self, id: u64) -> Option<Arc<ReplayStream>> {
        let streams = self.streams();
        if id == streams.own.id {
            return Some(Arc::clone(&streams.own));
        }
        streams.requests.iter().find(|stream| stream.id == id).cloned()
    }

    /// Returns true if this process did not issue the stream id, but another one may have.
    pub(crate) fn is_elsewhere(&self, stream: u64) -> bool {
        let streams = self.streams();
        self.carried.is_some() && !(streams.own.id..=streams.last_id).contains(&stream)
    }

    /// Returns the id, for the response to `initialize`. The id is a secret and is never logged.
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

    /// Returns false if this process has received no recent request with that id.
    pub(crate) fn may_have_seen(&self, id: Id<'_>) -> bool {
        self.carried.as_ref().is_none_or(|carried| carried.seen.may_contain(id)) || self.connection.is_in_flight(id)
    }

    /// Returns true if the lifetime has ended.
    pub(crate) fn is_expired(&self) -> bool {
        self.carried.as_ref().is_some_and(|carried| carried.expires <= milliseconds(SystemTime::now()))
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.usage.users.load(Ordering::Acquire) > 0
    }

    /// Returns the idle time, in milliseconds.
    pub(crate) fn idle_milliseconds(&self) -> u64 {
        milliseconds_since(self.usage.start).saturating_sub(self.usage.last.load(Ordering::Acquire))
    }

    pub(crate) fn is_idle(&self, idle_timeout: Duration) -> bool {
        !self.is_in_use() && u128::from(self.idle_milliseconds()) >= idle_timeout.as_millis()
    }

    /// Drops stored data beyond the limits of the session, its peer and the server.
    fn enforce_limits(&self) {
        let excess = self.kept.excess(MAX_REPLAY_PER_SESSION);
        if excess > 0 {
            self.streams().discard(excess);
        }
        let now = || milliseconds_since(self.usage.start);
        if let Some(peer_sessions) = self.peer_sessions.as_ref().filter(|peer_sessions| peer_sessions.pool.is_full()) {
            peer_sessions
                .pool
                .enforce_limit(now(), || peer_sessions.sessions.lock().values().filter_map(Weak::upgrade).collect());
        }
        if let Some(sessions) = self.sessions.upgrade().filter(|sessions| sessions.pool.is_full()) {
            sessions.pool.enforce_limit(now(), || sessions.all());
        }
    }

    /// Returns the reason for the end of the session; `None` while it is open.
    pub(crate) fn ending(&self) -> Option<SessionEnd> {
        match self.ending.load(Ordering::Acquire) {
            0 => None,
            ending if ending == SessionEnd::Removed as u8 => Some(SessionEnd::Removed),
            _ => Some(SessionEnd::Shutdown),
        }
    }

    /// Ends everything that belongs to the session. Unanswered requests get an error.
    pub(crate) fn close(&self, ending: SessionEnd) {
        // The reason is stored first: code that begins a call or a stream afterwards reads it, and ends the new one.
        if self.ending.compare_exchange(0, ending as u8, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let (own, requests) = {
            let streams = self.streams();
            (Arc::clone(&streams.own), streams.requests.clone())
        };
        let error = ending.error();
        for stream in requests {
            stream.close(Some(&error));
        }
        self.connection.cancel_all();
        if ending == SessionEnd::Shutdown && !self.owed.is_empty() {
            // The stream ends after the last of the pending errors.
            return;
        }
        own.close(None);
    }
}

/// Limits the stored data of one stream, of its session, and of all sessions.
#[derive(Debug)]
struct StreamLimiter {
    session: Weak<HttpSession>,
    stream: Weak<ReplayStream>,
}

impl QueueObserver for StreamLimiter {
    fn on_frames_added(&self) {
        let Some(stream) = self.stream.upgrade() else { return };
        stream.collect_unread();
        let Some(session) = self.session.upgrade() else { return };
        session.enforce_limits();
    }
}

/// The minimum time between two drops of data of other sessions, in milliseconds.
pub(crate) const DISCARD_PAUSE: u64 = 10;

/// The maximum total bytes of the descriptions that clients send of themselves: here per peer, below globally.
pub(crate) const MAX_CLIENT_INFO_PER_PEER: usize = 4 << 20;

pub(crate) const MAX_CLIENT_INFO: usize = 16 << 20;

/// The bytes of a client's description of itself, which count while its session is stored.
pub(crate) struct ClientInfoBytes {
    pub(crate) all: Arc<AtomicUsize>,
    pub(crate) peer_sessions: Option<Arc<PeerSessions>>,
    pub(crate) own: AtomicUsize,
}

impl ClientInfoBytes {
    pub(crate) fn set(&self, bytes: usize) {
        // Adds first, so that the counters are never too low.
        for counter in self.counters() {
            counter.fetch_add(bytes, Ordering::AcqRel);
        }
        let before = self.own.swap(bytes, Ordering::AcqRel);
        for counter in self.counters() {
            counter.fetch_sub(before, Ordering::AcqRel);
        }
    }

    fn counters(&self) -> impl Iterator<Item = &AtomicUsize> {
        [Some(&*self.all), self.peer_sessions.as_ref().map(|peer_sessions| &peer_sessions.client_info_bytes)]
            .into_iter()
            .flatten()
    }

    pub(crate) fn exceeds_peer_limit(&self) -> bool {
        self.peer_sessions.as_ref().is_some_and(|peer_sessions| {
            peer_sessions.client_info_bytes.load(Ordering::Acquire) > MAX_CLIENT_INFO_PER_PEER
        })
    }

    pub(crate) fn exceeds_limit(&self) -> bool {
        self.exceeds_peer_limit() || self.all.load(Ordering::Acquire) > MAX_CLIENT_INFO
    }
}

impl Drop for ClientInfoBytes {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The data that is stored for the clients of several sessions, within a limit.
pub(crate) struct ReplayPool {
    pub(crate) kept: Arc<ByteCounter>,
    limit: usize,
    /// The time of the last drop, in milliseconds since the table was created; zero if there was none.
    last_discard: AtomicU64,
}

impl ReplayPool {
    pub(crate) fn new(kept: Arc<ByteCounter>, limit: usize) -> ReplayPool {
        ReplayPool { kept, limit, last_discard: AtomicU64::new(0) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kept.bytes() > self.limit
    }

    /// Drops stored data beyond the limit, from the sessions with the most data first.
    pub(crate) fn enforce_limit(&self, now: u64, sessions: impl FnOnce() -> Vec<Arc<HttpSession>>) {
        // Data that cannot be dropped belongs to running calls, so another attempt right away is useless.
        let last = self.last_discard.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= DISCARD_PAUSE;
        if !is_due || self.last_discard.compare_exchange(last, now.max(1), Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return;
        }
        let of_peer = |session: &HttpSession| {
            session.peer_sessions.as_ref().map_or(0, |peer_sessions| peer_sessions.pool.kept.bytes())
        };
        let mut sessions = sessions();
        sessions.sort_by_cached_key(|session| std::cmp::Reverse((of_peer(session), session.kept.bytes())));
        for session in sessions {
            // Drops more than necessary, so that this happens seldom.
            let excess = self.kept.excess(self.limit - self.limit / 8);
            if excess == 0 {
                return;
            }
            session.streams().discard(excess);
        }
    }
}

/// The sessions of one peer.
pub(crate) struct PeerSessions {
    pub(crate) peer: Peer,
    pub(crate) sessions: Mutex<HashMap<u64, Weak<HttpSession>>>,
    pub(crate) count: AtomicUsize,
    pub(crate) client_info_bytes: AtomicUsize,
    pub(crate) pool: ReplayPool,
}
