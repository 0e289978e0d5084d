//! The HTTP service, which turns one HTTP request into its response.
//!
//! The checks run in this order: host and origin, authentication, content type, limits. Only then the body is read, and
//! the era is determined from it. A modern request has its own connection, which is dropped with its response; a legacy
//! message belongs to a session.
//!
//! The form of a response is chosen late: it is JSON unless another frame comes first. Only then is the head of a
//! stream sent, together with its first event.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::header::{CONNECTION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;

use super::response::plain::refuse_method;
use crate::auth::principal::Principal;
use crate::checks::problem::Problem;
use crate::engine::transport_api::Server;
use crate::registry::RegistrySnapshot;
use crate::sealing::SealingKey;
use crate::telemetry::metrics::Metrics;
use crate::transport::http::config::{HttpConfig, SessionMode};
use crate::transport::http::limits::{MessageLimit, PeerLimit};
use crate::transport::http::peer::{ClientAddress, Peer, TrustedProxies};
use crate::transport::http::post::{PostOutcome, PostRequest, VersionHeader, parse_version};
use crate::transport::http::request::authenticate::{AccessError, Authenticator};
use crate::transport::http::request::cors::{self, AllowedHeaders};
use crate::transport::http::request::head::{self, AccessHeaders, BodyFormat, RequestHead};
use crate::transport::http::request::header_values::header_text;
use crate::transport::http::request::host_origin::{AccessDenial, AccessPolicy};
use crate::transport::http::request::memory::MemoryBudget;
use crate::transport::http::response::backlog::{Backlog, Meter};
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::replay::parse_event_id;
use crate::transport::http::response::sse::EventStream;
use crate::transport::http::response::status::{
    HttpResponse, body_error_response, event_stream, method_not_allowed, not_utf8, refuse, respond, session_gone,
    session_missing, too_many_messages, unavailable, unsupported_encoding, unsupported_media,
};
use crate::transport::http::server::oauth;
use crate::transport::http::sessions::{CarryingIds, Requester, SessionLimits, Sessions};
use crate::transport::http::shared::{OpenSubscriptions, ServiceState};
use crate::transport::http::stream_session::{StreamEndpoint, StreamSessions};

const LAST_EVENT_ID: &str = "last-event-id";

/// An app as a [tower `Service`](https://docs.rs/tower-service), returned by
/// [`App::into_service`](crate::App::into_service). It answers HTTP requests as part of any HTTP server.
///
/// Cloning is cheap, and all clones share one server. Nothing else has to be started or kept. The service must be
/// called inside a tokio runtime with time enabled.
#[derive(Clone)]
#[must_use = "a service does nothing until it gets requests"]
pub struct HttpService {
    pub(crate) shared: Arc<ServiceState>,
    pub(crate) view: RegistrySnapshot,
    /// The address of the client whose requests this clone answers, if the surrounding server supplies it.
    pub(crate) client: ClientAddress,
    /// Set if this clone is the endpoint of the transport of 2024-11-05.
    pub(crate) stream_endpoint: Option<StreamEndpoint>,
}

impl HttpService {
    pub(crate) fn new(
        server: Arc<Server>,
        config: HttpConfig,
        authenticator: Option<Authenticator>,
        keys: &[SealingKey],
    ) -> Result<HttpService, Vec<Problem>> {
        let access = AccessPolicy::new(&config, authenticator.is_some())?;
        let allowed_headers = AllowedHeaders::new(&config)?;
        config.legacy_sse.check(&config.path, config.metrics).map_err(|problem| vec![problem])?;
        let proxies = TrustedProxies::new(&config)?;
        let view = server.registry.snapshot();
        let limits = SessionLimits {
            sessions: config.max_sessions,
            sessions_per_peer: config.max_sessions_per_principal.unwrap_or(config.max_sessions / 4).max(1),
            idle_timeout: config.session_idle_timeout,
            are_shared: config.replicas > 1,
        };
        let carrying = CarryingIds::new(keys, &server.config.name, &config.path, config.session_lifetime);
        let shared = ServiceState {
            server,
            access,
            allowed_headers,
            authenticator,
            proxies,
            sessions: Sessions::new(limits, carrying),
            stream_sessions: StreamSessions::new(limits),
            memory: MemoryBudget::new(config.max_bytes_in_flight, config.bytes_per_principal(), config.max_body),
            permits: MessageLimit::new(config.max_calls, config.calls_per_principal()),
            streams: Arc::default(),
            streams_per_peer: PeerLimit::new(config.max_streams_per_principal),
            backlog: Backlog::new(config.max_bytes_unread),
            subscriptions: OpenSubscriptions::default(),
            stopping: AtomicBool::new(false),
            connections: Arc::default(),
            config,
        };
        let shared = Arc::new(shared);
        if let Some(metrics) = &shared.server.metrics {
            metrics.add_source(&shared, ServiceState::read_gauges);
        }
        Ok(HttpService { shared, view, client: ClientAddress::Unknown, stream_endpoint: None })
    }

    /// Ends everything that has no end of its own: subscriptions, each with a final response, and the streams of
    /// sessions. Later requests are answered with 503. Running calls continue.
    ///
    /// [`App::run_http`](crate::App::run_http) calls this method. A server that mounts the service should call it when
    /// its shutdown begins; otherwise open streams delay the shutdown.
    pub fn close(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.subscriptions.end_all();
        self.shared.sessions.end_own_streams();
        self.shared.end_stream_sessions();
    }

    /// Runs the hooks of [`App::on_shutdown`](crate::App::on_shutdown), and drops all components and states (see
    /// [`App::state`](crate::App::state)), once. [`App::run_http`](crate::App::run_http) calls this method when the
    /// last call has ended; a server that mounts the service should do so, too.
    pub async fn end(&self) {
        self.shared.server.run_shutdown_tasks().await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }

    /// Returns the number of messages that are being served.
    pub(crate) fn calls(&self) -> usize {
        self.shared.permits.len()
    }

    /// Answers one request.
    ///
    /// The future borrows its inputs where it can, because an async function stores a moved value twice (see
    /// `server::connection`).
    pub(crate) async fn serve<B: Body>(&mut self, parts: &Parts, body: B) -> HttpResponse {
        let (access_headers, head) = head::read_headers(&parts.headers);
        let is_chunked = head.is_chunked;
        if let Err(refusal) = self.check_request(parts, access_headers, is_chunked) {
            return self.finish_response(parts, is_chunked, *refusal);
        }
        let caller = match self.authenticate(parts).await {
            Ok(caller) => caller,
            Err(refusal) => return self.finish_response(parts, is_chunked, refusal),
        };
        if let Some(endpoint) = self.stream_endpoint {
            let response = Box::pin(self.serve_legacy_sse(endpoint, parts, &head, body, caller)).await;
            return self.finish_response(parts, is_chunked, response);
        }
        let response = match parts.method {
            Method::POST => self.post(parts, &head, body, caller).await,
            Method::GET => self.get(parts, &head, caller).unwrap_or_else(|refusal| *refusal),
            Method::DELETE => self.delete(parts, &head, caller),
            _ => method_not_allowed(self.shared.config.sessions),
        };
        self.finish_response(parts, is_chunked, response)
    }

    /// Adds the headers that every response to such a request has, and counts the response.
    fn finish_response(&self, parts: &Parts, is_chunked: bool, mut response: HttpResponse) -> HttpResponse {
        cors::admit(&self.shared.access, &parts.headers, response.headers_mut());
        // A proxy in front may see another end of a chunked body, so the connection is closed after the response.
        if is_chunked {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(metrics) = &self.shared.server.metrics {
            metrics.count_response(response.status().as_u16());
        }
        response
    }

    /// Returns the metrics, if the request passes the host and origin checks. Returns `None` if metrics are not served.
    pub(crate) fn metrics<B>(&self, request: &Request<B>) -> Option<HttpResponse> {
        let metrics = self.shared.server.metrics.as_ref().filter(|_| self.shared.config.metrics)?;
        if let Err(refused) = self.check_access(request.uri(), &head::read_headers(request.headers()).0) {
            return Some(*refused);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some(refuse_method());
        }
        let mut response = respond(StatusCode::OK, ResponseBody::whole(metrics.render()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Metrics::CONTENT_TYPE));
        Some(response)
    }

    /// Counts a connection that was closed at once because there were too many.
    pub(crate) fn count_refused_connection(&self) {
        if let Some(metrics) = &self.shared.server.metrics {
            metrics.count_refused_connection();
        }
    }

    /// Checks the `Host` and `Origin` headers of a request.
    fn check_access(&self, uri: &Uri, access_headers: &AccessHeaders<'_>) -> Result<(), Box<HttpResponse>> {
        if let Err(refused) = self.shared.access.check_headers(uri, access_headers) {
            let (status, message) = match refused {
                AccessDenial::InvalidHost => {
                    (StatusCode::BAD_REQUEST, "Invalid request: the request must have exactly one valid `Host`")
                }
                AccessDenial::ForeignHost => {
                    (StatusCode::FORBIDDEN, "Forbidden: this `Host` is not allowed; the server's operator can allow it")
                }
                AccessDenial::ForeignOrigin => (
                    StatusCode::FORBIDDEN,
                    "Forbidden: this `Origin` is not allowed; the server's operator can allow it",
                ),
            };
            let mut response = refuse(status, message);
            if refused == AccessDenial::InvalidHost {
                // The sender of such a head may also read the bytes after it differently.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return Err(Box::new(response));
        }
        Ok(())
    }

    /// Runs the checks that do not depend on the principal. The error is the response to send, even for a successful
    /// CORS preflight.
    fn check_request(
        &self,
        parts: &Parts,
        access_headers: AccessHeaders<'_>,
        is_chunked: bool,
    ) -> Result<(), Box<HttpResponse>> {
        self.check_access(&parts.uri, &access_headers)?;
        // hyper refuses such requests or drops one of the headers; another server may not.
        if is_chunked && access_headers.has_length {
            let message = "Invalid request: `Content-Length` and `Transfer-Encoding` cannot be combined";
            return Err(Box::new(refuse(StatusCode::BAD_REQUEST, message)));
        }
        if let Some(response) = self.preflight(&parts.method, &parts.headers, &access_headers) {
            return Err(Box::new(response));
        }
        if self.shared.stopping.load(Ordering::Acquire) {
            return Err(Box::new(unavailable("Unavailable: the server is shutting down")));
        }
        Ok(())
    }

    /// Answers a CORS preflight of a page of an admitted origin.
    #[inline]
    fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
        access_headers: &AccessHeaders<'_>,
    ) -> Option<HttpResponse> {
        let is_preflight = access_headers.is_preflight && *method == Method::OPTIONS;
        let admitted = is_preflight.then(|| cors::admitted_origin(&self.shared.access, headers)).flatten();
        admitted.map(|_| self.shared.allowed_headers.preflight(headers))
    }

    /// Responds to the OAuth discovery of a client that OAuth is not supported. The response reveals nothing else about
    /// the server.
    pub(crate) fn refuse_oauth<B>(&self, request: &Request<B>) -> HttpResponse {
        let headers = request.headers();
        let access_headers = head::read_headers(headers).0;
        let mut response = self.preflight(request.method(), headers, &access_headers).unwrap_or_else(oauth::absent);
        cors::admit(&self.shared.access, headers, response.headers_mut());
        response
    }

    /// Returns the principal of a request; `None` if the app has no authentication.
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Arc<Principal>>, HttpResponse> {
        match &self.shared.authenticator {
            None => Ok(None),
            Some(authenticator) => {
                match authenticator.authenticate_request(parts, self.shared.config.authenticate_timeout).await {
                    Ok(principal) => Ok(Some(Arc::new(principal))),
                    Err(AccessError { status, challenge, message }) => {
                        let mut response = refuse(status, message);
                        if let Some(challenge) = challenge {
                            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                        }
                        Err(response)
                    }
                }
            }
        }
    }

    /// Returns the client that makes the request, and the peer that it counts against.
    pub(crate) fn peer(&self, parts: &Parts, caller: Option<&Arc<Principal>>) -> (ClientAddress, Option<Peer>) {
        let client = self.shared.proxies.client(self.client, parts);
        (client, Peer::new(caller, client))
    }

    async fn post<B: Body>(
        &mut self,
        parts: &Parts,
        head: &RequestHead<'_>,
        body: B,
        caller: Option<Arc<Principal>>,
    ) -> HttpResponse {
        match head.format {
            BodyFormat::Json => {}
            BodyFormat::EncodedJson => return unsupported_encoding(),
            BodyFormat::Other => return unsupported_media(),
        }
        let accepted = head.accepted;
        if !accepted.json && !accepted.events {
            return refuse(
                StatusCode::NOT_ACCEPTABLE,
                "Not acceptable: `Accept` must include application/json and text/event-stream",
            );
        }
        let (client, peer) = self.peer(parts, caller.as_ref());
        let mut message_permit = match self.shared.permits.acquire(peer.as_ref()) {
            Ok(permit) => permit,
            Err(exhausted) => return too_many_messages(exhausted),
        };
        let message = match self.shared.read(body, peer.as_ref(), &mut message_permit).await {
            Ok(message) => message,
            Err(unread) => return body_error_response(&unread, self.shared.config.max_body),
        };
        let Ok(message_text) = std::str::from_utf8(&message.bytes) else { return not_utf8() };
        let registry = Arc::clone(self.shared.server.registry.refresh(&mut self.view));
        let request = PostRequest {
            shared: &self.shared,
            registry: &registry,
            head,
            path: parts.uri.path(),
            version: parts.version,
            client,
            caller,
            extensions: &parts.extensions,
            peer: peer.as_ref(),
            memory: message.memory.clone(),
            permit: &mut message_permit,
        };
        let outcome = request.dispatch(message_text);
        drop(message);
        let mut response = match outcome {
            PostOutcome::Over(response) => response,
            // This future is rare, so it is boxed: otherwise it would enlarge the future of every request.
            PostOutcome::Pending(pending_response) => {
                self.shared.permits.charge_peer(pending_response.peer.as_ref(), &mut message_permit);
                Box::pin(pending_response.respond(&self.shared, accepted, message_permit)).await
            }
        };
        response.body_mut().count_unread(|| Meter::new(&self.shared.backlog, peer.as_ref()));
        response
    }

    /// Opens the own stream of a session, or resumes a lost stream after `Last-Event-ID`.
    fn get(
        &self,
        parts: &Parts,
        head: &RequestHead<'_>,
        caller: Option<Arc<Principal>>,
    ) -> Result<HttpResponse, Box<HttpResponse>> {
        let config = &self.shared.config;
        let id = self.find_session(head)?;
        let (_, peer) = self.peer(parts, caller.as_ref());
        let requester = Requester { principal: caller.as_ref(), peer: peer.as_ref(), path: parts.uri.path() };
        let session = self.shared.session(id, &requester)?;
        if !head.accepted.events {
            let message = "Not acceptable: `Accept` must include text/event-stream";
            return Err(Box::new(refuse(StatusCode::NOT_ACCEPTABLE, message)));
        }
        let message_permit = self
            .shared
            .open_stream(peer.clone())
            .ok_or_else(|| Box::new(unavailable("Unavailable: too many streams are open; try again later")))?;
        let reader = if parts.headers.contains_key(LAST_EVENT_ID) {
            let last = header_text(&parts.headers, LAST_EVENT_ID).and_then(parse_event_id);
            let found = last.and_then(|(stream, number)| match session.stream(stream) {
                Some(stream) => Some((stream, number)),
                // The events of another process are lost, so the client gets the session's own stream, unless it
                // already reads that stream: several lost streams would take it from each other for ever.
                None if session.is_elsewhere(stream) => {
                    let own = session.own_stream();
                    let latest = own.last_event();
                    (!own.is_read()).then_some((own, latest))
                }
                None => None,
            });
            // A client cannot have seen an event that was not sent yet.
            let (stream, number) =
                found.filter(|(stream, number)| *number <= stream.last_event()).ok_or_else(|| {
                    let message = "Invalid request: unknown or expired `Last-Event-ID`";
                    Box::new(refuse(StatusCode::BAD_REQUEST, message))
                })?;
            stream.read(number)
        } else {
            let stream = session.own_stream();
            let latest = stream.last_event();
            stream.read(latest)
        };
        if session.ending().is_some() {
            return Err(Box::new(session_gone()));
        }
        let mut stream =
            EventStream::for_session(reader, session.mark_in_use(), config.keep_alive_interval, Some(message_permit));
        stream.count_unread(Meter::new(&self.shared.backlog, peer.as_ref()));
        Ok(event_stream(stream))
    }

    fn delete(&self, parts: &Parts, head: &RequestHead<'_>, caller: Option<Arc<Principal>>) -> HttpResponse {
        let id = match self.find_session(head) {
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
    fn find_session<'a>(&self, head: &RequestHead<'a>) -> Result<&'a str, Box<HttpResponse>> {
        let sessions = self.shared.config.sessions;
        let is_legacy = matches!(parse_version(head), VersionHeader::Absent | VersionHeader::Legacy(_));
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
