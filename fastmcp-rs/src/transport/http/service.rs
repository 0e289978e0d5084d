//! One HTTP request in, its response out.
//!
//! The checks come in this order: who may reach the server at all, who asks, what kind of request it is, how large it
//! is; only then is the body read, and the era decided from it. A modern request is a connection of its own, which is
//! gone with its response; a legacy one belongs to a session.
//!
//! The form of an answer is chosen late: it is JSON unless something else comes first, and only then the head of a
//! stream goes out, together with its first event.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CACHE_CONTROL,
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, RETRY_AFTER, TRANSFER_ENCODING, VARY, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;

use super::access::{Access, Refused};
use super::authenticate::{AccessError, Authenticator};
use super::body::{self, ResponseBody, Room, Unread};
use super::config::{HttpConfig, SessionMode};
use super::counted::{Counted, PerPeer};
use super::headers::{Accepted, accepted, is_json, text as header_text};
use super::sessions::{Session, Sessions};
use super::stream::{CancelOnDrop, EventStream, OpenStream, lines, parse_event_id};
use crate::engine::{
    Connection, Exchange, Headers, Mirrored, PROTOCOL_VERSION, Server, is_complete_envelope, write_error,
};
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::object::text;
use crate::protocol::write::{RpcError, code};
use crate::registry::{Registry, View};

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: &str = "last-event-id";
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An app as a [tower `Service`](https://docs.rs/tower-service), from [`App::into_service`](crate::App::into_service):
/// it takes HTTP requests and answers them, whatever server it is part of.
///
/// It is cheap to clone, and all clones are one server. Nothing has to be started or kept beside it. It must be called
/// inside a tokio runtime with time enabled.
#[derive(Clone)]
pub struct HttpService {
    pub(super) shared: Arc<Shared>,
    view: View,
}

/// What all clones of a service have in common.
pub(super) struct Shared {
    server: Arc<Server>,
    pub(super) config: HttpConfig,
    access: Access,
    authenticator: Option<Authenticator>,
    pub(super) sessions: Sessions,
    room: Room,
    calls: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
    streams_of: PerPeer<Box<str>>,
    listeners: Listeners,
    stopping: AtomicBool,
}

impl Shared {
    /// Counts one more stream that stays open without a call, unless there are too many.
    fn open_stream(&self, principal: Option<&Principal>) -> Option<OpenStream> {
        let counted = Counted::new(&self.streams, self.config.max_streams)?;
        match principal {
            None => Some((counted, None)),
            Some(principal) => Some((counted, Some(self.streams_of.count(principal.id().into())?))),
        }
    }
}

type Answer = Response<ResponseBody>;

impl HttpService {
    pub(crate) fn new(
        server: Arc<Server>,
        config: HttpConfig,
        authenticator: Option<Authenticator>,
    ) -> Result<HttpService, Vec<String>> {
        let access = Access::new(&config, authenticator.is_some())?;
        let view = server.components.view();
        let shared = Shared {
            server,
            access,
            authenticator,
            sessions: Sessions::new(config.max_sessions, config.session_idle),
            room: Room::new(config.max_bytes_in_flight.max(config.max_body + (64 << 10))),
            calls: Arc::default(),
            streams: Arc::default(),
            streams_of: PerPeer::new(config.max_streams_per_principal),
            listeners: Listeners::default(),
            stopping: AtomicBool::new(false),
            config,
        };
        Ok(HttpService { shared: Arc::new(shared), view })
    }

    /// Ends what would never end by itself: subscriptions, each with a last answer, and the streams of sessions. What
    /// is asked from now on is answered 503. Calls that run go on.
    ///
    /// [`App::run_http`](crate::App::run_http) does this by itself. A server that the service is mounted in should do
    /// it when it is asked to stop, or open streams hold it up.
    pub fn close(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.listeners.end();
        self.shared.sessions.end_own_streams();
    }

    /// Does what [`App::on_shutdown`](crate::App::on_shutdown) asks for, once. [`App::run_http`](crate::App::run_http)
    /// does this by itself, when the last call has ended; a server that the service is mounted in should do it then.
    pub async fn end(&self) {
        self.shared.server.end().await;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }

    /// How many messages are being served.
    pub(super) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Acquire)
    }

    /// Answers one request.
    pub(super) async fn serve<B>(mut self, request: Request<B>) -> Answer
    where
        B: Body,
    {
        let (parts, body) = request.into_parts();
        let listed_origin = self.listed_origin(&parts.headers);
        let is_chunked = parts.headers.contains_key(TRANSFER_ENCODING);
        let mut answer = match self.begin(&parts).await {
            Ok(caller) => match parts.method {
                Method::POST => self.post(&parts, body, caller).await,
                Method::GET => self.get(&parts, caller).unwrap_or_else(|refusal| *refusal),
                Method::DELETE => self.delete(&parts, caller),
                _ => method_not_allowed(self.shared.config.sessions),
            },
            Err(answer) => answer,
        };
        if let Some(origin) = listed_origin {
            allow_origin(answer.headers_mut(), origin);
        }
        // Where the body ends is what a proxy in front may see otherwise: then nothing follows it.
        if is_chunked {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    fn listed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if !self.shared.access.lists_origins() {
            return None;
        }
        headers.get(ORIGIN).filter(|origin| self.shared.access.is_listed_origin(origin.as_bytes())).cloned()
    }

    /// Whether the request may come in, and who makes it.
    async fn begin(&self, parts: &Parts) -> Result<Option<Arc<Principal>>, Answer> {
        let shared = &self.shared;
        if let Err(refused) = shared.access.check(&parts.uri, &parts.headers) {
            let (status, message) = match refused {
                Refused::BadHost => (StatusCode::BAD_REQUEST, "Invalid request: there must be one valid `Host`"),
                Refused::ForeignHost => (
                    StatusCode::FORBIDDEN,
                    "Forbidden: this server is not known by that `Host`; its operator can allow it",
                ),
                Refused::ForeignOrigin => (
                    StatusCode::FORBIDDEN,
                    "Forbidden: pages of this `Origin` may not call this server; its operator can allow it",
                ),
            };
            let mut answer = refuse(status, message);
            if refused == Refused::BadHost {
                // Who writes such a head may mean something else by what follows, too.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return Err(answer);
        }
        // hyper has refused or dropped the one or the other; another server may not have.
        if parts.headers.contains_key(TRANSFER_ENCODING) && parts.headers.contains_key(CONTENT_LENGTH) {
            return Err(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: `Content-Length` and `Transfer-Encoding` exclude each other",
            ));
        }
        let asks_before = parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if asks_before && self.listed_origin(&parts.headers).is_some() {
            return Err(preflight());
        }
        if shared.stopping.load(Ordering::Acquire) {
            return Err(unavailable("Unavailable: the server is about to end"));
        }
        match &shared.authenticator {
            None => Ok(None),
            Some(authenticator) => match authenticator.check(parts).await {
                Ok(principal) => Ok(Some(Arc::new(principal))),
                Err(AccessError { status, challenge, message }) => {
                    let mut answer = refuse(status, message);
                    if let Some(challenge) = challenge {
                        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                    }
                    Err(answer)
                }
            },
        }
    }

    async fn post<B: Body>(&mut self, parts: &Parts, body: B, caller: Option<Arc<Principal>>) -> Answer {
        let config = &self.shared.config;
        if !is_json(&parts.headers) {
            return refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type: a message is sent as `Content-Type: application/json`",
            );
        }
        let accepted = accepted(&parts.headers);
        if !accepted.json && !accepted.events {
            return refuse(
                StatusCode::NOT_ACCEPTABLE,
                "Not acceptable: `Accept` must name application/json and text/event-stream",
            );
        }
        let Some(counted) = Counted::new(&self.shared.calls, config.max_calls) else {
            return unavailable("Unavailable: too many messages are being served; try again");
        };
        let message = match body::read(body, config.max_body, config.body_time, &self.shared.room).await {
            Ok(message) => message,
            Err(unread) => return unreadable(&unread, config.max_body),
        };
        let Ok(message_text) = std::str::from_utf8(&message.bytes) else {
            return refuse_with(
                StatusCode::BAD_REQUEST,
                code::PARSE_ERROR,
                "Parse error: the message is not valid UTF-8",
            );
        };
        let registry = Arc::clone(self.shared.server.components.look(&mut self.view));
        let call = Call { shared: &self.shared, registry: &registry, headers: &parts.headers, caller, accepted };
        let begun = call.begin(message_text);
        drop(message);
        match begun {
            Begun::Over(answer) => answer,
            Begun::Waiting(waiting) => waiting.answer(&self.shared, accepted, counted).await,
        }
    }

    /// The stream of what belongs to no request, or the rest of one that was lost.
    fn get(&self, parts: &Parts, caller: Option<Arc<Principal>>) -> Result<Answer, Box<Answer>> {
        let config = &self.shared.config;
        let session = self.session_of(parts, caller.clone())?;
        if !accepted(&parts.headers).events {
            let message = "Not acceptable: `Accept` must name text/event-stream";
            return Err(Box::new(refuse(StatusCode::NOT_ACCEPTABLE, message)));
        }
        let counted = self
            .shared
            .open_stream(caller.as_deref())
            .ok_or_else(|| Box::new(unavailable("Unavailable: too many streams are open; try again")))?;
        let reader = match header_text(&parts.headers, LAST_EVENT_ID) {
            None => {
                let channel = session.own_channel();
                let latest = channel.latest();
                channel.read(latest)
            }
            Some(last) => {
                let found = parse_event_id(last.as_bytes());
                let found = found.and_then(|(stream, number)| Some((session.channel(stream)?, number)));
                let (channel, number) = found.ok_or_else(|| {
                    let message = "Invalid request: the stream of this `Last-Event-ID` is gone";
                    Box::new(refuse(StatusCode::BAD_REQUEST, message))
                })?;
                channel.read(number)
            }
        };
        Ok(event_stream(EventStream::of_session(reader, config.keep_alive, Some(counted))))
    }

    fn delete(&self, parts: &Parts, caller: Option<Arc<Principal>>) -> Answer {
        match self.session_of(parts, caller) {
            Ok(_) => {
                if let Some(id) = header_text(&parts.headers, SESSION_ID.as_str()) {
                    self.shared.sessions.remove(id);
                }
                respond(StatusCode::NO_CONTENT, ResponseBody::empty())
            }
            Err(answer) => *answer,
        }
    }

    /// The session that a GET or a DELETE names.
    fn session_of(&self, parts: &Parts, caller: Option<Arc<Principal>>) -> Result<Arc<Session>, Box<Answer>> {
        let sessions = self.shared.config.sessions;
        let is_legacy = matches!(version_of(&parts.headers), Version::Absent | Version::Legacy(_));
        if sessions != SessionMode::Sessions || !is_legacy {
            return Err(Box::new(method_not_allowed(sessions)));
        }
        match header_text(&parts.headers, SESSION_ID.as_str()) {
            Some(id) => self.shared.sessions.find(id, caller.as_deref()).ok_or_else(|| Box::new(session_gone())),
            None => Err(Box::new(session_missing())),
        }
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.clone().serve(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

impl std::fmt::Debug for HttpService {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpService")
            .field("calls", &self.calls())
            .field("sessions", &self.shared.sessions.len())
            .finish_non_exhaustive()
    }
}

/// What the version header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Absent,
    Legacy(Revision),
    Modern,
    Unknown,
}

fn version_of(headers: &HeaderMap) -> Version {
    match headers.value(PROTOCOL_VERSION) {
        Mirrored::Absent => Version::Absent,
        Mirrored::Twice => Version::Unknown,
        Mirrored::Value(value) => match std::str::from_utf8(value).ok().and_then(|value| Revision::parse(value.trim()))
        {
            Some(revision) if revision.is_modern() => Version::Modern,
            Some(revision) => Version::Legacy(revision),
            None => Version::Unknown,
        },
    }
}

/// One message, and what came with it.
struct Call<'a> {
    shared: &'a Arc<Shared>,
    registry: &'a Arc<Registry>,
    headers: &'a HeaderMap,
    caller: Option<Arc<Principal>>,
    accepted: Accepted,
}

/// What became of a message at once.
enum Begun {
    Over(Answer),
    Waiting(Box<Waiting>),
}

/// A message whose answer is still to come.
struct Waiting {
    outbox: Arc<Outbox>,
    whose: Whose,
    /// The id of the request, as JSON text.
    id: Option<Box<str>>,
    /// Whether it is answered by a stream in any case.
    listens: bool,
}

enum Whose {
    Modern(CancelOnDrop),
    Legacy(Arc<Session>),
    /// A legacy request without a session, which is cancelled with its response like a modern one.
    Sessionless(CancelOnDrop),
}

impl Call<'_> {
    /// Finds out whose message it is, and gives it to its connection.
    fn begin(self, message: &str) -> Begun {
        let frame = match Frame::parse(message) {
            Ok(frame) => frame,
            Err(malformed) => return self.no_frame(message, &malformed),
        };
        let version = version_of(self.headers);
        let has_envelope = frame.meta().is_some_and(|meta| meta.protocol_version.is_some());
        let is_modern = has_envelope || matches!(version, Version::Modern | Version::Unknown);
        match (frame.method.is_some(), frame.id.is_some()) {
            (true, true) if is_modern => self.modern_request(message, &frame, has_envelope),
            (true, true) => self.legacy_request(message, &frame),
            (true, false) if is_modern => self.modern_notification(&frame, version),
            (false, _) if is_modern => Begun::Over(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: a modern client sends no responses; it repeats its request with the answers",
            )),
            (true, false) | (false, _) => self.legacy_message(message, Some(&frame)),
        }
    }

    /// A batch, or what cannot be read at all.
    fn no_frame(self, message: &str, malformed: &Malformed) -> Begun {
        let version = version_of(self.headers);
        if *malformed == Malformed::Batch && matches!(version, Version::Absent | Version::Legacy(_)) {
            return self.legacy_message(message, None);
        }
        let connection = Connection::for_exchange(&self.shared.server, None);
        let mut out = Vec::new();
        connection.exchange_text(self.registry, message, &self.exchange(connection.outbox(), false), &mut out);
        Begun::Over(whole(StatusCode::BAD_REQUEST, out))
    }

    fn exchange<'a>(&'a self, outbox: &'a Arc<Outbox>, is_modern: bool) -> Exchange<'a> {
        let headers = is_modern.then_some(self.headers as &dyn Headers);
        Exchange { outbox, headers, pending: Cell::new(false) }
    }

    fn modern_request(self, message: &str, frame: &Frame<'_>, has_envelope: bool) -> Begun {
        let connection = Connection::for_exchange(&self.shared.server, self.caller.clone());
        let mut out = Vec::new();
        if !has_envelope {
            connection.refuse_bare_request(frame, &mut out);
            return Begun::Over(whole(StatusCode::BAD_REQUEST, out));
        }
        let exchange = self.exchange(connection.outbox(), true);
        connection.exchange(self.registry, message, frame, &exchange, &mut out);
        let pending = exchange.pending.get();
        let listens = frame.method.and_then(text).is_some_and(|method| method == "subscriptions/listen");
        if out.is_empty() && (pending || listens) {
            return Begun::Waiting(Box::new(Waiting {
                outbox: Arc::clone(connection.outbox()),
                whose: Whose::Modern(CancelOnDrop(connection)),
                id: frame.id.map(|id| id.get().into()),
                listens,
            }));
        }
        let id = frame.id.map(|id| id.get());
        let complete = is_complete_envelope(frame);
        Begun::Over(ready(out, self.accepted, |answer| modern_status(answer, id, complete)))
    }

    /// It concerns nothing: what it could mean belongs to another request.
    fn modern_notification(self, frame: &Frame<'_>, version: Version) -> Begun {
        if version == Version::Unknown {
            return Begun::Over(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: `MCP-Protocol-Version` names no version that this server knows",
            ));
        }
        let connection = Connection::for_exchange(&self.shared.server, None);
        let mut out = Vec::new();
        let method = frame.method.and_then(text).unwrap_or_default();
        if !connection.accepts_notification(&method, &self.exchange(connection.outbox(), true), &mut out) {
            return Begun::Over(whole(StatusCode::BAD_REQUEST, out));
        }
        Begun::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()))
    }

    fn legacy_request(self, message: &str, frame: &Frame<'_>) -> Begun {
        if frame.method.and_then(text).is_some_and(|method| method == "initialize") {
            return Begun::Over(self.initialize(message, frame));
        }
        self.legacy_message(message, Some(frame))
    }

    /// A handshake, which opens a session.
    fn initialize(self, message: &str, frame: &Frame<'_>) -> Answer {
        let sessions = self.shared.config.sessions;
        let connection = match sessions {
            SessionMode::Sessions => Connection::for_session(&self.shared.server, self.caller.clone()),
            SessionMode::Sessionless => Connection::for_exchange(&self.shared.server, self.caller.clone()),
            SessionMode::Refused => return modern_only(frame),
        };
        let outbox = Outbox::for_exchange();
        let mut out = Vec::new();
        connection.exchange(self.registry, message, frame, &self.exchange(&outbox, false), &mut out);
        let mut answer = ready(out, self.accepted, |_| StatusCode::OK);
        // Only a handshake that succeeded is worth remembering.
        if let (Some(revision), SessionMode::Sessions) = (connection.session_revision(), sessions) {
            let id = self.shared.sessions.insert(connection, revision, self.caller);
            match id.and_then(|id| HeaderValue::from_str(&id).ok()) {
                Some(id) => answer.headers_mut().insert(SESSION_ID, id),
                None => return unavailable("Unavailable: too many sessions are in use; try again"),
            };
        }
        answer
    }

    /// A message of a session, or one without: `frame` is `None` for a batch.
    fn legacy_message(self, message: &str, frame: Option<&Frame<'_>>) -> Begun {
        let session = match (self.shared.config.sessions, header_text(self.headers, SESSION_ID.as_str())) {
            (SessionMode::Refused, _) => return Begun::Over(frame.map_or_else(batch_refused, modern_only)),
            (SessionMode::Sessionless, _) => None,
            (_, None) => return Begun::Over(session_missing()),
            (_, Some(id)) => match self.shared.sessions.find(id, self.caller.as_deref()) {
                Some(session) => Some(session),
                None => return Begun::Over(session_gone()),
            },
        };
        let version = version_of(self.headers);
        let (connection, whose) = match session {
            Some(session) => {
                if matches!(version, Version::Legacy(revision) if revision != session.revision) {
                    return Begun::Over(refuse(
                        StatusCode::BAD_REQUEST,
                        "Invalid request: `MCP-Protocol-Version` is not the version that this session agreed on",
                    ));
                }
                (Arc::clone(&session.connection), Whose::Legacy(session))
            }
            None => {
                let connection = Connection::for_exchange(&self.shared.server, self.caller.clone());
                connection.assume_session(match version {
                    Version::Legacy(revision) => revision,
                    _ => Revision::V2025_03_26,
                });
                (Arc::clone(&connection), Whose::Sessionless(CancelOnDrop(connection)))
            }
        };
        let outbox = match &whose {
            Whose::Legacy(_) => Outbox::for_exchange(),
            _ => Arc::clone(connection.outbox()),
        };
        let exchange = self.exchange(&outbox, false);
        let mut out = Vec::new();
        match frame {
            Some(frame) => connection.exchange(self.registry, message, frame, &exchange, &mut out),
            None => connection.exchange_text(self.registry, message, &exchange, &mut out),
        }
        let id = frame.and_then(|frame| frame.id).map(|id| id.get().into());
        if exchange.pending.get() {
            return Begun::Waiting(Box::new(Waiting { outbox, whose, id, listens: false }));
        }
        if out.is_empty() {
            return Begun::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()));
        }
        Begun::Over(ready(out, self.accepted, |answer| legacy_status(answer, id.as_deref())))
    }
}

impl Waiting {
    /// Waits for what comes first, and chooses the form of the answer by it.
    async fn answer(self, shared: &Arc<Shared>, accepted: Accepted, counted: Counted) -> Answer {
        let Waiting { outbox, whose, id, listens } = self;
        if listens && !accepted.events {
            let message = "Not acceptable: a subscription is a stream, so `Accept` must name text/event-stream";
            return refuse(StatusCode::NOT_ACCEPTABLE, message);
        }
        let taken = poll_fn(|task| outbox.poll_take(task)).await;
        let Some((frames, is_last)) = taken else {
            // It was cancelled: there is nothing to say, and nobody waits for it.
            return respond(StatusCode::ACCEPTED, ResponseBody::empty());
        };
        let is_modern = matches!(whose, Whose::Modern(_));
        if is_last && (lines(&frames).nth(1).is_none() || !accepted.events) && !listens {
            return ready(frames, accepted, |answer| match is_modern {
                true => modern_status(answer, id.as_deref(), true),
                false => legacy_status(answer, id.as_deref()),
            });
        }
        if !accepted.events {
            return last_frame(&outbox, frames, is_last, id.as_deref(), is_modern).await;
        }
        let keep_alive = shared.config.keep_alive;
        match whose {
            Whose::Legacy(session) => {
                let channel = session.open_channel(outbox);
                channel.add(&frames, is_last);
                event_stream(EventStream::of_session(channel.read(0), keep_alive, Some((counted, None))))
            }
            Whose::Modern(request) if listens => {
                let Some(stream) = shared.open_stream(request.0.principal()) else {
                    return unavailable("Unavailable: too many streams are open; try again");
                };
                shared.listeners.add(&request.0);
                if shared.stopping.load(Ordering::Acquire) {
                    shared.listeners.end();
                }
                event_stream(EventStream::of_request(&frames, request, keep_alive, Some(stream)))
            }
            Whose::Modern(request) | Whose::Sessionless(request) => {
                event_stream(EventStream::of_request(&frames, request, keep_alive, Some((counted, None))))
            }
        }
    }
}

/// The answer alone, for a client that takes no streams.
async fn last_frame(
    outbox: &Outbox,
    mut frames: Vec<u8>,
    mut is_last: bool,
    id: Option<&str>,
    is_modern: bool,
) -> Answer {
    while !is_last {
        match poll_fn(|task| outbox.poll_take(task)).await {
            Some((more, last)) => (frames, is_last) = (more, last),
            None => return respond(StatusCode::ACCEPTED, ResponseBody::empty()),
        }
    }
    ready(frames, Accepted { json: true, events: false }, |answer| match is_modern {
        true => modern_status(answer, id, true),
        false => legacy_status(answer, id),
    })
}

/// A response of frames that are all there: JSON if it is one, or all that the client takes, and a stream otherwise.
fn ready(mut frames: Vec<u8>, accepted: Accepted, status: impl FnOnce(&[u8]) -> StatusCode) -> Answer {
    let end = frames.strip_suffix(b"\n").map_or(frames.len(), <[u8]>::len);
    let begin = memchr::memrchr(b'\n', &frames[..end]).map_or(0, |at| at + 1);
    let is_one = begin == 0;
    let status = status(&frames[begin..end]);
    // The status of a refusal matters more than the form.
    if (is_one && (accepted.json || status != StatusCode::OK)) || !accepted.events {
        frames.truncate(end);
        frames.drain(..begin);
        return whole(status, frames);
    }
    event_stream(EventStream::of_frames(&frames))
}

/// The code of an answer that is an error. Frames are written here, so their members stand in a known order.
fn error_code(answer: &[u8], id: Option<&str>) -> Option<i32> {
    let rest = answer.strip_prefix(br#"{"jsonrpc":"2.0","#)?;
    let rest = match id.and_then(|id| rest.strip_prefix(br#""id":"#)?.strip_prefix(id.as_bytes())?.strip_prefix(b",")) {
        Some(rest) => rest,
        None => rest,
    };
    let rest = rest.strip_prefix(br#""error":{"code":"#)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    std::str::from_utf8(&rest[..length]).ok()?.parse().ok()
}

fn modern_status(answer: &[u8], id: Option<&str>, has_complete_envelope: bool) -> StatusCode {
    match error_code(answer, id) {
        None => StatusCode::OK,
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(
            code::PARSE_ERROR
            | code::INVALID_REQUEST
            | code::HEADER_MISMATCH
            | code::MISSING_CLIENT_CAPABILITY
            | code::UNSUPPORTED_PROTOCOL_VERSION,
        ) => StatusCode::BAD_REQUEST,
        Some(code::INVALID_PARAMS) if !has_complete_envelope => StatusCode::BAD_REQUEST,
        Some(_) => StatusCode::OK,
    }
}

/// To a legacy client 404 means that its session is gone, so an unknown method is not one.
fn legacy_status(answer: &[u8], id: Option<&str>) -> StatusCode {
    match error_code(answer, id) {
        Some(code::PARSE_ERROR | code::INVALID_REQUEST) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

fn respond(status: StatusCode, body: ResponseBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// A response of one JSON text.
fn whole(status: StatusCode, mut json: Vec<u8>) -> Answer {
    if json.last() == Some(&b'\n') {
        json.pop();
    }
    let mut answer = respond(status, ResponseBody::whole(json));
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

fn event_stream(stream: EventStream) -> Answer {
    let mut answer = respond(StatusCode::OK, ResponseBody::events(stream));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    answer
}

/// A refusal that says nothing about eras: a client must not take it for an answer of a modern server.
fn refuse(status: StatusCode, message: &str) -> Answer {
    refuse_with(status, code::INVALID_REQUEST, message)
}

fn refuse_with(status: StatusCode, code: i32, message: &str) -> Answer {
    let mut out = Vec::new();
    write_error(&mut out, None, &RpcError::new(code, message));
    whole(status, out)
}

fn unavailable(message: &str) -> Answer {
    let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

fn unreadable(unread: &Unread, limit: usize) -> Answer {
    let mut answer = match unread {
        Unread::TooLarge => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("Invalid request: a message may have at most {limit} bytes"))
        }
        Unread::TooSlow => refuse(StatusCode::REQUEST_TIMEOUT, "Invalid request: the message did not come in time"),
        Unread::NoRoom => unavailable("Unavailable: too many large messages are being served; try again"),
        Unread::Broken => refuse(StatusCode::BAD_REQUEST, "Invalid request: the message broke off"),
    };
    // What is left of the body is not read.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn session_gone() -> Answer {
    refuse(StatusCode::NOT_FOUND, "Invalid request: there is no such session (any more); begin with `initialize`")
}

fn session_missing() -> Answer {
    refuse(
        StatusCode::BAD_REQUEST,
        "Invalid request: `Mcp-Session-Id` is missing; a client of an earlier revision begins with `initialize`, and a \
         modern one sends `_meta` with its protocol version",
    )
}

fn batch_refused() -> Answer {
    refuse(StatusCode::BAD_REQUEST, "Invalid request: a message is not an array")
}

/// A legacy message to a server that serves no legacy clients.
fn modern_only(frame: &Frame<'_>) -> Answer {
    let id = frame.id.and_then(crate::protocol::id::Id::parse);
    let supported: Vec<&str> = [Revision::V2026_07_28].iter().map(|revision| revision.as_str()).collect();
    let requested = frame.params().and_then(|params| params.protocol_version).and_then(text).unwrap_or_default();
    let error =
        RpcError::new(code::UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version: there are no sessions here");
    let error = error.with_data(&serde_json::json!({ "supported": supported, "requested": requested }));
    let mut out = Vec::new();
    write_error(&mut out, id.map(|id| id.as_str()), &error);
    whole(StatusCode::BAD_REQUEST, out)
}

fn method_not_allowed(sessions: SessionMode) -> Answer {
    let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED, "Invalid request: messages are sent by POST");
    let allowed = if sessions == SessionMode::Sessions { "POST, GET, DELETE" } else { "POST" };
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// What a browser asks before a page of an allowed origin may call.
fn preflight() -> Answer {
    let mut answer = respond(StatusCode::NO_CONTENT, ResponseBody::empty());
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, DELETE"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id",
        ),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}

fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("mcp-session-id, www-authenticate"));
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// The modern requests that listen, so that they can be told of the end.
#[derive(Default)]
struct Listeners {
    open: Mutex<HashMap<u64, Weak<Connection>>>,
    last: AtomicU64,
}

impl Listeners {
    fn add(&self, connection: &Arc<Connection>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= 64 && open.len().is_power_of_two() {
            open.retain(|_, connection| connection.strong_count() > 0);
        }
        open.insert(self.last.fetch_add(1, Ordering::Relaxed), Arc::downgrade(connection));
    }

    fn end(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in open.into_values().filter_map(|connection| connection.upgrade()) {
            connection.end_subscriptions();
            connection.outbox().push_last(&[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found() {
        assert_eq!(
            error_code(br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"x"}}"#, Some("7")),
            Some(-32020)
        );
        assert_eq!(error_code(br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#, Some("7")), Some(-32700));
        let forged = r#""\",\"error\":{\"code\":1}""#;
        let frame = format!(r#"{{"jsonrpc":"2.0","id":{forged},"result":{{}}}}"#);
        assert_eq!(error_code(frame.as_bytes(), Some(forged)), None);
        assert_eq!(error_code(br#"[{"jsonrpc":"2.0"}]"#, None), None);
    }
}
