//! State that all clones of a service share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use http_body::Body;

use crate::engine::{Connection, Server};
use crate::sealing::CarriedSession;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::GaugeSource;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::GaugeValues;
use crate::transport::http::config::HttpConfig;
use crate::transport::http::limits::{GlobalPermit, MessageLimit, MessagePermit, PeerLimit};
use crate::transport::http::peer::{Peer, TrustedProxies};
use crate::transport::http::request::authenticate::Authenticator;
use crate::transport::http::request::body::{self, BodyError, BodyLimits, RequestMessage};
use crate::transport::http::request::cors::AllowedHeaders;
use crate::transport::http::request::host_origin::AccessPolicy;
use crate::transport::http::request::memory::MemoryBudget;
use crate::transport::http::response::backlog::Backlog;
use crate::transport::http::response::sse::StreamPermit;
use crate::transport::http::response::status::{HttpResponse, session_gone, too_many_sessions};
use crate::transport::http::sessions::{Lease, NotFound, Requester, Sessions};

/// The state that all clones of a service share.
pub(crate) struct ServiceState {
    pub(crate) server: Arc<Server>,
    pub(crate) config: HttpConfig,
    pub(crate) access: AccessPolicy,
    /// The headers that pages may send.
    pub(crate) allowed_headers: AllowedHeaders,
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) sessions: Arc<Sessions>,
    /// The sessions that end with their stream.
    #[cfg(feature = "legacy-sse")]
    pub(crate) stream_sessions: Arc<Sessions>,
    pub(crate) memory: MemoryBudget,
    pub(crate) permits: MessageLimit,
    pub(crate) streams: Arc<AtomicUsize>,
    pub(crate) streams_per_peer: PeerLimit<Peer>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) subscriptions: OpenSubscriptions,
    pub(crate) stopping: AtomicBool,
    /// The number of open connections, if the server is that of `App::run_http`.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl ServiceState {
    /// Ends all sessions, and sessions that begin later.
    pub(crate) fn end_sessions(&self) {
        self.sessions.end_all();
        #[cfg(feature = "legacy-sse")]
        self.stream_sessions.end_all();
    }

    /// Returns the session with that id. A session that is not in the table is restored if its id carries it.
    pub(crate) fn session(&self, id: &str, requester: &Requester<'_>) -> Result<Lease, Box<HttpResponse>> {
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

    /// Acquires the permit of a stream that stays open without a call. Returns `None` if there are too many.
    pub(crate) fn open_stream(&self, peer: Option<Peer>) -> Option<StreamPermit> {
        let permit = GlobalPermit::new(&self.streams, self.config.max_streams)?;
        let of_peer = match peer {
            Some(peer) => Some(self.streams_per_peer.try_acquire(peer)?),
            None => None,
        };
        Some(StreamPermit::Listening(permit, of_peer))
    }

    /// Reads a message. If it has to wait for more bytes, the message counts for its peer.
    pub(crate) async fn read<B: Body>(
        &self,
        body: B,
        peer: Option<&Peer>,
        permit: &mut MessagePermit,
    ) -> Result<RequestMessage, BodyError> {
        let HttpConfig { max_body: limit, body_read_timeout: timeout, .. } = self.config;
        let intake = BodyLimits { limit, timeout, memory: &self.memory, peer };
        body::read_message(body, &intake, || self.permits.charge_peer(peer, permit)).await
    }
}

#[cfg(feature = "metrics")]
impl GaugeSource for ServiceState {
    fn read(&self, gauges: &mut GaugeValues) {
        let http = gauges.http.get_or_insert_default();
        http.connections += self.connections.load(Ordering::Relaxed);
        http.sessions += self.sessions.count_open();
        #[cfg(feature = "legacy-sse")]
        {
            http.sessions += self.stream_sessions.count_open();
        }
        http.streams += self.streams.load(Ordering::Relaxed);
    }
}

/// The open subscriptions of modern requests, which receive a final response at shutdown.
#[derive(Default)]
pub(crate) struct OpenSubscriptions {
    open: Mutex<HashMap<u64, Weak<Connection>>>,
    last: AtomicU64,
}

impl OpenSubscriptions {
    pub(crate) fn register(&self, connection: &Arc<Connection>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= 64 && open.len().is_power_of_two() {
            open.retain(|_, connection| connection.strong_count() > 0);
        }
        open.insert(self.last.fetch_add(1, Ordering::Relaxed), Arc::downgrade(connection));
    }

    pub(crate) fn end_all(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in open.into_values().filter_map(|connection| connection.upgrade()) {
            connection.close_subscriptions();
            connection.outgoing().push_response(Vec::new());
        }
    }
}
