//! One message in, its responses out.
//!
//! The engine receives messages and returns frames; it opens no socket and reads no descriptor, so that transports, tests
//! and simulators drive the same code. A [`Server`] is built from an app and does not change. A [`Connection`] is one
//! peer: at most one legacy session, and the calls in flight. The era is read from each message, never from earlier ones,
//! except for the session that an `initialize` opened.
//!
//! Look here for the methods of the protocol, admission, cancellation, progress, subscriptions and batches.

mod batch;
mod call;
pub(crate) mod completion;
mod header_match;
#[cfg(feature = "http")]
mod http_exchange;
mod instrument;
mod malformed;
mod methods;
mod nested_calls;
mod notifications;
mod offload;
#[cfg(feature = "stdio")]
mod oversized;
mod registry_view;
mod server;
mod session;
mod stateless;
mod subscriptions;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::net::IpAddr;
use std::str::Utf8Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

#[cfg(feature = "http")]
pub(crate) use batch::batch_length;
use call::in_flight::{CallPermit, InFlightCalls};
use call::input_required::MAX_RESPONSES_BYTES;
pub(crate) use call::pending::PendingCall;
#[cfg(all(test, feature = "http"))]
pub(crate) use header_match::HeaderField;
pub(crate) use header_match::Headers;
#[cfg(feature = "http")]
pub(crate) use header_match::{METHOD_HEADER, NAME_HEADER, PROTOCOL_VERSION_HEADER};
#[cfg(feature = "http")]
pub(crate) use http_exchange::{is_complete_envelope, write_error};
use instrument::Instrumentation;
use malformed::ErrorBudget;
use notifications::NotificationFeed;
use serde_json::Value;
#[cfg(feature = "stdio")]
pub(crate) use server::SHUTDOWN_TASKS_TIMEOUT;
pub(crate) use server::{Server, ServerConfig, ShutdownTask};
use session::NegotiatedSession;

use crate::auth::principal::Principal;
use crate::client_features::pending_requests::PendingClientRequests;
use crate::context::Transport;
use crate::json::object::{Raw, string_value};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::{Id, IdKey};
use crate::protocol::write::{self, RpcError, code};
use crate::protocol::{Feature, ProtocolMethod};
use crate::registry::Registry;
use crate::registry::RegistrySnapshot;
#[cfg(feature = "stdio")]
use crate::registry::WeakRegistrySnapshot;

/// The state of one peer.
pub(crate) struct Connection {
    server: Arc<Server>,
    transport: Transport,
    /// The identity of the peer, if the transport knows it.
    principal: Option<Arc<Principal>>,
    /// Created on first use if the connection serves a single exchange.
    outgoing: OnceLock<Arc<OutgoingQueue>>,
    /// Created on first use, like `in_flight` and `feed`: most HTTP requests end before that.
    client_requests: OnceLock<Arc<PendingClientRequests>>,
    /// The feature of all revisions that a handshake can negotiate.
    handshake_feature: Feature,
    /// The session, which an `initialize` opens. A connection has at most one.
    session: OnceLock<Arc<NegotiatedSession>>,
    /// The label of the session in spans, which cannot be used as the session's id.
    session_label: OnceLock<Box<str>>,
    in_flight: OnceLock<Arc<InFlightCalls>>,
    /// The notifications that the client gets outside of calls.
    feed: OnceLock<Arc<NotificationFeed>>,
    /// Whether a call has ever waited, or notifications were requested: from then on, frames may arrive in the outbox
    /// at any time.
    uses_outgoing_queue: AtomicBool,
    error_budget: Mutex<ErrorBudget>,
}

/// The outcome of a message.
pub(crate) enum DispatchStatus {
    /// The response is written, or there is none.
    Done,
    /// The response comes later.
    Pending(Box<PendingCall>),
}

impl Connection {
    #[cfg(feature = "stdio")]
    pub(crate) fn new(server: Arc<Server>, transport: Transport) -> Arc<Connection> {
        Connection::for_principal(server, transport, None)
    }

    /// Creates a connection with the peer's principal, if the transport knows it.
    pub(crate) fn for_principal(
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
    ) -> Arc<Connection> {
        Connection::for_any_session(server, transport, principal, Some(Arc::default()))
    }

    fn for_any_session(
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
        outgoing: Option<Arc<OutgoingQueue>>,
    ) -> Arc<Connection> {
        Arc::new(Connection::for_handshake_with(Feature::Sessions, server, transport, principal, outgoing))
    }

    /// Creates a connection whose handshake negotiates only revisions with a feature.
    fn for_handshake_with(
        handshake_feature: Feature,
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
        outgoing: Option<Arc<OutgoingQueue>>,
    ) -> Connection {
        let outgoing = outgoing.map_or_else(OnceLock::new, |outgoing| server.measure_queue(outgoing).into());
        Connection {
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
            uses_outgoing_queue: AtomicBool::new(false),
            error_budget: Mutex::default(),
        }
    }

    /// Returns the table of calls in flight.
    fn in_flight(&self) -> &Arc<InFlightCalls> {
        self.in_flight.get_or_init(Arc::default)
    }

    fn feed(&self) -> &Arc<NotificationFeed> {
        self.feed.get_or_init(|| NotificationFeed::new(&self.server.changes, self.outgoing()))
    }

    fn client_requests(&self) -> &Arc<PendingClientRequests> {
        self.client_requests.get_or_init(Arc::default)
    }

    /// Returns the view that a caller of [`Connection::receive`] needs.
    pub(crate) fn registry_snapshot(&self) -> RegistrySnapshot {
        self.server.registry.snapshot()
    }

    /// The same for one who waits between calls.
    #[cfg(feature = "stdio")]
    pub(crate) fn upgrade_snapshot(&self, resting: &WeakRegistrySnapshot) -> RegistrySnapshot {
        self.server.registry.upgrade_snapshot(resting)
    }

    /// Returns the outbox for notifications, and for responses that are not ready at once.
    pub(crate) fn outgoing(&self) -> &Arc<OutgoingQueue> {
        self.outgoing.get_or_init(|| self.new_exchange_queue())
    }

    /// Creates an outbox for a single message.
    fn new_exchange_queue(&self) -> Arc<OutgoingQueue> {
        self.server.measure_queue(OutgoingQueue::for_exchange())
    }

    /// Returns true if there are shutdown functions.
    #[cfg(feature = "testing")]
    pub(crate) fn has_shutdown_tasks(&self) -> bool {
        self.server.has_shutdown_tasks()
    }

    /// Runs the shutdown functions, once.
    #[cfg(feature = "testing")]
    pub(crate) async fn run_shutdown_tasks(&self) {
        self.server.run_shutdown_tasks().await;
    }

    /// Begins to drop all components and states. Returns `false` if that was begun before.
    #[cfg(feature = "stdio")]
    pub(crate) fn begin_release(&self) -> bool {
        self.server.begin_release()
    }

    pub(crate) fn calls_in_flight(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.len())
    }

    /// Returns true if responses may arrive in the outbox.
    #[cfg(feature = "stdio")]
    pub(crate) fn uses_outgoing_queue(&self) -> bool {
        self.uses_outgoing_queue.load(Ordering::Acquire)
    }

    /// Ends every wait for a response of the client, now and later: the client can send none any more.
    #[cfg(feature = "stdio")]
    pub(crate) fn close_client_requests(&self) {
        self.client_requests().close();
    }

    /// Adds the requests that wait on this connection to the metrics of the server.
    pub(crate) fn join_metrics(self: &Arc<Self>) {
        if let Some(metrics) = &self.server.metrics {
            metrics.add_source(self, |connection, gauges| {
                gauges.add_waiting_calls(connection.in_flight.get().map_or(0, |calls| calls.queued_count()));
            });
        }
    }

    /// Returns the number of calls that have ended and whose responses are not yet on their way.
    #[cfg(feature = "stdio")]
    pub(crate) fn unsent_responses(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.unsent_responses())
    }

    /// Cancels every call whose response is not yet certain; these calls are not answered.
    pub(crate) fn cancel_all(&self) {
        if let Some(calls) = self.in_flight.get() {
            calls.cancel_all();
        }
    }

    /// Processes one line, without its newline. Responses that are ready are appended to `out`, each with a newline;
    /// all others go to the outbox when they are ready. Must be called inside a tokio runtime.
    pub(crate) fn receive(
        self: &Arc<Self>,
        view: &mut RegistrySnapshot,
        line: Result<&str, Utf8Error>,
        out: &mut Vec<u8>,
    ) {
        let Ok(line) = line else {
            let error = RpcError::new(code::PARSE_ERROR, "Parse error: the message is not valid UTF-8");
            return self.write_error_without_id(out, &error);
        };
        let message = line.strip_suffix('\r').unwrap_or(line);
        if message.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return;
        }
        let registry = self.server.registry.refresh(view);
        if registry.has_slow_visibility() && self.offload_if_slow(registry, message, out) {
            return;
        }
        self.serve_message(registry, message, None, out);
    }

    fn serve_message(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        permit: Option<CallPermit>,
        out: &mut Vec<u8>,
    ) {
        if let DispatchStatus::Pending(call) = self.dispatch(registry, message, permit, None, out) {
            self.spawn_call(call, out);
        }
    }

    /// Continues a call as a task of the runtime.
    fn spawn_call(self: &Arc<Self>, call: Box<PendingCall>, out: &mut Vec<u8>) {
        self.uses_outgoing_queue.store(true, Ordering::Release);
        let outgoing = Arc::clone(call.outgoing());
        // The frames that are ready must not be overtaken by those of the task, so all of them go through the outbox.
        outgoing.push(out);
        call.send_early_notifications();
        out.clear();
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            match call.run_to_end().await {
                Some((frames, mut permit)) => {
                    permit.release_id();
                    outgoing.push_response(frames);
                    drop(permit);
                }
                None => outgoing.push_response(Vec::new()),
            }
            connection.serve_queued().await;
        });
    }

    /// Starts calls that waited for others to end.
    async fn serve_queued(self: &Arc<Self>) {
        while let Some((message, permit)) = self.in_flight().next_queued() {
            self.serve_with_permit(message, permit).await;
        }
    }

    /// Determines the era of the message, and answers the message accordingly.
    fn dispatch(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        permit: Option<CallPermit>,
        exchange: Option<&HttpExchange<'_>>,
        out: &mut Vec<u8>,
    ) -> DispatchStatus {
        let mut frame = Frame::default();
        match frame.read(message) {
            Ok(()) => {}
            Err(FrameError::Batch) => return self.dispatch_batch(registry, message, permit, exchange, out),
            Err(malformed) => {
                self.reject_malformed(message, &malformed, out);
                return DispatchStatus::Done;
            }
        }
        self.dispatch_frame(registry, message, &frame, PermitState::from(permit), exchange, out)
    }

    fn dispatch_frame(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        frame: &Frame<'_>,
        permit_state: PermitState,
        exchange: Option<&HttpExchange<'_>>,
        out: &mut Vec<u8>,
    ) -> DispatchStatus {
        let id = match frame.id.map(Id::parse) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) if frame.method.is_none() => {
                // An error without an id may be about a message of ours that could not be read.
                if frame.result.is_some() {
                    reject_stray_response(exchange, out);
                }
                return DispatchStatus::Done;
            }
            Some(None) => {
                let error = RpcError::new(
                    code::INVALID_REQUEST,
                    "Invalid request: `id` must be a string of at most 256 bytes, or a signed 64-bit integer",
                );
                self.write_error_without_id(out, &error);
                return DispatchStatus::Done;
            }
        };
        if !frame.jsonrpc.is_some_and(is_version_two) {
            self.reject_frame(id, out, "Invalid request: `jsonrpc` must be \"2.0\"");
            return DispatchStatus::Done;
        }
        let Some(method) = frame.method else {
            if frame.result.is_none() && frame.error.is_none() {
                self.reject_frame(id, out, "Invalid request: `method` is missing");
            } else {
                match id.map(|id| id.key()) {
                    Some(IdKey::Integer(id)) if self.was_requested(id) => self.handle_response(id, frame),
                    None if frame.result.is_none() => {}
                    _ => reject_stray_response(exchange, out),
                }
            }
            return DispatchStatus::Done;
        };
        let Some(method_name) = string_value(method) else {
            self.reject_frame(id, out, "Invalid request: `method` must be a string");
            return DispatchStatus::Done;
        };
        let method = ProtocolMethod::parse(&method_name);
        let Some(id) = id else {
            self.handle_notification(method, frame, out);
            return DispatchStatus::Done;
        };
        let instrumentation;
        let mut request = IncomingRequest {
            registry,
            message,
            frame,
            id,
            method,
            method_name: &method_name,
            arguments: OnceCell::new(),
            permit_state: Cell::new(permit_state),
            exchange,
            instrumentation: None,
        };
        let is_instrumented = self.server.is_instrumented();
        instrumentation = is_instrumented.then(|| self.instrument(&request));
        request.instrumentation = instrumentation.as_ref();
        let entered = instrumentation.as_ref().map(Instrumentation::enter);
        let begin = out.len();
        let dispatched = if request.names_revision() {
            self.dispatch_stateless(&request, out)
        } else {
            self.dispatch_in_session(&request, out)
        };
        let dispatched = match dispatched {
            Ok(dispatched) => dispatched,
            Err(error) => {
                write_frame(out, |out| write::write_error(out, Some(id.as_str()), &error));
                DispatchStatus::Done
            }
        };
        drop(entered);
        match instrumentation {
            Some(instrumentation) => self.finish_instrumentation(instrumentation, dispatched, (id, method), begin, out),
            None => dispatched,
        }
    }

    /// Returns true if this connection has sent a request with that id to the client.
    fn was_requested(&self, id: i64) -> bool {
        self.client_requests.get().is_some_and(|requests| requests.was_opened(id))
    }

    /// Handles the client's response to a request of the server. A response for which no call waits is not read.
    fn handle_response(&self, id: i64, frame: &Frame<'_>) {
        let Some(requests) = self.client_requests.get().filter(|requests| requests.is_open(id)) else { return };
        let unreadable = || (i64::from(code::INTERNAL_ERROR), "the response cannot be read".to_owned());
        let size: usize = [frame.result, frame.error].iter().flatten().map(|answer| answer.get().len()).sum();
        let reply = match (frame.result, frame.error) {
            _ if size > MAX_RESPONSES_BYTES => Err((
                i64::from(code::INTERNAL_ERROR),
                format!("the response has {size} bytes; the limit is {MAX_RESPONSES_BYTES} bytes"),
            )),
            (Some(result), None) => serde_json::from_str(result.get()).map_err(|_| unreadable()),
            (_, error) => {
                let error = error.and_then(|error| serde_json::from_str::<Value>(error.get()).ok()).unwrap_or_default();
                let message = error["message"].as_str().map(str::to_owned);
                Err(message.map_or_else(unreadable, |message| (error["code"].as_i64().unwrap_or_default(), message)))
            }
        };
        requests.resolve(id, reply);
    }

    fn handle_notification(&self, method: Option<ProtocolMethod>, frame: &Frame<'_>, out: &mut Vec<u8>) {
        match method {
            Some(ProtocolMethod::Cancelled) => {
                let params = frame.params();
                if let Some(id) = params.and_then(|params| params.request_id).and_then(Id::parse) {
                    let reason = params.and_then(|params| params.reason).and_then(string_value).unwrap_or_default();
                    tracing::debug!(target: "fastmcp_rs", "request {} is cancelled: {reason}", id.as_str());
                    let key = id.key();
                    // The order matters: a subscription that is being opened checks its id last.
                    self.in_flight().cancel(&key);
                    self.feed().close_subscription(&key);
                }
            }
            // Requests are served even before this notification arrives.
            Some(ProtocolMethod::Initialized) => self.start_session_notifications(out),
            _ => {}
        }
    }
}

/// A request with a well-formed frame.
pub(crate) struct IncomingRequest<'a> {
    registry: &'a Arc<Registry>,
    message: &'a str,
    frame: &'a Frame<'a>,
    id: Id<'a>,
    /// `None` for a method that this library does not know.
    method: Option<ProtocolMethod>,
    /// The method as the client has written it.
    method_name: &'a str,
    /// The arguments without those that the client has added to the model's arguments, if there are any.
    arguments: OnceCell<String>,
    permit_state: Cell<PermitState>,
    exchange: Option<&'a HttpExchange<'a>>,
    /// The request's span and metrics, if they are recorded.
    instrumentation: Option<&'a Instrumentation>,
}

/// A value of the transport that lives as long as the arguments of a call.
pub(crate) type ArgumentsGuard = Arc<dyn Any + Send + Sync>;

/// The data of a single message, on transports where each message has its own return path.
pub(crate) struct HttpExchange<'a> {
    /// The outbox for the response, and for the frames before it, if the response is not ready at once; `None` if that
    /// is the connection's outbox. It is created on first use, because most responses are ready at once.
    pub(crate) outgoing: Option<OnceCell<Arc<OutgoingQueue>>>,
    /// The message's headers, on transports where they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The transport's other data about the message.
    pub(crate) transport_info: TransportInfo<'a>,
    /// Whether requests to the client can precede the response.
    pub(crate) takes_requests: bool,
    /// Kept until the calls of the message have ended.
    pub(crate) retained: Option<ArgumentsGuard>,
    /// Set if a response that answers no request of the server is refused; otherwise it is dropped.
    pub(crate) rejects_stray_responses: bool,
    /// Set if a response comes later.
    pub(crate) pending: Cell<bool>,
}

/// A transport's data about a message besides its text, for spans and traces.
#[derive(Clone, Copy, Default)]
pub(crate) struct TransportInfo<'a> {
    /// All headers, whether or not they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The version of HTTP, such as `1.1`.
    pub(crate) http_version: Option<&'static str>,
    /// Whether the message has come through a Unix socket.
    pub(crate) is_by_unix_socket: bool,
    /// The address and the port of the client, as far as they are known.
    pub(crate) client: Option<(IpAddr, Option<u16>)>,
}

impl HttpExchange<'_> {
    /// Returns the outbox for a response that is not ready at once.
    pub(crate) fn outgoing<'a>(&'a self, connection: &'a Connection) -> &'a Arc<OutgoingQueue> {
        match &self.outgoing {
            Some(own) => own.get_or_init(|| connection.new_exchange_queue()),
            None => connection.outgoing(),
        }
    }
}

impl IncomingRequest<'_> {
    /// Returns true if the request names its revision.
    fn names_revision(&self) -> bool {
        self.frame.meta().is_some_and(|meta| meta.protocol_version.is_some())
    }

    /// Returns the outbox for a response that is not ready at once.
    fn outgoing<'a>(&'a self, connection: &'a Connection) -> &'a Arc<OutgoingQueue> {
        self.exchange.map_or_else(|| connection.outgoing(), |exchange| exchange.outgoing(connection))
    }
}

/// The admission of a request, independent of other calls in flight.
#[derive(Debug, Default)]
pub(crate) enum PermitState {
    /// The request is not admitted yet.
    #[default]
    Unrequested,
    /// The request has its place already: it has waited, or its id was reserved before it is served.
    Held(CallPermit),
    /// The request is part of a batch.
    Batch,
}

impl From<Option<CallPermit>> for PermitState {
    fn from(permit: Option<CallPermit>) -> PermitState {
        permit.map_or(PermitState::Unrequested, PermitState::Held)
    }
}

/// Refuses a response that answers no request of the server, on transports that report it.
fn reject_stray_response(exchange: Option<&HttpExchange<'_>>, out: &mut Vec<u8>) {
    if exchange.is_some_and(|exchange| exchange.rejects_stray_responses) {
        let text = "Invalid request: this process sent no request with the id of this response";
        write_frame(out, |out| write::write_error(out, None, &RpcError::new(code::INVALID_REQUEST, text)));
    }
}

/// Returns true if a member is `"2.0"`, which may be spelled with escapes.
fn is_version_two(jsonrpc: Raw<'_>) -> bool {
    jsonrpc.get() == r#""2.0""# || string_value(jsonrpc).is_some_and(|text| text == "2.0")
}

/// The maximum length of a value that a client sends to describe itself or to refer to a component. A tree of values
/// takes sixty times the memory of its text.
const MAX_MEMBER_BYTES: usize = 64 << 10;

/// Parses a small value; returns `null` if it is absent.
fn read_member(raw: Option<Raw<'_>>, name: &str) -> Result<Value, RpcError> {
    let text = member_text(raw, name)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// Returns the text of a small value.
fn member_text<'a>(raw: Option<Raw<'a>>, name: &str) -> Result<Option<&'a str>, RpcError> {
    match raw {
        Some(raw) if raw.get().len() > MAX_MEMBER_BYTES => {
            Err(RpcError::invalid_params(format!("Invalid params: `{name}` may have at most {MAX_MEMBER_BYTES} bytes")))
        }
        raw => Ok(raw.map(|raw| raw.get())),
    }
}

/// Writes one frame and the newline that ends it.
fn write_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write(out);
    out.push(b'\n');
}
