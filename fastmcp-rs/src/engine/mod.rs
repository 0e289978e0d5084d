//! One message in, its answers out.
//!
//! The engine is told of messages and gives frames; it opens no socket and reads no descriptor, so that
//! transports, tests and simulators all drive the same code. A [`Server`] is what an app became: it does
//! not change. A [`Connection`] is one peer: at most one legacy session, and the calls in flight.
//!
//! The era is read from each message ([`Connection::dispatch`]), never from what came before, apart from
//! the session that an `initialize` opened.

mod batch;
mod call;
mod components;
#[cfg(feature = "http")]
mod exchange;
mod feed;
// One transport has headers.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
mod headers;
mod in_flight;
mod layered;
mod legacy;
mod modern;
mod observed;
mod pending;
mod refused;
mod rounds;
mod server;
mod siblings;
mod sight;
mod subscriptions;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::net::{IpAddr, SocketAddr};
use std::str::Utf8Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;

#[cfg(feature = "http")]
pub(crate) use batch::batch_length;
#[cfg(feature = "http")]
pub(crate) use exchange::{is_complete_envelope, write_error};
pub(crate) use headers::Headers;
#[cfg(feature = "http")]
pub(crate) use headers::{METHOD, Mirrored, NAME, PROTOCOL_VERSION};
pub(crate) use pending::PendingCall;
#[cfg(feature = "stdio")]
pub(crate) use server::TIME_TO_END;
pub(crate) use server::{Ending, Server, ServerConfig};

use crate::client_requests::ClientRequests;
use crate::context::Transport;
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::id::{Id, Key};
use crate::protocol::object::{Raw, text};
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{Registry, View};
use feed::Feed;
use in_flight::{InFlight, Place};
use legacy::Session;
use observed::Observed;
use refused::ErrorBudget;
use rounds::MAX_RESPONSES;

/// One peer.
pub(crate) struct Connection {
    server: Arc<Server>,
    transport: Transport,
    /// Who the peer is, if the transport knows.
    principal: Option<Arc<Principal>>,
    /// Made when it is needed, if it is that of one exchange alone.
    outbox: OnceLock<Arc<Outbox>>,
    /// Made when it is needed, as `in_flight` and `feed` are: most HTTP requests end before.
    client_requests: OnceLock<Arc<ClientRequests>>,
    /// The newest revision that a handshake is offered.
    newest: Revision,
    /// A pipe has room for one session, which an `initialize` opens.
    session: OnceLock<Arc<Session>>,
    /// What the session is called in what is recorded: nobody can use it for the session's id.
    session_label: OnceLock<Box<str>>,
    in_flight: OnceLock<Arc<InFlight>>,
    /// What the client is told without having called.
    feed: OnceLock<Arc<Feed>>,
    /// Whether a call has ever waited, or somebody wants notifications: from then on there are frames that nobody
    /// is ready to write.
    answers_late: AtomicBool,
    /// Whether nothing more is to be served.
    stopping: AtomicBool,
    /// How many lines were taken.
    received: AtomicU64,
    errors: Mutex<ErrorBudget>,
}

/// What the answer to a message is.
pub(crate) enum Dispatched {
    /// It is written, or there is none.
    Done,
    /// It will come.
    Pending(Box<PendingCall>),
}

impl Connection {
    pub(crate) fn new(server: Arc<Server>, transport: Transport) -> Arc<Connection> {
        Connection::of(server, transport, None)
    }

    /// The connection of somebody whom the transport knows.
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

    /// The calls in flight.
    fn in_flight(&self) -> &Arc<InFlight> {
        self.in_flight.get_or_init(Arc::default)
    }

    fn feed(&self) -> &Arc<Feed> {
        self.feed.get_or_init(|| Feed::new(&self.server.changes, self.outbox()))
    }

    fn client_requests(&self) -> &Arc<ClientRequests> {
        self.client_requests.get_or_init(Arc::default)
    }

    /// What [`Connection::receive`] needs, for one who calls it.
    pub(crate) fn view(&self) -> View {
        self.server.components.view()
    }

    /// Where answers go that are not ready at once, and notifications.
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        self.outbox.get_or_init(|| self.outbox_of_exchange())
    }

    /// An outbox for one message alone.
    fn outbox_of_exchange(&self) -> Arc<Outbox> {
        self.server.measured(Outbox::for_exchange())
    }

    /// Whether there is something to do at the end.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) fn has_endings(&self) -> bool {
        self.server.has_endings()
    }

    /// Does what is to be done at the end, once.
    #[cfg_attr(not(feature = "testing"), allow(dead_code))]
    pub(crate) async fn end(&self) {
        self.server.end().await;
    }

    pub(crate) fn calls_in_flight(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.len())
    }

    /// Nothing more is to be served; what runs may end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A number that changes as long as lines are taken.
    pub(crate) fn lines_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether answers may come by the outbox.
    pub(crate) fn answers_late(&self) -> bool {
        self.answers_late.load(Ordering::Acquire)
    }

    /// Ends every wait for an answer of the client's, now and later: it can answer nothing more.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn end_questions(&self) {
        self.client_requests().close();
    }

    /// How many calls have ended whose answers are not yet on their way.
    pub(crate) fn answers_owed(&self) -> usize {
        self.in_flight.get().map_or(0, |calls| calls.owed())
    }

    /// Cancels every call; none of them will be answered.
    pub(crate) fn cancel_all(&self) {
        if let Some(calls) = self.in_flight.get() {
            calls.cancel_all();
        }
    }

    /// Takes one line without its newline. Answers that are ready are appended to `out`, each with a
    /// newline; others go to the outbox when they are. Must be called inside a tokio runtime.
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

    /// Lets a call go on as a task of the runtime.
    fn start(self: &Arc<Self>, call: Box<PendingCall>, out: &mut Vec<u8>) {
        self.answers_late.store(true, Ordering::Release);
        let outbox = Arc::clone(call.outbox());
        // What was ready before must not be overtaken by what the task will send, so all goes one way.
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

    /// Reads the era from the message, and answers in it.
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

    /// Whether the client was sent a request of that id.
    fn was_asked(&self, id: i64) -> bool {
        self.client_requests.get().is_some_and(|requests| requests.was_opened(id))
    }

    /// A client answers what it was asked. What nobody waits for is not read.
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
                    // In this order: a subscription that is just being opened looks for its id last.
                    self.in_flight().cancel(&key);
                    self.feed().close(&key);
                }
            }
            // Requests are served before it comes already.
            "notifications/initialized" => self.begin_session(out),
            _ => {}
        }
    }
}

/// A request whose frame is well formed.
struct Request<'a> {
    registry: &'a Arc<Registry>,
    message: &'a str,
    frame: &'a Frame<'a>,
    id: Id<'a>,
    method: &'a str,
    /// The arguments without those that the client has added to what a model wrote, if there are any.
    arguments: OnceCell<String>,
    admitted: Cell<Admitted>,
    exchange: Option<&'a Exchange<'a>>,
    /// Its span and its numbers, if somebody wants them.
    observed: Option<&'a Observed>,
}

/// A thing of the transport's that lives as long as the arguments of a call.
pub(crate) type Retained = Arc<dyn Any + Send + Sync>;

/// What belongs to one message alone, on transports where each has a way back of its own.
pub(crate) struct Exchange<'a> {
    /// Where the answer and what precedes it goes if it is not ready at once; `None` if that is the connection's
    /// outbox. It is made when something goes there, as most answers are ready.
    pub(crate) outbox: Option<OnceCell<Arc<Outbox>>>,
    /// What the message's headers say, where these are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// What else the transport knows of the message.
    pub(crate) carrier: Carrier<'a>,
    /// Retained until its calls have ended.
    pub(crate) retained: Option<Retained>,
    /// Whether a response that answers no request of this server's is refused; otherwise it is dropped.
    pub(crate) refuses_strays: bool,
    /// Set if an answer will come.
    pub(crate) pending: Cell<bool>,
}

/// What a transport knows of a message besides its text, for those who observe the server.
#[derive(Clone, Copy, Default)]
pub(crate) struct Carrier<'a> {
    /// All headers, whether or not they are checked.
    pub(crate) headers: Option<&'a dyn Headers>,
    /// Such as `1.1`.
    pub(crate) http_version: Option<&'static str>,
    pub(crate) client: Client,
}

/// The place of a client, as far as its connection tells or a trusted proxy.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Client {
    #[default]
    Unknown,
    At(SocketAddr),
    /// It came by a Unix socket.
    OnThisMachine,
    /// A trusted proxy has passed the message on. The address is the client's as far as the proxy tells it, and the
    /// proxy's own otherwise.
    Forwarded {
        address: Option<IpAddr>,
        /// Whether the proxy came by a Unix socket.
        by_socket: bool,
    },
}

impl Exchange<'_> {
    /// Where its late answer goes.
    pub(crate) fn outbox<'a>(&'a self, connection: &'a Connection) -> &'a Arc<Outbox> {
        match &self.outbox {
            Some(own) => own.get_or_init(|| connection.outbox_of_exchange()),
            None => connection.outbox(),
        }
    }
}

impl Request<'_> {
    /// Whether it says which revision it is of.
    fn is_modern(&self) -> bool {
        self.frame.meta().is_some_and(|meta| meta.protocol_version.is_some())
    }

    /// Where its late answer goes.
    fn outbox<'a>(&'a self, connection: &'a Connection) -> &'a Arc<Outbox> {
        self.exchange.map_or_else(|| connection.outbox(), |exchange| exchange.outbox(connection))
    }
}

/// Whether a request may be served whatever else is in flight.
#[derive(Debug, Default)]
enum Admitted {
    /// It has to ask.
    #[default]
    No,
    /// It has its place already: it has waited, or its id was taken before it is served.
    Reserved(Place),
    /// It is part of a batch.
    Member,
}

impl From<Option<Place>> for Admitted {
    fn from(reservation: Option<Place>) -> Admitted {
        reservation.map_or(Admitted::No, Admitted::Reserved)
    }
}

/// Refuses a response that answers no request of this server's, where that is to be said.
fn refuse_stray(exchange: Option<&Exchange<'_>>, out: &mut Vec<u8>) {
    if exchange.is_some_and(|exchange| exchange.refuses_strays) {
        let text = "Invalid request: this process has sent no request with the id of this response";
        finish_frame(out, |out| write::error(out, None, &RpcError::new(code::INVALID_REQUEST, text)));
    }
}

/// Whether a member is `"2.0"`, which may be spelled with escapes.
fn is_version_two(jsonrpc: Raw<'_>) -> bool {
    jsonrpc.get() == r#""2.0""# || text(jsonrpc).is_some_and(|text| text == "2.0")
}

/// The longest value that is kept of what a client says about itself or refers to. A tree of values takes
/// sixty times the room of its text.
const MAX_FACT: usize = 64 << 10;

/// Reads a small value; `null` if there is none.
fn fact(raw: Option<Raw<'_>>, name: &str) -> Result<Value, RpcError> {
    let text = fact_text(raw, name)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// The text of a small value.
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
