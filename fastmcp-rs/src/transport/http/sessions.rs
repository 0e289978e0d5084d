//! The sessions of clients that began with `initialize`.
//!
//! A session is an entry in a table: it has no task and no thread, and no channel until a stream is opened. Its id is
//! a secret that only its client knows, but no credential: each request is authenticated by itself, and a session is
//! found only by the principal that began it.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports>

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use super::stream::{Channel, Histories, OWN, Resumption};
use crate::engine::Connection;
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::protocol::Revision;

const SHARDS: usize = 16;
/// How often idle sessions are looked for, at the most.
const SWEEP: Duration = Duration::from_secs(30);
/// The most streams of a session that may be read on, and how many bytes of theirs are kept.
const MAX_CHANNELS: usize = 64;
const MAX_KEPT: usize = 1 << 20;
/// The most bytes of what the clients of all sessions have said of themselves.
const MAX_SAID: usize = 16 << 20;

pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) revision: Revision,
    principal: Option<Arc<Principal>>,
    // Dropping it is what counts; only HTTP with SSE asks again.
    #[cfg_attr(not(feature = "legacy-sse"), allow(dead_code))]
    said: Said,
    /// When it was used last, in milliseconds since the table was made.
    last_used: AtomicU64,
    streams: Mutex<Streams>,
    histories: Histories,
    /// How many answers are still to come on its stream, where it has only one.
    #[cfg(feature = "legacy-sse")]
    pub(super) owed: AtomicUsize,
}

/// How many bytes a client has said of itself, which count as long as its session is remembered.
struct Said {
    all: Arc<AtomicUsize>,
    own: AtomicUsize,
}

impl Said {
    fn set(&self, bytes: usize) {
        // First more, so that it is never too little.
        self.all.fetch_add(bytes, Ordering::AcqRel);
        self.all.fetch_sub(self.own.swap(bytes, Ordering::AcqRel), Ordering::AcqRel);
    }

    fn is_too_much(&self) -> bool {
        self.all.load(Ordering::Acquire) > MAX_SAID
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.own.get_mut(), Ordering::AcqRel);
    }
}

struct Streams {
    /// What belongs to no request.
    own: Arc<Channel>,
    /// Those of requests, oldest first.
    requests: VecDeque<Arc<Channel>>,
    last_id: u64,
}

impl Session {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of what belongs to no request.
    pub(super) fn own_channel(&self) -> Arc<Channel> {
        Arc::clone(&self.streams().own)
    }

    /// A stream for the answer to one request.
    pub(super) fn open_channel(&self, outbox: Arc<Outbox>) -> Arc<Channel> {
        let mut streams = self.streams();
        // What has ended and was given away goes first.
        let mut kept: usize = streams.requests.iter().map(|channel| channel.kept()).sum();
        while streams.requests.len() >= MAX_CHANNELS || kept > MAX_KEPT {
            let ended = streams.requests.iter().position(|channel| channel.is_finished() && !channel.is_read());
            let Some(oldest) = ended.or(Some(0)).and_then(|index| streams.requests.remove(index)) else { break };
            kept -= oldest.kept();
        }
        streams.last_id += 1;
        let channel = Channel::new(streams.last_id, outbox, Resumption::of(self.revision), &self.histories);
        streams.requests.push_back(Arc::clone(&channel));
        channel
    }

    /// The stream of that id, if it can still be read on.
    pub(super) fn channel(&self, id: u64) -> Option<Arc<Channel>> {
        let streams = self.streams();
        if id == streams.own.id {
            return Some(Arc::clone(&streams.own));
        }
        streams.requests.iter().find(|channel| channel.id == id).cloned()
    }

    /// Looks at what the client has said of itself since its session was opened. `false` if that is too much.
    #[cfg(feature = "legacy-sse")]
    pub(super) fn may_be_remembered(&self) -> bool {
        let size = self.connection.session_size();
        // It says so once, and who has said it before does not answer for others.
        if self.said.own.load(Ordering::Acquire) == size {
            return true;
        }
        self.said.set(size);
        !self.said.is_too_much()
    }

    /// Whether somebody waits for something.
    fn is_busy(&self) -> bool {
        if self.connection.calls_in_flight() > 0 {
            return true;
        }
        let streams = self.streams();
        streams.own.is_read() || streams.requests.iter().any(|channel| channel.is_read())
    }

    /// Ends everything that belongs to the session.
    fn end(&self) {
        self.connection.cancel_all();
        let streams = self.streams();
        streams.own.close();
        streams.requests.iter().for_each(|channel| channel.close());
    }
}

pub(super) struct Sessions {
    shards: [Mutex<HashMap<Box<str>, Arc<Session>>>; SHARDS],
    count: AtomicUsize,
    /// How many bytes their clients have said of themselves.
    said: Arc<AtomicUsize>,
    limit: usize,
    idle: Duration,
    start: Instant,
    last_sweep: AtomicU64,
    histories: Histories,
    evicted: AtomicUsize,
    ended: AtomicBool,
}

/// What a session is called in traces. Its id would open the session to whoever reads them.
fn label(id: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Sessions {
    pub(super) fn new(limit: usize, idle: Duration) -> Sessions {
        Sessions {
            shards: Default::default(),
            count: AtomicUsize::new(0),
            said: Arc::default(),
            limit,
            idle,
            start: Instant::now(),
            last_sweep: AtomicU64::new(0),
            histories: Histories::default(),
            evicted: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, HashMap<Box<str>, Arc<Session>>> {
        // Ids are random, and those of strangers may pile up nowhere.
        let index = id.bytes().next().map_or(0, usize::from) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Keeps a connection on which a session has begun, and gives it an id. `None` if there are too many, all in use.
    /// `resumption` is that of the stream of what belongs to no request.
    pub(super) fn insert(
        &self,
        connection: Arc<Connection>,
        revision: Revision,
        principal: Option<Arc<Principal>>,
        resumption: Resumption,
    ) -> Option<String> {
        self.sweep();
        let mut random = [0; 24];
        SystemRandom::new().fill(&mut random).ok()?;
        let id = BASE64_URL_SAFE_NO_PAD.encode(random);
        connection.label_session(&label(&id));
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.limit && !self.evict() {
            self.count.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let said = Said { all: Arc::clone(&self.said), own: AtomicUsize::new(0) };
        said.set(connection.session_size());
        while said.is_too_much() {
            if !self.evict() {
                self.count.fetch_sub(1, Ordering::AcqRel);
                return None;
            }
        }
        let own = Channel::new(OWN, Arc::clone(connection.outbox()), resumption, &self.histories);
        let session = Session {
            connection,
            revision,
            principal,
            said,
            last_used: AtomicU64::new(self.now()),
            streams: Mutex::new(Streams { own, requests: VecDeque::new(), last_id: 0 }),
            histories: self.histories.clone(),
            #[cfg(feature = "legacy-sse")]
            owed: AtomicUsize::new(0),
        };
        self.shard(&id).insert(id.as_str().into(), Arc::new(session));
        if self.ended.load(Ordering::Acquire) {
            self.end_all();
        }
        Some(id)
    }

    /// The session of that id, if it is this principal's. There is no telling whether another one has it.
    pub(super) fn find(&self, id: &str, principal: Option<&Principal>) -> Option<Arc<Session>> {
        let session = Arc::clone(self.shard(id).get(id)?);
        if session.principal.as_deref().map(Principal::id) != principal.map(Principal::id) {
            return None;
        }
        let now = self.now();
        if self.is_idle(&session, now) {
            self.remove(id);
            return None;
        }
        session.last_used.store(now, Ordering::Relaxed);
        Some(session)
    }

    fn is_idle(&self, session: &Session, now: u64) -> bool {
        let idle = now.saturating_sub(session.last_used.load(Ordering::Relaxed));
        u128::from(idle) >= self.idle.as_millis() && !session.is_busy()
    }

    /// Ends a session.
    pub(super) fn remove(&self, id: &str) {
        let removed = self.shard(id).remove(id);
        if let Some(session) = removed {
            self.count.fetch_sub(1, Ordering::AcqRel);
            session.end();
        }
    }

    pub(super) fn all(&self) -> Vec<(Box<str>, Arc<Session>)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.iter().map(|(id, session)| (id.clone(), Arc::clone(session))));
        }
        all
    }

    /// Ends the sessions that nobody uses any more. There is no task for it: it happens when new ones come.
    fn sweep(&self) {
        let now = self.now();
        let last = self.last_sweep.load(Ordering::Relaxed);
        let pause = u64::try_from(SWEEP.min(self.idle).as_millis()).unwrap_or(u64::MAX);
        let is_due = now.saturating_sub(last) >= pause;
        if !is_due || self.last_sweep.compare_exchange(last, now, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        for (id, session) in self.all() {
            if self.is_idle(&session, now) {
                self.remove(&id);
            }
        }
    }

    /// Makes room for one by ending the one that was idle longest, of a part of all. `false` if all are in use.
    fn evict(&self) -> bool {
        // Each time another part is first, so that none loses its sessions before the others.
        let begin = self.evicted.fetch_add(1, Ordering::Relaxed);
        for index in 0..SHARDS {
            let shard = &self.shards[(begin + index) % SHARDS];
            let oldest = {
                let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
                let idle = shard.iter().filter(|(_, session)| !session.is_busy());
                idle.min_by_key(|(_, session)| session.last_used.load(Ordering::Relaxed)).map(|(id, _)| id.clone())
            };
            if let Some(id) = oldest {
                self.remove(&id);
                return true;
            }
        }
        false
    }

    /// Ends all sessions, and those that still come.
    pub(super) fn end_all(&self) {
        self.ended.store(true, Ordering::Release);
        for (id, _) in self.all() {
            self.remove(&id);
        }
    }

    /// Ends the streams on which a server may say something at any time.
    pub(super) fn end_own_streams(&self) {
        for (_, session) in self.all() {
            session.own_channel().close();
        }
    }

    /// How many are open, without those that are over and that only nobody has noticed yet.
    #[cfg(feature = "metrics")]
    pub(super) fn look(&self) -> usize {
        self.sweep();
        self.len()
    }

    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}
