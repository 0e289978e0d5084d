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
#[cfg(feature = "http")]
mod http_exchange;
mod methods;
mod notifications;
// Only one transport has headers.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
mod header_match;
mod instrument;
mod malformed;
mod nested_calls;
mod server;
mod session;
mod stateless;
mod subscriptions;
mod visibility;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::net::{IpAddr, SocketAddr};
use std::str::Utf8Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

#[cfg(feature = "http")]
pub(crate) use batch::batch_length;
use call::in_flight::{InFlight, Place};
use call::input_required::MAX_RESPONSES;
pub(crate) use call::pending::PendingCall;
pub(crate) use header_match::Headers;
#[cfg(feature = "http")]
pub(crate) use header_match::{METHOD, Mirrored, NAME, PROTOCOL_VERSION};
#[cfg(feature = "http")]
pub(crate) use http_exchange::{is_complete_envelope, write_error};
use instrument::Observed;
use malformed::ErrorBudget;
use notifications::Feed;
use serde_json::Value;
#[cfg(feature = "stdio")]
pub(crate) use server::TIME_TO_END;
pub(crate) use server::{Ending, Server, ServerConfig};
use session::Session;

use crate::auth::principal::Principal;
use crate::client_features::pending_requests::ClientRequests;
use crate::context::Transport;
use crate::json::object::{Raw, text};
use crate::outgoing::queue::Outbox;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::id::{Id, Key};
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{Registry, RestingView, View};

/// The state of one peer.
pub(crate) struct Connection {
    server: Arc<Server>,
    transport: Transport,
    /// The identity of the peer, if the transport knows it.
    principal: Option<Arc<Principal>>,
    /// Created on first use if the connection serves a single exchange.
    outbox: OnceLock<Arc<Outbox>>,
    /// Created on first use, like `in_flight` and `feed`: most HTTP requests end before that.
    client_requests: OnceLock<Arc<ClientRequests>>,
    /// The newest revision that a handshake offers.
    newest: Revision,
    /// The session, which an `initialize` opens. A connection has at most one.
    session: OnceLock<Arc<Session>>,
    /// The label of the session in spans, which cannot be used as the session's id.
    session_label: OnceLock<Box<str>>,
    in_flight: OnceLock<Arc<InFlight>>,
    /// The notifications that the client gets outside of calls.
    feed: OnceLock<Arc<Feed>>,
    /// Whether a call has ever waited, or notifications were requested: from then on, frames may arrive in the outbox
    /// at any time.
    answers_late: AtomicBool,
    /// Whether no more messages are served.
    stopping: AtomicBool,
    /// The number of lines received.
    received: AtomicU64,
    errors: Mutex<ErrorBudget>,
}

/// The outcome of a message.
pub(crate) enum Dispatched {
    /// The response is written, or there is none.
    Done,
    /// The response comes later.
    Pending(Box<PendingCall>),
}

impl Connection {
    pub(crate) fn new(server: Arc<Server>, transport: Transport) -> Arc<Connection> {
        Connection::of(server, transport, None)
    }

    /// Creates a connection with the peer's principal, if the transport knows it.
    pub(crate) fn of(server: Arc<Server>, transport: Transport, principal: Option<Arc<Principal>>) -> Arc<Connection> {
        Connection::with_outbox(server, transport, principal, Some(Arc::default()))
    }

    fn with_outbox(
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
        outbox: Option<Arc<Outbox>>,
    ) -> Arc<Connection> {
        Arc::new(Connection::up_to(Revision::NEWEST_LEGACY, server, transport, principal, outbox))
    }

    fn up_to(
        newest: Revision,
        server: Arc<Server>,
        transport: Transport,
        principal: Option<Arc<Principal>>,
        outbox: Option<Arc<Outbox>>,
    ) -> Connection {
        let outbox = outbox.map_or_else(OnceLock::new, |outbox| server.measured(outbox).into());
        Connection {
            server,
            transport,
            principal,
            outbox,
            client_requests: OnceLock::new(),
            newest,
            feed: OnceLock::new(),
            session: OnceLock::new(),
            session_label: OnceLock::new(),
            in_flight: OnceLock::new(),
            answers_late: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            received: AtomicU64::new(0),
            errors: Mutex::default(),
        }
    }

    /// Returns the table of calls in flight.
    fn in_flight(&self) -> &Arc<InFlight> {
        self.in_flight.get_or_init(Arc::default)
    }

    fn feed(&self) -> &Arc<Feed> {
        self.feed.get_or_init(|| Feed::new(&self.server.changes, self.outbox()))
    }

    fn client_requests(&self) -> &Arc<ClientRequests> {
        self.client_requests.get_or_init(Arc::default)
    }

    /// Returns the view that a caller of [`Connection::receive`] needs.
    pub(crate) fn view(&self) -> View {
        self.server.components.view()
    }

    /// The same for one who waits between calls.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn wake(&self, resting: &RestingView) -> View {
        self.server.components.wake(resting)
    }

    /// Returns the outbox for notifications, and for responses that are not ready at once.
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        self.outbox.get_or_init(|| self.outbox_of_exchange())
    }

    /// Creates an outbox for a single message.
    fn outbox_of_exchange(&self) -> Arc<Outbox> {
        self.server.measured(Outbox::for_exchange())
    }

    /// Returns true if there are shutdown functions.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) fn has_endings(&self) -> bool {
        self.server.has_endings()
    }

    /// Runs the shutdown functions, once.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn end(&self) {
        self.server.end().await;
    }

    /// Begins to drop all components and states. Returns `false` if that was begun before.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn begin_release(&self) -> bool {
        self.server.begin_release()
    }

    pub(crate) fn calls_in_flight(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.len())
    }

    /// Stops serving messages; running calls may end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Returns a number that changes while lines are received.
    pub(crate) fn lines_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns true if responses may arrive in the outbox.
    pub(crate) fn answers_late(&self) -> bool {
        self.answers_late.load(Ordering::Acquire)
    }

    /// Ends every wait for a response of the client, now and later: the client can send none any more.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn end_questions(&self) {
        self.client_requests().close();
    }

    /// Returns the number of calls that have ended and whose responses are not yet on their way.
    pub(crate) fn answers_owed(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.owed())
    }

    /// Cancels every call whose response is not yet certain; these calls are not answered.
    pub(crate) fn cancel_all(&self) {
        if let Some(calls) = self.in_flight.get() {
            calls.cancel_all();
        }
    }

    /// Processes one line, without its newline. Responses that are ready are appended to `out`, each with a newline;
    /// all others go to the outbox when they are ready. Must be called inside a tokio runtime.
    pub(crate) fn receive(self: &Arc<Self>, view: &mut View, line: Result<&str, Utf8Error>, out: &mut Vec<u8>) {
        self.received.store(self.lines_received() + 1, Ordering::Relaxed);
        let Ok(line) = line else {
            let error = RpcError::new(code::PARSE_ERROR, "Parse error: the message is not valid UTF-8");
            return self.anonymous_error(out, &error);
        };
        let message = line.strip_suffix('\r').unwrap_or(line);
        if message.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return;
        }
        let registry = self.server.components.look(view);
        if registry.decides_slowly() && self.serves_elsewhere(registry, message, out) {
            return;
        }
        self.serve(registry, message, None, out);
    }

    fn serve(self: &Arc<Self>, registry: &Arc<Registry>, message: &str, reservation: Option<Place>, out: &mut Vec<u8>) {
        if let Dispatched::Pending(call) = self.dispatch(registry, message, reservation, None, out) {
            self.start(call, out);
        }
    }

    /// Continues a call as a task of the runtime.
    fn start(self: &Arc<Self>, call: Box<PendingCall>, out: &mut Vec<u8>) {
        self.answers_late.store(true, Ordering::Release);
        let outbox = Arc::clone(call.outbox());
        // The frames that are ready must not be overtaken by those of the task, so all of them go through the outbox.
        outbox.push(out);
        call.send_early_notifications();
        out.clear();
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            match call.finish().await {
                Some((frames, mut place)) => {
                    place.release_id();
                    outbox.push_last(frames);
                    drop(place);
                }
                None => outbox.push_last(Vec::new()),
            }
            connection.resume().await;
        });
    }

    /// Starts calls that waited for others to end.
    async fn resume(self: &Arc<Self>) {
        while let Some((message, reservation)) = self.in_flight().next_waiting() {
            self.serve_reserved(message, reservation).await;
        }
    }

    /// Determines the era of the message, and answers the message accordingly.
    fn dispatch(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        reservation: Option<Place>,
        exchange: Option<&Exchange<'_>>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        let mut frame = Frame::default();
        match frame.read(message) {
            Ok(()) => {}
            Err(Malformed::Batch) => return self.batch(registry, message, reservation, exchange, out),
            Err(malformed) => {
                self.refuse(message, &malformed, out);
                return Dispatched::Done;
            }
        }
        self.dispatch_frame(registry, message, &frame, Admitted::from(reservation), exchange, out)
    }

    fn dispatch_frame(
        self: &Arc<Self>,
        registry: &Arc<Registry>,
        message: &str,
        frame: &Frame<'_>,
        admitted: Admitted,
        exchange: Option<&Exchange<'_>>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        let id = match frame.id.map(Id::parse) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) if frame.method.is_none() => {
                // An error without an id may be about a message of ours that could not be read.
                if frame.result.is_some() {
                    refuse_stray(exchange, out);
                }
                return Dispatched::Done;
            }
            Some(None) => {
                let error = RpcError::new(
                    code::INVALID_REQUEST,
                    "Invalid request: an id is a string of at most 256 bytes, or a signed 64-bit integer",
                );
                self.anonymous_error(out, &error);
                return Dispatched::Done;
            }
        };
        if !frame.jsonrpc.is_some_and(is_version_two) {
            self.refuse_frame(id, out, "Invalid request: `jsonrpc` must be \"2.0\"");
            return Dispatched::Done;
        }
        let Some(method) = frame.method else {
            if frame.result.is_none() && frame.error.is_none() {
                self.refuse_frame(id, out, "Invalid request: there is no `method`");
            } else {
                match id.map(|id| id.key()) {
                    Some(Key::Integer(id)) if self.was_asked(id) => self.response(id, frame),
                    None if frame.result.is_none() => {}
                    _ => refuse_stray(exchange, out),
                }
            }
            return Dispatched::Done;
        };
        let Some(method) = text(method) else {
            self.refuse_frame(id, out, "Invalid request: `method` must be a string");
            return Dispatched::Done;
        };
        let Some(id) = id else {
            self.notification(&method, frame, out);
            return Dispatched::Done;
        };
        let observed;
        let mut request = Request {
            registry,
            message,
            frame,
            id,
            method: &method,
            arguments: OnceCell::new(),
            admitted: Cell::new(admitted),
            exchange,
            observed: None,
        };
        let is_observed = self.server.is_observed();
        observed = is_observed.then(|| self.observe(&request));
        request.observed = observed.as_ref();
        let entered = observed.as_ref().map(Observed::enter);
        let begin = out.len();
        let dispatched = if request.is_modern() { self.modern(&request, out) } else { self.legacy(&request, out) };
        let dispatched = match dispatched {
            Ok(dispatched) => dispatched,
            Err(error) => {
                finish_frame(out, |out| write::error(out, Some(id.as_str()), &error));
                Dispatched::Done
            }
        };
        drop(entered);
        match observed {
            Some(observed) => self.observed(observed, dispatched, (id, &method), begin, out),
            None => dispatched,
        }
    }

    /// Returns true if this connection has sent a request with that id to the client.
    fn was_asked(&self, id: i64) -> bool {
        self.client_requests.get().is_some_and(|requests| requests.was_opened(id))
    }

    /// Handles the client's response to a request of the server. A response for which no call waits is not read.
    fn response(&self, id: i64, frame: &Frame<'_>) {
        let Some(requests) = self.client_requests.get().filter(|requests| requests.is_open(id)) else { return };
        let unreadable = || (i64::from(code::INTERNAL_ERROR), "the answer cannot be read".to_owned());
        let size: usize = [frame.result, frame.error].iter().flatten().map(|answer| answer.get().len()).sum();
        let reply = match (frame.result, frame.error) {
            _ if size > MAX_RESPONSES => Err((
                i64::from(code::INTERNAL_ERROR),
                format!("the answer has {size} bytes, and at most {MAX_RESPONSES} are read"),
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

    fn notification(&self, method: &str, frame: &Frame<'_>, out: &mut Vec<u8>) {
        match method {
            "notifications/cancelled" => {
                let params = frame.params();
                if let Some(id) = params.and_then(|params| params.request_id).and_then(Id::parse) {
                    let reason = params.and_then(|params| params.reason).and_then(text).unwrap_or_default();
                    tracing::debug!(target: "fastmcp_rs", "request {} is cancelled: {reason}", id.as_str());
                    let key = id.key();
                    // The order matters: a subscription that is being opened checks its id last.
                    self.in_flight().cancel(&key);
                    self.feed().close(&key);
                }
            }
            // Requests are served even before this notification arrives.
            "notifications/initialized" => self.begin_session(out),
            _ => {}
        }
    }
}

/// A request with a well-formed frame.
pub(crate) struct Request<'a> {
    registry: &'a Arc<Registry>,
    message: &'a str,
    frame: &'a Frame<'a>,
    id: Id<'a>,
    method: &'a str,
    /// The arguments without those that the client has added to the model's arguments, if there are any.
    arguments: OnceCell<String>,
    admitted: Cell<Admitted>,
    exchange: Option<&'a Exchange<'a>>,
    /// The request's span and metrics, if they are recorded.
    observed: Option<&'a Observed>,
}

/// A value of the transport that lives as long as the arguments of a call.
pub(crate) type Retained = Arc<dyn Any + Send + Sync>;

/// The data of a single message, on transports where each message has its own return path.
pub(crate) struct Exchange<'a> {
    /// The outbox for the response, and for the frames before it, if the response is not ready at once; `None` if that
    /// is the connection's outbox. It is created on first use, because most responses are ready at once.
    pub(crate) outbox: Option<OnceCell<Arc<Outbox>>>,
    /// The message's headers, on transports where they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The transport's other data about the message.
    pub(crate) carrier: Carrier<'a>,
    /// Whether requests to the client can precede the response.
    pub(crate) takes_requests: bool,
    /// Kept until the calls of the message have ended.
    pub(crate) retained: Option<Retained>,
    /// Set if a response that answers no request of the server is refused; otherwise it is dropped.
    pub(crate) refuses_strays: bool,
    /// Set if a response comes later.
    pub(crate) pending: Cell<bool>,
}

/// A transport's data about a message besides its text, for spans and traces.
#[derive(Clone, Copy, Default)]
pub(crate) struct Carrier<'a> {
    /// All headers, whether or not they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// The version of HTTP, such as `1.1`.
    pub(crate) http_version: Option<&'static str>,
    pub(crate) client: Client,
}

/// The address of a client, as known from its connection or from a trusted proxy.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Client {
    #[default]
    Unknown,
    At(SocketAddr),
    /// The client is connected through a Unix socket.
    OnThisMachine,
    /// A trusted proxy has forwarded the message. The address is the client's, as far as the proxy reports it, and the
    /// proxy's own otherwise.
    Forwarded {
        address: Option<IpAddr>,
        /// Whether the proxy is connected through a Unix socket.
        by_socket: bool,
    },
}

impl Exchange<'_> {
    /// Returns the outbox for a response that is not ready at once.
    pub(crate) fn outbox<'a>(&'a self, connection: &'a Connection) -> &'a Arc<Outbox> {
        match &self.outbox {
            Some(own) => own.get_or_init(|| connection.outbox_of_exchange()),
            None => connection.outbox(),
        }
    }
}

impl Request<'_> {
    /// Returns true if the request names its revision.
    fn is_modern(&self) -> bool {
        self.frame.meta().is_some_and(|meta| meta.protocol_version.is_some())
    }

    /// Returns the outbox for a response that is not ready at once.
    fn outbox<'a>(&'a self, connection: &'a Connection) -> &'a Arc<Outbox> {
        self.exchange.map_or_else(|| connection.outbox(), |exchange| exchange.outbox(connection))
    }
}

/// The admission of a request, independent of other calls in flight.
#[derive(Debug, Default)]
pub(crate) enum Admitted {
    /// The request is not admitted yet.
    #[default]
    No,
    /// The request has its place already: it has waited, or its id was reserved before it is served.
    Reserved(Place),
    /// The request is part of a batch.
    Member,
}

impl From<Option<Place>> for Admitted {
    fn from(reservation: Option<Place>) -> Admitted {
        reservation.map_or(Admitted::No, Admitted::Reserved)
    }
}

/// Refuses a response that answers no request of the server, on transports that report it.
fn refuse_stray(exchange: Option<&Exchange<'_>>, out: &mut Vec<u8>) {
    if exchange.is_some_and(|exchange| exchange.refuses_strays) {
        let text = "Invalid request: this process has sent no request with the id of this response";
        finish_frame(out, |out| write::error(out, None, &RpcError::new(code::INVALID_REQUEST, text)));
    }
}

/// Returns true if a member is `"2.0"`, which may be spelled with escapes.
fn is_version_two(jsonrpc: Raw<'_>) -> bool {
    jsonrpc.get() == r#""2.0""# || text(jsonrpc).is_some_and(|text| text == "2.0")
}

/// The maximum length of a value that a client sends to describe itself or to refer to a component. A tree of values
/// takes sixty times the memory of its text.
const MAX_FACT: usize = 64 << 10;

/// Parses a small value; returns `null` if it is absent.
fn fact(raw: Option<Raw<'_>>, name: &str) -> Result<Value, RpcError> {
    let text = fact_text(raw, name)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// Returns the text of a small value.
fn fact_text<'a>(raw: Option<Raw<'a>>, name: &str) -> Result<Option<&'a str>, RpcError> {
    match raw {
        Some(raw) if raw.get().len() > MAX_FACT => {
            Err(RpcError::invalid_params(format!("Invalid params: `{name}` may have at most {MAX_FACT} bytes")))
        }
        raw => Ok(raw.map(|raw| raw.get())),
    }
}

/// Writes one frame and the newline that ends it.
fn finish_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write(out);
    out.push(b'\n');
}
