//! State that all clones of a service share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use http_body::Body;

use crate::engine::transport_api::{Connection, Server};
use crate::protocol::Outcome;
use crate::sealing::CarriedSession;
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
use crate::transport::http::stream_session::StreamSessions;
use crate::util::sync::Mutex;

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
    pub(crate) stream_sessions: StreamSessions,
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
        self.stream_sessions.end_all();
    }

    /// Adds the current values of the service to the metrics.
    pub(crate) fn read_gauges(&self, gauges: &mut GaugeValues) {
        let sessions = self.sessions.count_open() + self.stream_sessions.count_open();
        gauges.add_http(self.connections.load(Ordering::Relaxed), sessions, self.streams.load(Ordering::Relaxed));
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
        Some(StreamPermit::Listening { _global: permit, _of_peer: of_peer })
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

/// The open subscriptions of modern requests, which receive a final response at shutdown.
#[derive(Default)]
pub(crate) struct OpenSubscriptions {
    open: Mutex<HashMap<u64, Weak<Connection>>>,
    last: AtomicU64,
}

impl OpenSubscriptions {
    pub(crate) fn register(&self, connection: &Arc<Connection>) {
        let mut open = self.open.lock();
        if open.len() >= 64 && open.len().is_power_of_two() {
            open.retain(|_, connection| connection.strong_count() > 0);
        }
        open.insert(self.last.fetch_add(1, Ordering::Relaxed), Arc::downgrade(connection));
    }

    pub(crate) fn end_all(&self) {
        let open = std::mem::take(&mut *self.open.lock());
        for connection in open.into_values().filter_map(|connection| connection.upgrade()) {
            connection.close_subscriptions();
            // The response is queued already.
            connection.outgoing().push_response(Vec::new(), Outcome::Ok);
        }
    }
}
