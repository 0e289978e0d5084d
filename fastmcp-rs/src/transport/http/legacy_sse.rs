//! HTTP with SSE, the transport of 2024-11-05, which Streamable HTTP has replaced.
//!
//! A session is a stream: GET opens it, its first event names the path for messages, and all responses arrive on it,
//! whichever POST carried the request. The session is an entry in a table like any other, but ends with its stream, and
//! cannot be resumed.
//!
//! GET and POST share one path. The first event repeats that path as the client sees it, with the query of the GET and
//! the session's id, because some clients do not resolve a bare query against the URL that they know. So the server
//! must know every prefix that a router or a proxy strips.
//!
//! Clients offer newer revisions here, too, and accept the revision of the response. The response is always 2024-11-05,
//! because the newer features belong to Streamable HTTP. The server answers a probe for a modern server like a server
//! that knows only 2024-11-05.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::ALLOW;
use http::request::Parts;
use http::{Extensions, HeaderValue, Method, StatusCode, Uri};
use http_body::Body;

use crate::auth::principal::Principal;
use crate::checks::http::is_same_path;
use crate::engine::transport_api::{Connection, HttpExchange, ResponseStatus, TransportInfo, write_error};
use crate::outgoing::stream::StreamQueue;
use crate::protocol::frame::Frame;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, Outcome, Revision};
use crate::transport::http::limits::MessagePermit;
use crate::transport::http::post::{refuse_unparsable, transport_info};
use crate::transport::http::request::head::{BodyFormat, RequestHead};
use crate::transport::http::response::backlog::Meter;
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::sse::EventStream;
use crate::transport::http::response::status::{
    HttpResponse, body_error_response, event_stream, json_response, not_utf8, refuse, respond, session_ended,
    session_gone, too_many_messages, unavailable, unsupported_encoding, unsupported_media,
};
use crate::transport::http::service::HttpService;
use crate::transport::http::sessions::{HttpSession, Lease};
use crate::transport::http::shared::ServiceState;
use crate::transport::http::stream_session::{EndSession, StreamEndpoint};

/// The name of the query parameter for the session id, as in other servers.
const SESSION_ID: &str = "sessionId";

impl HttpService {
    /// Returns the same server as an endpoint of the transport of 2024-11-05, HTTP with SSE, for clients that support
    /// no newer transport. The endpoint needs a path of its own, for GET and POST.
    ///
    /// Its sessions use revision 2024-11-05, whichever revision a client offers, and each session ends with its stream.
    /// [`App::run_http`](crate::App::run_http) serves it at the path that
    /// [`HttpConfig::legacy_sse`](crate::HttpConfig::legacy_sse) sets.
    ///
    /// The first event of a stream gives the client the path for its messages, with the query of the client's request.
    /// In a `Router` of axum 0.8 that is nested in another one, enable the feature `axum`, which reads the whole path
    /// from axum's `OriginalUri`. For a prefix that another component strips, such as a reverse proxy, set
    /// [`HttpConfig::public_prefix`](crate::HttpConfig::public_prefix).
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    ///
    /// # async fn example() -> Result<(), fastmcp_rs::Error> {
    /// let service = App::empty("orders").into_service().await?;
    /// let legacy = service.legacy_sse();
    /// // axum::Router::new().route_service("/mcp", service).route_service("/sse", legacy)
    /// # let _ = legacy;
    /// # Ok(())
    /// # }
    /// ```
    pub fn legacy_sse(&self) -> HttpService {
        HttpService { stream_endpoint: Some(StreamEndpoint), ..self.clone() }
    }

    /// Returns the endpoint of that transport, if this is its path.
    pub(crate) fn legacy_sse_at(&self, path: &str) -> Option<HttpService> {
        let ours = self.shared.config.legacy_sse.path.as_deref()?;
        is_same_path(path, ours).then(|| self.legacy_sse())
    }

    /// Answers a request that has passed the checks and authentication.
    pub(crate) async fn serve_legacy_sse<B: Body>(
        &mut self,
        _endpoint: StreamEndpoint,
        parts: &Parts,
        head: &RequestHead<'_>,
        body: B,
        caller: Option<Arc<Principal>>,
    ) -> HttpResponse {
        match parts.method {
            Method::GET => self.open_session(parts, head, caller),
            Method::POST => self.accept_message(parts, head, body, caller).await,
            _ => {
                let message = "Invalid request: open a session with GET, and send messages with POST";
                let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, message);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
                response
            }
        }
    }

    fn open_session(&self, parts: &Parts, head: &RequestHead<'_>, caller: Option<Arc<Principal>>) -> HttpResponse {
        if !head.accepted.events {
            return refuse(StatusCode::NOT_ACCEPTABLE, "Not acceptable: `Accept` must include text/event-stream");
        }
        let shared = &self.shared;
        let peer = self.peer(parts, caller.as_ref()).1;
        let Some(counted) = shared.open_stream(peer.clone()) else {
            return unavailable("Unavailable: too many streams are open; try again later");
        };
        let connection = Connection::for_stream(&shared.server, caller.clone());
        let revision = Revision::latest_with(Feature::HttpWithSse);
        let meter = Meter::new(&shared.backlog, peer.as_ref());
        let id = shared.stream_sessions.insert(connection, revision, caller.clone(), peer);
        let session = id.and_then(|id| Some((shared.stream_sessions.find(&id, caller.as_deref())?, id)));
        let Some((session, id)) = session else {
            return unavailable("Unavailable: too many sessions are in use; try again later");
        };
        let endpoint = endpoint(shared.config.legacy_sse.public_prefix.as_deref(), parts, &id);
        let first = format!("event: endpoint\ndata: {endpoint}\n\n");
        let end = EndSession { sessions: Arc::clone(&*shared.stream_sessions), id };
        let reader = (session.own_stream().read(0), session.mark_in_use());
        let (first, end) = (Some(first.into()), Some(end));
        let mut stream =
            EventStream::for_whole_session(first, reader, end, shared.config.keep_alive_interval, Some(counted));
        stream.count_unread(meter);
        event_stream(stream)
    }

    async fn accept_message<B: Body>(
        &mut self,
        parts: &Parts,
        head: &RequestHead<'_>,
        body: B,
        caller: Option<Arc<Principal>>,
    ) -> HttpResponse {
        let shared = Arc::clone(&self.shared);
        let config = &shared.config;
        match head.format {
            BodyFormat::Json => {}
            BodyFormat::EncodedJson => return unsupported_encoding(),
            BodyFormat::Other => return unsupported_media(),
        }
        let Some(id) = session_id(&parts.uri) else {
            let message =
                "Invalid request: `sessionId` is missing; send messages to the URL in the first event of the stream";
            return refuse(StatusCode::BAD_REQUEST, message);
        };
        let Some(session) = shared.stream_sessions.find(id, caller.as_deref()) else { return session_gone() };
        let (client, peer) = self.peer(parts, caller.as_ref());
        let mut permit = match shared.permits.acquire(peer.as_ref()) {
            Ok(permit) => permit,
            Err(exhausted) => return too_many_messages(exhausted),
        };
        let message = match shared.read(body, peer.as_ref(), &mut permit).await {
            Ok(message) => message,
            Err(unread) => return body_error_response(&unread, config.max_body),
        };
        // A client that does not read its responses cannot send further requests.
        if !shared.wait_for_room(&session, id).await {
            return unavailable(
                "Unavailable: the client did not read the stream of this session, so the session has ended",
            );
        }
        // The stream may have ended while the message arrived; then the client would receive no response.
        if session.connection.outgoing().is_closed() {
            return session_gone();
        }
        let registry = Arc::clone(shared.server.registry.refresh(&mut self.view));
        let Ok(text) = std::str::from_utf8(&message.bytes) else { return not_utf8() };
        let Ok(frame) = Frame::parse(text) else { return refuse_unparsable(&shared.server, &registry, text) };
        let transport_info =
            TransportInfo { caller: caller.as_ref(), ..transport_info(head, parts.version, client, &parts.extensions) };
        let exchange = HttpExchange {
            outgoing: Some(OnceCell::new()),
            headers: None,
            transport_info,
            takes_requests: true,
            retained: message.memory.clone(),
            rejects_stray_responses: false,
        };
        let mut out = Vec::new();
        let status = match refuse_modern(&frame, &mut out) {
            true => ResponseStatus::Written(Outcome::Error(code::METHOD_NOT_FOUND)),
            false => session.connection.receive_frame(&registry, text, &frame, &exchange, &mut out),
        };
        if !session.fits_client_info_limit() {
            shared.stream_sessions.remove(id);
            return unavailable(
                "Unavailable: the session has ended, because the sessions hold too much client information",
            );
        }
        if let ResponseStatus::WrittenWithoutId(_) = status {
            // The error answers no request, so it cannot be sent as a message of this revision.
            return json_response(StatusCode::BAD_REQUEST, out);
        }
        session.connection.outgoing().push(&out);
        let request = frame.id.filter(|_| frame.method.is_some()).map(|id| id.get());
        if status == ResponseStatus::Queued {
            let outgoing = StreamQueue::new(exchange.outgoing(&session.connection));
            session.owed.add();
            shared.permits.charge_peer(peer.as_ref(), &mut permit);
            let request = request.map(Into::into);
            tokio::spawn(forward_frames(
                Arc::clone(&shared),
                session.clone(),
                id.to_owned(),
                request,
                outgoing,
                permit,
            ));
        }
        if let Some(ending) = session.ending() {
            // The session has ended in the meantime, so calls that began since then are cancelled.
            session.connection.cancel_all();
            return session_ended(ending, request);
        }
        respond(StatusCode::ACCEPTED, ResponseBody::empty())
    }
}

/// Returns the session id of a POST; `None` unless there is exactly one. An id needs no escapes.
fn session_id(uri: &Uri) -> Option<&str> {
    let mut ids = uri.query()?.split('&').filter_map(id_of);
    ids.next().filter(|_| ids.next().is_none())
}

/// Returns the session id, if this query parameter is one.
fn id_of(parameter: &str) -> Option<&str> {
    parameter.strip_prefix(SESSION_ID)?.strip_prefix('=')
}

/// Returns the URL for the messages of a session: an absolute path with the query of the request that opened it, and
/// with the session's id, as the client sees it.
fn endpoint(prefix: Option<&str>, parts: &Parts, id: &str) -> String {
    let uri = original_uri(&parts.extensions).unwrap_or(&parts.uri);
    // Two leading slashes would begin the name of a server.
    let mut endpoint =
        format!("{}/{}?", prefix.unwrap_or_default().trim_end_matches('/'), uri.path().trim_start_matches('/'));
    for parameter in uri.query().unwrap_or_default().split('&') {
        // A client that reconnects may still name its previous session.
        if !parameter.is_empty() && id_of(parameter).is_none() {
            endpoint.extend([parameter, "&"]);
        }
    }
    endpoint.extend([SESSION_ID, "=", id]);
    escape_non_ascii(endpoint)
}

/// Percent-encodes the bytes beyond ASCII, because some clients end a line at U+0085, U+2028 and U+2029.
fn escape_non_ascii(url: String) -> String {
    if url.is_ascii() {
        return url;
    }
    let mut escaped = String::with_capacity(3 * url.len());
    for byte in url.bytes() {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Returns the URI of a request before axum's routers have stripped their prefixes.
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    #[cfg(feature = "axum")]
    return extensions.get::<axum::extract::OriginalUri>().map(|uri| &uri.0);
    #[cfg(not(feature = "axum"))]
    {
        let _ = extensions;
        None
    }
}

/// Answers a modern request like a server of 2024-11-05, so that a client that probes for a modern server continues
/// with `initialize`. Returns false if the request is not modern.
fn refuse_modern(frame: &Frame<'_>, out: &mut Vec<u8>) -> bool {
    let is_modern = frame.method.is_some() && frame.meta().is_some_and(|meta| meta.protocol_version.is_some());
    let Some(id) = frame.id.and_then(Id::parse).filter(|_| is_modern) else { return false };
    let text = "Method not found: sessions of this transport use revision 2024-11-05 and begin with `initialize`";
    write_error(out, Some(id.as_str()), &RpcError::new(code::METHOD_NOT_FOUND, text));
    true
}

/// Forwards the frames of a call, including its response, while there is room on the session's stream.
async fn forward_frames(
    shared: Arc<ServiceState>,
    session: Lease,
    id: String,
    request: Option<Box<str>>,
    outgoing: StreamQueue,
    counted: MessagePermit,
) {
    let stream = session.connection.outgoing();
    let mut is_answered = false;
    while let Some((frames, ending)) = poll_fn(|task| outgoing.poll_take(task)).await {
        if !shared.wait_for_room(&session, &id).await {
            break;
        }
        stream.push(&frames);
        if ending.is_some() {
            is_answered = true;
            break;
        }
    }
    if let (Some(ending), false) = (session.ending(), is_answered) {
        let mut error = Vec::new();
        write_error(&mut error, request.as_deref(), &ending.error());
        stream.push(&error);
    }
    drop(counted);
    if session.owed.remove() && shared.stopping.load(Ordering::Acquire) {
        stream.push_response(Vec::new(), Outcome::Cancelled);
    }
}

impl ServiceState {
    /// Waits until there is room on a stream. If the client reads nothing for `write_timeout`, its session ends,
    /// because a surrounding server may not enforce such a timeout.
    async fn wait_for_room(&self, session: &HttpSession, id: &str) -> bool {
        let memory = session.connection.outgoing().wait_for_capacity();
        let is_there = tokio::time::timeout(self.config.write_timeout, memory).await.is_ok();
        if !is_there {
            self.stream_sessions.remove(id);
        }
        is_there
    }

    /// Ends the streams without pending responses. Other streams end with their last response.
    pub(crate) fn end_stream_sessions(&self) {
        for session in self.stream_sessions.all() {
            if session.owed.is_empty_now() {
                session.connection.outgoing().push_response(Vec::new(), Outcome::Cancelled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_read_only_if_it_is_unique() {
        let of = |uri: &'static str| session_id(&Uri::from_static(uri)).map(str::to_owned);
        assert_eq!(of("/sse?sessionId=a").as_deref(), Some("a"));
        assert_eq!(of("/sse?x=y&sessionId=a-_&z").as_deref(), Some("a-_"));
        for none in ["/sse", "/sse?", "/sse?sessionid=a", "/sse?sessionIds=a", "/sse?sessionId=a&sessionId=b"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn messages_are_sent_to_the_path_of_the_stream_on_the_same_server() {
        let of = |prefix, uri: &'static str| {
            let (parts, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
            endpoint(prefix, &parts, "id")
        };
        for (prefix, uri, expected) in [
            (None, "/sse", "/sse?sessionId=id"),
            (None, "/sse/?", "/sse/?sessionId=id"),
            (None, "/a/sse?b=c%26&d&&e=", "/a/sse?b=c%26&d&e=&sessionId=id"),
            (None, "/sse?sessionId=old&a=b&sessionId=older", "/sse?a=b&sessionId=id"),
            (None, "/sse?sessionIds=a", "/sse?sessionIds=a&sessionId=id"),
            (None, "https://mcp.example.com/sse?a", "/sse?a&sessionId=id"),
            (None, "//evil.example/sse", "/evil.example/sse?sessionId=id"),
            (Some("/tools"), "/sse", "/tools/sse?sessionId=id"),
            (Some("/tools/"), "/", "/tools/?sessionId=id"),
            (Some("/"), "//evil.example", "/evil.example?sessionId=id"),
        ] {
            assert_eq!(of(prefix, uri), expected, "{prefix:?} {uri}");
        }
    }

    #[test]
    fn separators_in_the_url_of_the_messages_are_percent_encoded() {
        let url = escape_non_ascii("/sse?a=\u{85}\u{2028}b&sessionId=x".to_owned());
        assert_eq!(url, "/sse?a=%C2%85%E2%80%A8b&sessionId=x");
        assert_eq!(escape_non_ascii("/sse?a=%20".to_owned()), "/sse?a=%20");
    }
}
