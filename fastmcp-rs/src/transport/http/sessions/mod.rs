//! Sessions of clients that began with `initialize`.
//!
//! A session is an entry in a table: it has no thread, and no stream until one is opened. A single task, which runs
//! while there are sessions, ends idle ones. A session's id is a secret that only its client knows, but not a
//! credential: each request is authenticated separately, and a session is found only by the principal that began it.
//!
//! With sealing keys, an id carries its session. A session that is not in the table, because of a restart or because it
//! began in another process, is restored from its id; the seal is opened only then.
//!
//! Limits per peer apply before the global limits, so that a flood evicts the peer's own sessions. A session in use is
//! never evicted.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports>
//!
//! This file is the table; `session` is an entry with the limits of its peer, `usage` tracks idle time, and `lease`
//! keeps a session in use. `evict` makes room for new sessions, and `sweep` ends idle ones. `carried` issues and opens
//! ids that carry their session, `ended` remembers ids that must not be restored, and `seen` remembers the last requests
//! of a session.

mod carried;
mod ended;
mod evict;
pub(crate) mod lease;
mod owed;
mod seen;
mod session;
mod sweep;
mod usage;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
pub(crate) use carried::{CarryingIds, Requester};
use ended::EndedIds;
use evict::EvictionCause;
pub(crate) use lease::Lease;
use owed::OwedResponses;
use ring::rand::{SecureRandom, SystemRandom};
use seen::SeenRequests;
use session::{CarriedState, ClientInfoBytes, PeerSessions, ReplayPool, SessionStreams};
pub(crate) use session::{HttpSession, SessionEnd};
// The clock of the runtime, so that tests can pause it.
use tokio::time::Instant;
pub(crate) use usage::SessionUse;
use usage::{SessionUsage, milliseconds_since};

use super::peer::Peer;
use super::response::replay::{ByteCounter, OWN_STREAM, ReplayStream, Resumption};
use crate::auth::principal::Principal;
use crate::engine::transport_api::Connection;
use crate::outgoing::stream::StreamQueue;
use crate::protocol::Revision;
use crate::sealing::{CarriedSession, milliseconds};
use crate::util::sync::{Mutex, MutexGuard};

const SHARDS: usize = 16;
/// The index of a random byte in every id: an id that carries its session begins with a version and the id of a key.
const RANDOM_BYTE: usize = 12;
/// The maximum number of bytes that are stored for the clients of one peer, and of all peers.
const MAX_REPLAY_PER_PEER: usize = 16 << 20;
const MAX_REPLAY: usize = 64 << 20;

/// Limits of the number of sessions and of their idle time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimits {
    pub(crate) sessions: usize,
    pub(crate) sessions_per_peer: usize,
    pub(crate) idle_timeout: Duration,
    /// Set if other processes serve the same sessions: a session that is idle here may be in use there.
    pub(crate) are_shared: bool,
}

type Shard = foldhash::HashMap<Arc<str>, Arc<HttpSession>>;

pub(crate) struct Sessions {
    shards: [Mutex<Shard>; SHARDS],
    count: AtomicUsize,
    all_peers: Mutex<HashMap<Peer, Arc<PeerSessions>>>,
    /// The total bytes of the clients' descriptions of themselves.
    client_info_bytes: Arc<AtomicUsize>,
    /// The bytes that are stored for all clients.
    pool: ReplayPool,
    limits: SessionLimits,
    start: Instant,
    last_number: AtomicU64,
    /// Issues and opens ids that carry their session, if there are sealing keys.
    carrying: Option<CarryingIds>,
    /// The ids that must not be restored.
    ended_ids: Mutex<EndedIds>,
    /// Held while a session is restored, so that concurrent requests restore it once.
    restoring: Mutex<()>,
    evicted: AtomicUsize,
    ended: AtomicBool,
    /// Whether the task that ends idle sessions runs.
    has_sweep_task: AtomicBool,
}

/// A session that is about to be inserted.
pub(super) struct NewSession {
    pub(super) id: String,
    pub(super) connection: Arc<Connection>,
    pub(super) revision: Revision,
    pub(super) principal: Option<Arc<Principal>>,
    /// The peer that the session counts against; `None` if it has no limit per peer.
    pub(super) peer: Option<Peer>,
    /// The resumption of the session's own stream; `None` if the session ends with it.
    pub(super) resumption: Option<Resumption>,
    /// The end of the lifetime, in milliseconds since 1970, if the id carries the session.
    pub(super) expires: Option<u64>,
}

impl NewSession {
    /// Creates the entry of a session of Streamable HTTP.
    fn for_requester(
        requester: &Requester<'_>,
        id: String,
        connection: Arc<Connection>,
        revision: Revision,
        expires: Option<u64>,
    ) -> NewSession {
        let (principal, peer) = (requester.principal.cloned(), requester.peer.cloned());
        NewSession {
            id,
            connection,
            revision,
            principal,
            peer,
            resumption: Some(Resumption::for_revision(revision)),
            expires,
        }
    }
}

/// The reason for which a request has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// No session of this requester has the id, or it has ended.
    Unknown,
    /// The session could be restored, but too many others are in use.
    NoRoom,
}

/// The cause of the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Deleted,
    Idle,
    /// The lifetime has ended.
    Expired,
    /// The session had to make room for another one.
    Evicted,
    Shutdown,
}

impl Cause {
    /// Returns true if the session must not be restored, even though its lifetime has not ended.
    fn is_final(self, limits: &SessionLimits) -> bool {
        match self {
            Cause::Deleted => true,
            Cause::Idle => !limits.are_shared,
            Cause::Expired | Cause::Evicted | Cause::Shutdown => false,
        }
    }

    fn ending(self) -> SessionEnd {
        if self == Cause::Shutdown { SessionEnd::Shutdown } else { SessionEnd::Removed }
    }
}

/// Returns the label of a session in traces. The id itself would give every reader of the traces access to the session.
fn session_label(id: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a random id that cannot be guessed.
pub(super) fn random_id() -> Option<String> {
    let mut random = [0; 24];
    SystemRandom::new().fill(&mut random).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(random))
}

/// Returns a random number from which to count ids that must differ from those of other processes. The number leaves
/// room below 2^53, the largest integer that JavaScript clients keep exactly.
fn random_base() -> Option<i64> {
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).ok()?;
    Some(i64::from_le_bytes(random) & ((1 << 52) - 1))
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits, carrying: Option<CarryingIds>) -> Arc<Sessions> {
        Arc::new(Sessions {
            shards: Default::default(),
            count: AtomicUsize::new(0),
            all_peers: Mutex::default(),
            client_info_bytes: Arc::default(),
            pool: ReplayPool::new(Arc::default(), MAX_REPLAY),
            limits,
            start: Instant::now(),
            last_number: AtomicU64::new(0),
            carrying,
            ended_ids: Mutex::default(),
            restoring: Mutex::default(),
            evicted: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            has_sweep_task: AtomicBool::new(false),
        })
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        // Ids in the table are random at this byte, so sessions spread over all shards.
        let index = id.as_bytes().get(RANDOM_BYTE).map_or(0, |byte| usize::from(*byte)) % SHARDS;
        self.shards[index].lock()
    }

    /// Inserts a session of Streamable HTTP. With sealing keys, the id carries the session. Returns `None` if there are
    /// too many sessions, all of them in use.
    pub(crate) fn begin(
        self: &Arc<Self>,
        connection: Arc<Connection>,
        revision: Revision,
        requester: &Requester<'_>,
    ) -> Option<Lease> {
        let (id, expires) = match &self.carrying {
            None => (random_id()?, None),
            Some(carrying) => {
                let (id, expires) = carrying.issue(&connection, revision, requester)?;
                (id, Some(expires))
            }
        };
        self.add(NewSession::for_requester(requester, id, connection, revision, expires))
    }

    pub(super) fn add(self: &Arc<Self>, entry: NewSession) -> Option<Lease> {
        let NewSession { id, connection, revision, principal, peer, resumption, expires } = entry;
        let id: Arc<str> = id.into();
        connection.label_session(&session_label(&id));
        let mut first_stream = OWN_STREAM;
        if expires.is_some() {
            // Another process counts from another number, so a late response or stream id is not mistaken for one of
            // this process.
            let base = random_base()?;
            connection.number_client_requests(base);
            first_stream = base.unsigned_abs();
        }
        let peer_sessions = peer.map(|peer| self.add_to_peer(peer));
        if !self.make_room(peer_sessions.as_deref()) {
            self.remove_from_peer(peer_sessions.as_ref(), None);
            return None;
        }
        let client_info_bytes = ClientInfoBytes {
            all: Arc::clone(&self.client_info_bytes),
            peer_sessions: peer_sessions.clone(),
            own: AtomicUsize::new(0),
        };
        client_info_bytes.set(connection.session_size() + if expires.is_some() { id.len() } else { 0 });
        while client_info_bytes.exceeds_limit() {
            let of_peer = peer_sessions.as_deref().filter(|_| client_info_bytes.exceeds_peer_limit());
            if !self.evict(of_peer, EvictionCause::ClientInfo) {
                self.count.fetch_sub(1, Ordering::AcqRel);
                self.remove_from_peer(peer_sessions.as_ref(), None);
                return None;
            }
        }
        let kept = ByteCounter::for_parent(
            peer_sessions.as_ref().map_or(&self.pool.kept, |peer_sessions| &peer_sessions.pool.kept),
        );
        let own = ReplayStream::own(first_stream, StreamQueue::new(connection.outgoing()), resumption, &kept);
        let session = Arc::new(HttpSession {
            number: self.last_number.fetch_add(1, Ordering::Relaxed),
            id: Arc::clone(&id),
            connection,
            revision,
            principal,
            peer_sessions,
            client_info_bytes,
            usage: Arc::new(SessionUsage {
                start: self.start,
                users: AtomicUsize::new(0),
                last: AtomicU64::new(milliseconds_since(self.start)),
            }),
            was_used: AtomicBool::new(false),
            ending: AtomicU8::new(0),
            streams: Mutex::new(SessionStreams { own, requests: VecDeque::new(), last_id: first_stream }),
            kept,
            sessions: Arc::downgrade(self),
            carried: expires.map(|expires| CarriedState { expires, seen: SeenRequests::default() }),
            owed: OwedResponses::default(),
        });
        session.limit_stream(&session.own_stream());
        if let Some(peer_sessions) = &session.peer_sessions {
            peer_sessions.sessions.lock().insert(session.number, Arc::downgrade(&session));
        }
        // The lease is taken before the session can be found, and ended as idle.
        let lease = Lease { in_use: SessionUse::new(&session.usage), session: Arc::clone(&session) };
        self.shard(&id).insert(id, session);
        if self.ended.load(Ordering::Acquire) {
            self.end_all();
        }
        self.start_sweep_task();
        Some(lease)
    }

    /// Counts one more session of a peer.
    fn add_to_peer(&self, peer: Peer) -> Arc<PeerSessions> {
        let mut all_peers = self.all_peers.lock();
        let peer_sessions = all_peers.entry(peer).or_insert_with_key(|peer| {
            Arc::new(PeerSessions {
                peer: peer.clone(),
                sessions: Mutex::default(),
                count: AtomicUsize::new(0),
                client_info_bytes: AtomicUsize::new(0),
                pool: ReplayPool::new(ByteCounter::for_parent(&self.pool.kept), MAX_REPLAY_PER_PEER),
            })
        });
        // The count changes under the lock, because the last session to leave removes the entry.
        peer_sessions.count.fetch_add(1, Ordering::AcqRel);
        Arc::clone(peer_sessions)
    }

    /// Removes a session from the count of its peer, and from its sessions if `number` is given.
    fn remove_from_peer(&self, peer_sessions: Option<&Arc<PeerSessions>>, number: Option<u64>) {
        let Some(peer_sessions) = peer_sessions else { return };
        if let Some(number) = number {
            peer_sessions.sessions.lock().remove(&number);
        }
        let mut all_peers = self.all_peers.lock();
        if peer_sessions.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            all_peers.remove(&peer_sessions.peer);
        }
    }

    /// Returns the session with that id, if it belongs to the principal. An unknown id and that of another principal
    /// are indistinguishable.
    pub(crate) fn find(self: &Arc<Self>, id: &str, principal: Option<&Principal>) -> Option<Lease> {
        if !self.has_sweep_task.load(Ordering::Relaxed) {
            self.start_sweep_task();
        }
        let shard = self.shard(id);
        let session = shard.get(id)?;
        if session.principal.as_deref().map(Principal::id) != principal.map(Principal::id) {
            return None;
        }
        if session.is_idle(self.limits.idle_timeout) {
            drop(shard);
            self.remove_if(id, |session| session.is_idle(self.limits.idle_timeout), Cause::Idle);
            return None;
        }
        if session.is_expired() {
            drop(shard);
            self.remove_if(id, HttpSession::is_expired, Cause::Expired);
            return None;
        }
        session.was_used.store(true, Ordering::Relaxed);
        // The use begins under the lock, so that the session is not found idle and removed in between.
        let in_use = SessionUse::new(&session.usage);
        Some(Lease { session: Arc::clone(session), in_use })
    }

    /// Returns the session with that id, if it belongs to the requester. A session that is not in the table is restored
    /// if its id carries it; `connect` creates its connection.
    pub(crate) fn find_or_restore(
        self: &Arc<Self>,
        id: &str,
        requester: &Requester<'_>,
        connect: impl FnOnce(CarriedSession) -> Arc<Connection>,
    ) -> Result<Lease, NotFound> {
        if let Some(found) = self.find(id, requester.principal()) {
            return Ok(found);
        }
        // The id is opened before anything is locked, so that forged ids do not delay other requests.
        let opened = self.carrying.as_ref().and_then(|carrying| carrying.open(id, requester));
        let (session, expires) = opened.ok_or(NotFound::Unknown)?;
        let _restoring = self.restoring.lock();
        if let Some(found) = self.find(id, requester.principal()) {
            return Ok(found);
        }
        // The set includes a session that was found idle just now.
        if self.ended_ids.lock().contains(id, expires) {
            return Err(NotFound::Unknown);
        }
        let revision = session.revision;
        let entry = NewSession::for_requester(requester, id.to_owned(), connect(session), revision, Some(expires));
        let restored = self.add(entry).ok_or(NotFound::NoRoom)?;
        restored.was_used.store(true, Ordering::Relaxed);
        Ok(restored)
    }

    /// Ends the session with that id, if it belongs to the requester; returns false if there is none. A session that is
    /// only in other processes can no longer be restored in this one.
    pub(crate) fn end(self: &Arc<Self>, id: &str, requester: &Requester<'_>) -> bool {
        let remove = || self.find(id, requester.principal()).is_some_and(|_| self.remove(id));
        if remove() {
            return true;
        }
        let opened = self.carrying.as_ref().and_then(|carrying| carrying.open(id, requester));
        let Some((_, expires)) = opened else { return false };
        let _restoring = self.restoring.lock();
        if remove() {
            return true;
        }
        let mut ended = self.ended_ids.lock();
        let is_new = !ended.contains(id, expires);
        if is_new {
            ended.insert(id, expires, requester.peer, milliseconds(SystemTime::now()));
        }
        is_new
    }

    /// Ends a session.
    pub(crate) fn remove(&self, id: &str) -> bool {
        self.remove_if(id, |_| true, Cause::Deleted)
    }

    /// Ends a session if the condition holds under the lock.
    fn remove_if(&self, id: &str, condition: impl FnOnce(&HttpSession) -> bool, cause: Cause) -> bool {
        let removed = {
            let mut shard = self.shard(id);
            let Some(session) = shard.get(id).filter(|session| condition(session)) else { return false };
            if let (Some(carried), true) = (&session.carried, cause.is_final(&self.limits)) {
                // The id is recorded before the session leaves the table; otherwise it could be restored in between.
                let peer = session.peer_sessions.as_ref().map(|peer_sessions| &peer_sessions.peer);
                self.ended_ids.lock().insert(id, carried.expires, peer, milliseconds(SystemTime::now()));
            }
            shard.remove(id)
        };
        let Some(session) = removed else { return false };
        self.count.fetch_sub(1, Ordering::AcqRel);
        self.remove_from_peer(session.peer_sessions.as_ref(), Some(session.number));
        session.close(cause.ending());
        true
    }

    pub(crate) fn all(&self) -> Vec<Arc<HttpSession>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            all.extend(shard.values().cloned());
        }
        all
    }

    /// Ends all sessions, and sessions that begin later, because the server shuts down.
    pub(crate) fn end_all(&self) {
        self.ended.store(true, Ordering::Release);
        for session in self.all() {
            self.remove_if(&session.id, |_| true, Cause::Shutdown);
        }
    }

    /// Ends the own streams of all sessions, which would otherwise stay open.
    pub(crate) fn end_own_streams(&self) {
        for session in self.all() {
            session.own_stream().close(None);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}
