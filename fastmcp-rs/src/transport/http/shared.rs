//! State that all clones of a service share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http_body::Body;

use crate::engine::{Connection, Server};
use crate::sealing::CarriedSession;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Reading;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Source;
use crate::transport::http::config::HttpConfig;
use crate::transport::http::limits::{Counted, PerPeer, Permit, Permits};
use crate::transport::http::peer::{Peer, Proxies};
use crate::transport::http::request::authenticate::Authenticator;
use crate::transport::http::request::body::{self, Intake, Message, Unread};
use crate::transport::http::request::cors::AllowedHeaders;
use crate::transport::http::request::host_origin::Access;
use crate::transport::http::request::memory::Room;
use crate::transport::http::response::backlog::Backlog;
use crate::transport::http::response::sse::OpenStream;
use crate::transport::http::response::status::{Answer, session_gone, too_many_sessions};
use crate::transport::http::sessions::{Lease, NotFound, Requester, Sessions};

/// What all clones of a service have in common.
pub(crate) struct Shared {
    pub(crate) server: Arc<Server>,
    pub(crate) config: HttpConfig,
    pub(crate) access: Access,
    /// The headers that pages may send.
    pub(crate) allowed_headers: AllowedHeaders,
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) proxies: Proxies,
    pub(crate) sessions: Arc<Sessions>,
    /// Those that end with their stream.
    #[cfg(feature = "legacy-sse")]
    pub(crate) stream_sessions: Arc<Sessions>,
    pub(crate) room: Room,
    pub(crate) permits: Permits,
    pub(crate) streams: Arc<AtomicUsize>,
    pub(crate) streams_of: PerPeer<Peer>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) listeners: Listeners,
    pub(crate) stopping: AtomicBool,
    /// Those of the server around the service, if that is ours.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Shared {
    /// Ends all sessions, and those that still come.
    pub(crate) fn end_sessions(&self) {
        self.sessions.end_all();
        #[cfg(feature = "legacy-sse")]
        self.stream_sessions.end_all();
    }

    /// Returns the session with that id, which is restored if only its id is left of it.
    pub(crate) fn session(&self, id: &str, requester: &Requester<'_>) -> Result<Lease, Box<Answer>> {
        let connect = |session: CarriedSession| {
            let connection = Connection::for_session(&self.server, requester.principal.cloned());
            connection.restore_session(session.revision, session.client);
            connection
        };
        self.sessions.find_or_restore(id, requester, connect).map_err(|missing| match missing {
            NotFound::Unknown => Box::new(session_gone()),
            NotFound::NoRoom => Box::new(too_many_sessions()),
        })
    }

    /// Counts one more stream that stays open without a call, unless there are too many.
    pub(crate) fn open_stream(&self, peer: Option<Peer>) -> Option<OpenStream> {
        let counted = Counted::new(&self.streams, self.config.max_streams)?;
        let of_peer = match peer {
            Some(peer) => Some(self.streams_of.count(peer)?),
            None => None,
        };
        Some(OpenStream::Listening(counted, of_peer))
    }

    /// Reads a message, which counts for its peer if it has to be waited for.
    pub(crate) async fn read<B: Body>(
        &self,
        body: B,
        peer: Option<&Peer>,
        permit: &mut Permit,
    ) -> Result<Message, Unread> {
        let HttpConfig { max_body: limit, body_time: time, .. } = self.config;
        let intake = Intake { limit, time, room: &self.room, peer };
        body::read(body, &intake, || self.permits.count_for(peer, permit)).await
    }
}

#[cfg(feature = "metrics")]
impl Source for Shared {
    fn read(&self, reading: &mut Reading) {
        let http = reading.http.get_or_insert_default();
        http.connections += self.connections.load(Ordering::Relaxed);
        http.sessions += self.sessions.look();
        #[cfg(feature = "legacy-sse")]
        {
            http.sessions += self.stream_sessions.look();
        }
        http.streams += self.streams.load(Ordering::Relaxed);
    }
}

/// The modern requests that listen, so that they can be told of the end.
#[derive(Default)]
pub(crate) struct Listeners {
    open: Mutex<HashMap<u64, Weak<Connection>>>,
    last: AtomicU64,
}

impl Listeners {
    pub(crate) fn add(&self, connection: &Arc<Connection>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= 64 && open.len().is_power_of_two() {
            open.retain(|_, connection| connection.strong_count() > 0);
        }
        open.insert(self.last.fetch_add(1, Ordering::Relaxed), Arc::downgrade(connection));
    }

    pub(crate) fn end(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in open.into_values().filter_map(|connection| connection.upgrade()) {
            connection.end_subscriptions();
            connection.outbox().push_last(Vec::new());
        }
    }
}
