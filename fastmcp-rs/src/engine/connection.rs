//! The state of one peer: its session, its calls in flight, and the frames that wait for it.
//!
//! The state decides nothing. `receive/` and the files below it read messages and change the state; transports reach it
//! through `transport_api.rs`.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use super::call::in_flight::InFlightCalls;
use super::error_budget::ErrorBudget;
use super::notifications::NotificationFeed;
use super::server::Server;
use crate::auth::principal::Principal;
use crate::client_features::pending_requests::PendingClientRequests;
use crate::context::transport_facts::{ClientAddr, TransportFacts};
use crate::context::{ClientDeclaration, LogFilter, Transport};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::{Feature, LoggingLevel, Revision};
use crate::util::sync::Mutex;

/// The state of one peer.
pub(crate) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) transport: Transport,
    /// The identity of the peer, if the transport knows it.
    pub(super) principal: Option<Arc<Principal>>,
    /// Created on first use if the connection serves a single exchange.
    outgoing: OnceLock<Arc<OutgoingQueue>>,
    /// Created on first use, like `in_flight` and `feed`: most HTTP requests end before that.
    client_requests: OnceLock<Arc<PendingClientRequests>>,
    /// The feature of all revisions that a handshake can negotiate.
    pub(super) handshake_feature: Feature,
    /// The session, which an `initialize` opens. A connection has at most one.
    session: OnceLock<Arc<NegotiatedSession>>,
    /// The label of the session in spans, which cannot be used as the session's id.
    pub(super) session_label: OnceLock<Box<str>>,
    in_flight: OnceLock<Arc<InFlightCalls>>,
    /// The notifications that the client gets outside of calls.
    feed: OnceLock<Arc<NotificationFeed>>,
    /// Whether a call has ever waited, or notifications were requested: from then on, frames may arrive in the queue
    /// at any time.
    uses_queue: AtomicBool,
    pub(super) error_budget: Mutex<ErrorBudget>,
    /// The facts that a test has set for all requests of its client.
    #[cfg(feature = "testing")]
    pub(super) test_facts: OnceLock<TestFacts>,
}

/// The facts about the requests of a test client.
#[cfg(feature = "testing")]
pub(crate) struct TestFacts {
    pub(crate) transport: Arc<TransportFacts>,
    pub(crate) client_addr: Option<ClientAddr>,
}

impl Connection {
    /// Creates the state of a peer whose handshake negotiates only revisions with a feature. Without a queue, one for a
    /// single exchange is created on first use.
    pub(super) fn with_queue(
        handshake_feature: Feature,
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
        outgoing: Option<Arc<OutgoingQueue>>,
    ) -> Arc<Connection> {
        let outgoing = outgoing.map_or_else(OnceLock::new, |outgoing| server.measure_queue(outgoing).into());
        Arc::new(Connection {
            server,
            transport,
            principal,
            outgoing,
            client_requests: OnceLock::new(),
            handshake_feature,
            feed: OnceLock::new(),
            session: OnceLock::new(),
            session_label: OnceLock::new(),
            in_flight: OnceLock::new(),
            uses_queue: AtomicBool::new(false),
            error_budget: Mutex::default(),
            #[cfg(feature = "testing")]
            test_facts: OnceLock::new(),
        })
    }

    /// Returns the facts about a request that has no exchange.
    pub(super) fn test_facts(&self) -> Option<Arc<TransportFacts>> {
        #[cfg(feature = "testing")]
        return self.test_facts.get().map(|facts| Arc::clone(&facts.transport));
        #[cfg(not(feature = "testing"))]
        None
    }

    /// Returns the address of a client whose requests have no exchange.
    pub(super) fn test_client_addr(&self) -> Option<ClientAddr> {
        #[cfg(feature = "testing")]
        return self.test_facts.get().and_then(|facts| facts.client_addr);
        #[cfg(not(feature = "testing"))]
        None
    }

    /// Returns the queue for notifications, and for responses that are not ready at once.
    pub(super) fn queue(&self) -> &Arc<OutgoingQueue> {
        self.outgoing.get_or_init(|| self.new_exchange_queue())
    }

    /// Returns the queue for messages that belong to no request, if the connection outlives its requests.
    pub(super) fn session_queue(&self) -> Option<&Arc<OutgoingQueue>> {
        // The single stream of HTTP with SSE has a queue of the same kind as one response.
        let is_stream = self.handshake_feature == Feature::HttpWithSse;
        self.outgoing.get().filter(|outgoing| is_stream || !outgoing.ends_with_response())
    }

    /// Creates a queue for a single message.
    pub(super) fn new_exchange_queue(&self) -> Arc<OutgoingQueue> {
        self.server.measure_queue(OutgoingQueue::for_exchange())
    }

    /// Records that frames may arrive in the queue from now on, so that its writer must check it even without calls.
    pub(super) fn mark_queue_used(&self) {
        self.uses_queue.store(true, Ordering::Release);
    }

    /// Returns true if frames may arrive in the queue.
    #[cfg(feature = "stdio")]
    pub(super) fn is_queue_used(&self) -> bool {
        self.uses_queue.load(Ordering::Acquire)
    }

    /// Moves the frames that are ready into the queue of the notifications, which then cannot overtake them.
    pub(super) fn queue_output(&self, out: &mut Vec<u8>) {
        self.mark_queue_used();
        self.queue().push(out);
        out.clear();
    }

    /// Returns the table of calls in flight, which is created on first use.
    pub(super) fn in_flight(&self) -> &Arc<InFlightCalls> {
        self.in_flight.get_or_init(Arc::default)
    }

    /// Returns the table of calls in flight, if one was ever in flight.
    pub(super) fn in_flight_if_used(&self) -> Option<&Arc<InFlightCalls>> {
        self.in_flight.get()
    }

    pub(super) fn feed(&self) -> &Arc<NotificationFeed> {
        self.feed.get_or_init(|| NotificationFeed::new(&self.server.changes, self.queue()))
    }

    /// Returns the table of requests to the client, which is created on first use.
    pub(super) fn client_requests(&self) -> &Arc<PendingClientRequests> {
        self.client_requests.get_or_init(Arc::default)
    }

    /// Returns the table of requests to the client, if one was ever sent.
    pub(super) fn client_requests_if_used(&self) -> Option<&Arc<PendingClientRequests>> {
        self.client_requests.get()
    }

    /// Sets the number that precedes the ids of requests to the client. Has no effect after the first such request.
    #[cfg(feature = "http")]
    pub(super) fn number_requests_from(&self, base: i64) {
        let _ = self.client_requests.set(Arc::new(PendingClientRequests::starting_after(base)));
    }

    pub(super) fn session(&self) -> Option<&Arc<NegotiatedSession>> {
        self.session.get()
    }

    /// Opens the session. Returns `false` if there is one already.
    pub(super) fn open_session(&self, revision: Revision, client: Arc<ClientDeclaration>) -> bool {
        let log_level = Arc::new(AtomicU8::new(LoggingLevel::Info as u8));
        self.session.set(Arc::new(NegotiatedSession { revision, client, log_level })).is_ok()
    }
}

/// The session that an `initialize` request opened, with the negotiated revision.
#[derive(Debug)]
pub(super) struct NegotiatedSession {
    pub(super) revision: Revision,
    pub(super) client: Arc<ClientDeclaration>,
    /// The index of the least severe level that the client wants.
    log_level: Arc<AtomicU8>,
}

impl NegotiatedSession {
    pub(super) fn set_log_level(&self, level: LoggingLevel) {
        self.log_level.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn log_filter(&self) -> LogFilter {
        LogFilter::Session(Arc::clone(&self.log_level))
    }
}
