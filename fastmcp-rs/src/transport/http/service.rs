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

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

#[cfg(feature = "metrics")]
use http::header::CONTENT_TYPE;
use http::header::{CONNECTION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;

#[cfg(feature = "metrics")]
use super::response::plain::get_or_head;
use crate::auth::principal::Principal;
use crate::engine::{Client, Server};
use crate::registry::View;
use crate::sealing::SealingKey;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Metrics;
use crate::transport::http::config::{HttpConfig, SessionMode};
use crate::transport::http::limits::{PerPeer, Permits};
use crate::transport::http::peer::{Peer, Proxies};
use crate::transport::http::post::{Begun, Call, Version, version_of};
use crate::transport::http::request::authenticate::{AccessError, Authenticator};
use crate::transport::http::request::cors::{self, AllowedHeaders};
use crate::transport::http::request::head::{self, BodyFormat, Entrance, Head};
use crate::transport::http::request::header_values::text as header_text;
use crate::transport::http::request::host_origin::{Access, Refused};
use crate::transport::http::request::memory::Room;
use crate::transport::http::response::backlog::{Backlog, Meter};
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::replay::parse_event_id;
use crate::transport::http::response::sse::EventStream;
use crate::transport::http::response::status::{
    Answer, event_stream, method_not_allowed, not_utf8, refuse, respond, session_gone, session_missing,
    too_many_messages, unavailable, unreadable, unsupported_encoding, unsupported_media,
};
use crate::transport::http::server::oauth;
use crate::transport::http::sessions::{CarryingIds, Limits, Requester, Sessions};
use crate::transport::http::shared::{Listeners, Shared};

const LAST_EVENT_ID: &str = "last-event-id";

/// An app as a [tower `Service`](https://docs.rs/tower-service), from [`App::into_service`](crate::App::into_service):
/// it takes HTTP requests and answers them, whatever server it is part of.
///
/// It is cheap to clone, and all clones are one server. Nothing has to be started or kept beside it. It must be called
/// inside a tokio runtime with time enabled.
#[derive(Clone)]
pub struct HttpService {
    pub(crate) shared: Arc<Shared>,
    pub(crate) view: View,
    /// Whose requests this clone answers, if the server around it says so.
    pub(crate) client: Client,
    /// Whether this one is the endpoint of the transport before Streamable HTTP.
    #[cfg(feature = "legacy-sse")]
    pub(crate) is_legacy_sse: bool,
}

impl HttpService {
    pub(crate) fn new(
        server: Arc<Server>,
        config: HttpConfig,
        authenticator: Option<Authenticator>,
        keys: &[SealingKey],
    ) -> Result<HttpService, Vec<String>> {
        let access = Access::new(&config, authenticator.is_some())?;
        let allowed_headers = AllowedHeaders::new(&config)?;
        #[cfg(feature = "legacy-sse")]
        super::paths::check(&config)?;
        let proxies = Proxies::new(&config)?;
        let view = server.components.view();
        let limits = Limits {
            sessions: config.max_sessions,
            sessions_of_peer: config.max_sessions_per_principal.unwrap_or(config.max_sessions / 4).max(1),
            idle: config.session_idle,
        };
        let carrying = CarryingIds::new(keys, &server.config.name, &config.path, config.session_lifetime);
        let shared = Shared {
            server,
            access,
            allowed_headers,
            authenticator,
            proxies,
            sessions: Sessions::new(limits, carrying),
            #[cfg(feature = "legacy-sse")]
            stream_sessions: Sessions::new(limits, None),
            room: Room::new(config.max_bytes_in_flight, config.bytes_per_principal(), config.max_body),
            permits: Permits::new(config.max_calls, config.calls_per_principal()),
            streams: Arc::default(),
            streams_of: PerPeer::new(config.max_streams_per_principal),
            backlog: Backlog::new(config.max_bytes_unread),
            listeners: Listeners::default(),
            stopping: AtomicBool::new(false),
            connections: Arc::default(),
            config,
        };
        let shared = Arc::new(shared);
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &shared.server.metrics {
            let shared: Weak<Shared> = Arc::downgrade(&shared);
            metrics.watch(shared);
        }
        Ok(HttpService {
            shared,
            view,
            client: Client::Unknown,
            #[cfg(feature = "legacy-sse")]
            is_legacy_sse: false,
        })
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
        #[cfg(feature = "legacy-sse")]
        self.shared.end_stream_sessions();
    }

    /// Does what [`App::on_shutdown`](crate::App::on_shutdown) asks for, and drops all components and states (see
    /// [`App::state`](crate::App::state)), once. [`App::run_http`](crate::App::run_http)
    /// does this by itself, when the last call has ended; a server that the service is mounted in should do it then.
    pub async fn end(&self) {
        self.shared.server.end().await;
    }

    /// There is no other endpoint than this one.
    #[cfg(not(feature = "legacy-sse"))]
    pub(crate) fn legacy_sse_at(&self, _path: &str) -> Option<HttpService> {
        None
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }

    /// How many messages are being served.
    pub(crate) fn calls(&self) -> usize {
        self.shared.permits.len()
    }

    /// Answers one request.
    ///
    /// It borrows what it can, for the reason that `connection` has: what it moved would be kept twice.
    pub(crate) async fn serve<B: Body>(&mut self, parts: &Parts, body: B) -> Answer {
        let (entrance, head) = head::read(&parts.headers);
        let is_chunked = head.is_chunked;
        if let Err(refusal) = self.begin(parts, entrance, is_chunked) {
            return self.finish(parts, is_chunked, *refusal);
        }
        let caller = match self.caller(parts).await {
            Ok(caller) => caller,
            Err(refusal) => return self.finish(parts, is_chunked, refusal),
        };
        #[cfg(feature = "legacy-sse")]
        if self.is_legacy_sse {
            let answer = Box::pin(self.serve_legacy_sse(parts, &head, body, caller)).await;
            return self.finish(parts, is_chunked, answer);
        }
        let answer = match parts.method {
            Method::POST => self.post(parts, &head, body, caller).await,
            Method::GET => self.get(parts, &head, caller).unwrap_or_else(|refusal| *refusal),
            Method::DELETE => self.delete(parts, &head, caller),
            _ => method_not_allowed(self.shared.config.sessions),
        };
        self.finish(parts, is_chunked, answer)
    }

    /// Adds what every answer to such a request has.
    fn finish(&self, parts: &Parts, is_chunked: bool, mut answer: Answer) -> Answer {
        cors::admit(&self.shared.access, &parts.headers, answer.headers_mut());
        // Where the body ends is what a proxy in front may see otherwise: then nothing follows it.
        if is_chunked {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.shared.server.metrics {
            metrics.response(answer.status().as_u16());
        }
        answer
    }

    /// The numbers of the server, for whom it is known by its name. `None` if they are not served.
    #[cfg(feature = "metrics")]
    pub(crate) fn metrics<B>(&self, request: &Request<B>) -> Option<Answer> {
        let metrics = self.shared.server.metrics.as_ref().filter(|_| self.shared.config.metrics)?;
        if let Err(refused) = self.check_access(request.uri(), &head::read(request.headers()).0) {
            return Some(*refused);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some(get_or_head());
        }
        let mut answer = respond(StatusCode::OK, ResponseBody::whole(metrics.render()));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Metrics::CONTENT_TYPE));
        Some(answer)
    }

    /// A connection was closed at once, as there were too many.
    pub(crate) fn refused_connection(&self) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.shared.server.metrics {
            metrics.refused_connection();
        }
    }

    /// Whether the request may come in.
    fn check_access(&self, uri: &Uri, entrance: &Entrance<'_>) -> Result<(), Box<Answer>> {
        if let Err(refused) = self.shared.access.check(uri, entrance) {
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
            return Err(Box::new(answer));
        }
        Ok(())
    }

    /// Whether the request may come in, whoever makes it.
    fn begin(&self, parts: &Parts, entrance: Entrance<'_>, is_chunked: bool) -> Result<(), Box<Answer>> {
        self.check_access(&parts.uri, &entrance)?;
        // hyper has refused or dropped the one or the other; another server may not have.
        if is_chunked && entrance.has_length {
            let message = "Invalid request: `Content-Length` and `Transfer-Encoding` exclude each other";
            return Err(Box::new(refuse(StatusCode::BAD_REQUEST, message)));
        }
        if let Some(answer) = self.preflight(&parts.method, &parts.headers, &entrance) {
            return Err(Box::new(answer));
        }
        if self.shared.stopping.load(Ordering::Acquire) {
            return Err(Box::new(unavailable("Unavailable: the server is about to end")));
        }
        Ok(())
    }

    /// Answers a browser that asks what a page of an admitted origin may send.
    #[inline]
    fn preflight(&self, method: &Method, headers: &HeaderMap, entrance: &Entrance<'_>) -> Option<Answer> {
        let asks_before = entrance.asks_before && *method == Method::OPTIONS;
        let admitted = asks_before.then(|| cors::admitted_origin(&self.shared.access, headers)).flatten();
        admitted.map(|_| self.shared.allowed_headers.preflight(headers))
    }

    /// Tells a client that looks for OAuth that there is none. It says no more of this server than that.
    pub(crate) fn refuse_oauth<B>(&self, request: &Request<B>) -> Answer {
        let headers = request.headers();
        let entrance = head::read(headers).0;
        let mut answer = self.preflight(request.method(), headers, &entrance).unwrap_or_else(oauth::absent);
        cors::admit(&self.shared.access, headers, answer.headers_mut());
        answer
    }

    /// Who makes the request.
    async fn caller(&self, parts: &Parts) -> Result<Option<Arc<Principal>>, Answer> {
        match &self.shared.authenticator {
            None => Ok(None),
            Some(authenticator) => match authenticator.check(parts, self.shared.config.authenticate_time).await {
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

    /// The client that makes the request, and the peer that it counts against.
    pub(crate) fn peer(&self, parts: &Parts, caller: Option<&Arc<Principal>>) -> (Client, Option<Peer>) {
        let client = self.shared.proxies.client(self.client, parts);
        (client, Peer::new(caller, client))
    }

    async fn post<B: Body>(
        &mut self,
        parts: &Parts,
        head: &Head<'_>,
        body: B,
        caller: Option<Arc<Principal>>,
    ) -> Answer {
        match head.format {
            BodyFormat::Json => {}
            BodyFormat::EncodedJson => return unsupported_encoding(),
            BodyFormat::Other => return unsupported_media(),
        }
        let accepted = head.accepted;
        if !accepted.json && !accepted.events {
            return refuse(
                StatusCode::NOT_ACCEPTABLE,
                "Not acceptable: `Accept` must name application/json and text/event-stream",
            );
        }
        let (client, peer) = self.peer(parts, caller.as_ref());
        let mut counted = match self.shared.permits.acquire(peer.as_ref()) {
            Ok(permit) => permit,
            Err(exhausted) => return too_many_messages(exhausted),
        };
        let message = match self.shared.read(body, peer.as_ref(), &mut counted).await {
            Ok(message) => message,
            Err(unread) => return unreadable(&unread, self.shared.config.max_body),
        };
        let Ok(message_text) = std::str::from_utf8(&message.bytes) else { return not_utf8() };
        let registry = Arc::clone(self.shared.server.components.look(&mut self.view));
        let (version, room, permit) = (parts.version, message.room.clone(), &mut counted);
        let of_peer = peer.as_ref();
        let call = Call {
            shared: &self.shared,
            registry: &registry,
            head,
            path: parts.uri.path(),
            version,
            client,
            caller,
            peer: of_peer,
            room,
            permit,
        };
        let begun = call.begin(message_text);
        drop(message);
        let mut answer = match begun {
            Begun::Over(answer) => answer,
            // What is rare must not make the future of every request longer.
            Begun::Waiting(waiting) => {
                self.shared.permits.count_for(waiting.peer.as_ref(), &mut counted);
                Box::pin(waiting.answer(&self.shared, accepted, counted)).await
            }
        };
        answer.body_mut().count_unread(|| Meter::new(&self.shared.backlog, peer.as_ref()));
        answer
    }

    /// The stream of what belongs to no request, or the rest of one that was lost.
    fn get(&self, parts: &Parts, head: &Head<'_>, caller: Option<Arc<Principal>>) -> Result<Answer, Box<Answer>> {
        let config = &self.shared.config;
        let id = self.session_of(head)?;
        let (_, peer) = self.peer(parts, caller.as_ref());
        let requester = Requester { principal: caller.as_ref(), peer: peer.as_ref(), path: parts.uri.path() };
        let session = self.shared.session(id, &requester)?;
        if !head.accepted.events {
            let message = "Not acceptable: `Accept` must name text/event-stream";
            return Err(Box::new(refuse(StatusCode::NOT_ACCEPTABLE, message)));
        }
        let counted = self
            .shared
            .open_stream(peer.clone())
            .ok_or_else(|| Box::new(unavailable("Unavailable: too many streams are open; try again")))?;
        let reader = if parts.headers.contains_key(LAST_EVENT_ID) {
            let last = header_text(&parts.headers, LAST_EVENT_ID).and_then(parse_event_id);
            let found = last.and_then(|(stream, number)| match session.channel(stream) {
                Some(channel) => Some((channel, number)),
                // The events of another process are lost, so the client gets the session's own stream. If it reads that
                // already, it does not: several lost streams would take it from each other for ever.
                None if session.is_elsewhere(stream) => {
                    let own = session.own_channel();
                    let latest = own.latest();
                    (!own.is_read()).then_some((own, latest))
                }
                None => None,
            });
            // An event that was not sent yet is not the last that anybody has seen.
            let (channel, number) = found.filter(|(channel, number)| *number <= channel.latest()).ok_or_else(|| {
                let message = "Invalid request: the stream of this `Last-Event-ID` is gone, or never had that event";
                Box::new(refuse(StatusCode::BAD_REQUEST, message))
            })?;
            channel.read(number)
        } else {
            let channel = session.own_channel();
            let latest = channel.latest();
            channel.read(latest)
        };
        if session.ending().is_some() {
            return Err(Box::new(session_gone()));
        }
        let mut stream = EventStream::of_session(reader, session.keep(), config.keep_alive, Some(counted));
        stream.count_unread(Meter::new(&self.shared.backlog, peer.as_ref()));
        Ok(event_stream(stream))
    }

    fn delete(&self, parts: &Parts, head: &Head<'_>, caller: Option<Arc<Principal>>) -> Answer {
        let id = match self.session_of(head) {
            Ok(id) => id,
            Err(refusal) => return *refusal,
        };
        let (_, peer) = self.peer(parts, caller.as_ref());
        let requester = Requester { principal: caller.as_ref(), peer: peer.as_ref(), path: parts.uri.path() };
        match self.shared.sessions.end(id, &requester) {
            true => respond(StatusCode::NO_CONTENT, ResponseBody::empty()),
            false => session_gone(),
        }
    }

    /// Returns the session id of a GET or a DELETE.
    fn session_of<'a>(&self, head: &Head<'a>) -> Result<&'a str, Box<Answer>> {
        let sessions = self.shared.config.sessions;
        let is_legacy = matches!(version_of(head), Version::Absent | Version::Legacy(_));
        if sessions != SessionMode::Sessions || !is_legacy {
            return Err(Box::new(method_not_allowed(sessions)));
        }
        head.session_id().ok_or_else(|| Box::new(session_missing()))
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
        let mut service = self.clone();
        let (parts, body) = request.into_parts();
        Box::pin(async move { Ok(service.serve(&parts, body).await) })
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
