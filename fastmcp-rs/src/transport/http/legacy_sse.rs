//! HTTP with SSE, the transport of 2024-11-05, which Streamable HTTP has replaced.
//!
//! A session is a stream: GET opens it, its first event says where messages are sent, and what is answered comes on
//! it, whichever POST has asked. So a session is an entry in a table like any other, but lives only as long as its
//! stream, and nobody can read on.
//!
//! GET and POST have one path. The first event repeats it as clients see it, with the query of the GET and the session's
//! id: some clients do not resolve a bare query against the URL that they know. So a prefix that a router or a proxy has
//! taken off has to be known here.
//!
//! Clients offer newer revisions here too, and take the one that they are answered: what those have beyond 2024-11-05
//! belongs to Streamable HTTP. A probe for a modern server is answered as by a server that has never heard of one.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>

use std::cell::{Cell, OnceCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::ALLOW;
use http::request::Parts;
use http::{Extensions, HeaderValue, Method, StatusCode, Uri};
use http_body::Body;

use crate::auth::principal::Principal;
use crate::engine::{Connection, HttpExchange, write_error};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::Revision;
use crate::protocol::frame::Frame;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};
use crate::transport::http::limits::MessagePermit;
use crate::transport::http::paths::is_same_path;
use crate::transport::http::post::{refuse_unparsable, transport_info};
use crate::transport::http::request::head::{BodyFormat, RequestHead};
use crate::transport::http::response::backlog::Meter;
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::replay::Resumption;
use crate::transport::http::response::sse::EventStream;
use crate::transport::http::response::status::{
    HttpResponse, body_error_response, error_code, event_stream, json_response, not_utf8, refuse, respond,
    session_ended, session_gone, too_many_messages, unavailable, unsupported_encoding, unsupported_media,
};
use crate::transport::http::service::HttpService;
use crate::transport::http::sessions::{HttpSession, Lease};
use crate::transport::http::shared::ServiceState;
use crate::transport::http::stream_session::EndSession;

/// The name of the query's parameter, as other servers call it.
const SESSION_ID: &str = "sessionId";

impl HttpService {
    /// The same server as the endpoint of the transport of 2024-11-05, HTTP with SSE, for clients that know nothing
    /// newer. It has a path of its own, for GET and POST.
    ///
    /// Its sessions speak 2024-11-05, whatever a client offers, and each lives as long as its stream is open.
    /// [`App::run_http`](crate::App::run_http) serves it where [`HttpConfig::legacy_sse`](crate::HttpConfig::legacy_sse)
    /// says.
    ///
    /// Its first event tells the client the path of its messages, with the query of the client's request. In a `Router`
    /// of axum 0.8 that is nested in another one, enable the feature `axum`, which reads the whole path from axum's
    /// `OriginalUri`. A prefix that anything else takes off, such as a reverse proxy, is set by
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
    #[must_use]
    pub fn legacy_sse(&self) -> HttpService {
        HttpService { is_legacy_sse: true, ..self.clone() }
    }

    /// The endpoint of that transport, if this is its path.
    pub(crate) fn legacy_sse_at(&self, path: &str) -> Option<HttpService> {
        let ours = self.shared.config.legacy_sse.as_deref()?;
        is_same_path(path, ours).then(|| self.legacy_sse())
    }

    /// Answers a request that may come in.
    pub(crate) async fn serve_legacy_sse<B: Body>(
        &mut self,
        parts: &Parts,
        head: &RequestHead<'_>,
        body: B,
        caller: Option<Arc<Principal>>,
    ) -> HttpResponse {
        match parts.method {
            Method::GET => self.open_session(parts, head, caller),
            Method::POST => self.accept_message(parts, head, body, caller).await,
            _ => {
                let message = "Invalid request: a session is opened by GET, and messages are sent by POST";
                let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, message);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
                response
            }
        }
    }

    fn open_session(&self, parts: &Parts, head: &RequestHead<'_>, caller: Option<Arc<Principal>>) -> HttpResponse {
        if !head.accepted.events {
            return refuse(StatusCode::NOT_ACCEPTABLE, "Not acceptable: `Accept` must name text/event-stream");
        }
        let shared = &self.shared;
        let peer = self.peer(parts, caller.as_ref()).1;
        let Some(counted) = shared.open_stream(peer.clone()) else {
            return unavailable("Unavailable: too many streams are open; try again");
        };
        let connection = Connection::for_stream(&shared.server, caller.clone());
        let (revision, resumption) = (Revision::V2024_11_05, Resumption::Never);
        let meter = Meter::new(&shared.backlog, peer.as_ref());
        let id = shared.stream_sessions.insert(connection, revision, caller.clone(), peer, resumption);
        let session = id.and_then(|id| Some((shared.stream_sessions.find(&id, caller.as_deref())?, id)));
        let Some((session, id)) = session else {
            return unavailable("Unavailable: too many sessions are in use; try again");
        };
        let endpoint = endpoint(shared.config.public_prefix.as_deref(), parts, &id);
        let first = format!("event: endpoint\ndata: {endpoint}\n\n");
        let end = EndSession { sessions: Arc::clone(&shared.stream_sessions), id };
        let reader = (session.own_stream().read(0), session.mark_in_use());
        let mut stream = EventStream::for_whole_session(first, reader, end, shared.config.keep_alive, counted);
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
                "Invalid request: `sessionId` is missing; send messages where the first event of the stream says";
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
        // Who does not read its answers asks nothing more.
        if !shared.wait_for_room(&session, id).await {
            return unavailable("Unavailable: what waits on the stream of this session was not read; it has ended");
        }
        // The stream may have ended while the message came, and nobody would hear of what it does.
        if session.connection.outgoing().is_closed() {
            return session_gone();
        }
        let registry = Arc::clone(shared.server.registry.refresh(&mut self.view));
        let Ok(text) = std::str::from_utf8(&message.bytes) else { return not_utf8() };
        let Ok(frame) = Frame::parse(text) else { return refuse_unparsable(&shared.server, &registry, text) };
        let transport_info = transport_info(head, parts.version, client);
        let exchange = HttpExchange {
            outgoing: Some(OnceCell::new()),
            headers: None,
            transport_info,
            takes_requests: true,
            retained: message.memory.clone(),
            rejects_stray_responses: false,
            pending: Cell::new(false),
        };
        let mut out = Vec::new();
        if !refuse_modern(&frame, &mut out) {
            session.connection.receive_frame(&registry, text, &frame, &exchange, &mut out);
        }
        if !session.fits_client_info_limit() {
            shared.stream_sessions.remove(id);
            return unavailable("Unavailable: the clients of too many sessions have said too much of themselves");
        }
        if error_code(&out, None).is_some() {
            // It answers no request, so it is no message of this revision.
            return json_response(StatusCode::BAD_REQUEST, out);
        }
        session.connection.outgoing().push(&out);
        let request = frame.id.filter(|_| frame.method.is_some()).map(|id| id.get());
        if exchange.pending.get() {
            let outgoing = Arc::clone(exchange.outgoing(&session.connection));
            session.owed.fetch_add(1, Ordering::AcqRel);
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
            // It ended meanwhile, and so does what has begun since then.
            session.connection.cancel_all();
            return session_ended(ending, request);
        }
        respond(StatusCode::ACCEPTED, ResponseBody::empty())
    }
}

/// The session that a POST names. Its id needs no escapes.
fn session_id(uri: &Uri) -> Option<&str> {
    let mut ids = uri.query()?.split('&').filter_map(id_of);
    ids.next().filter(|_| ids.next().is_none())
}

/// The id of a session, if this parameter of a query is one.
fn id_of(parameter: &str) -> Option<&str> {
    parameter.strip_prefix(SESSION_ID)?.strip_prefix('=')
}

/// Returns where the messages of a session are sent: an absolute path with the query of the request that has opened it,
/// and with the session's id, as the client sees it.
fn endpoint(prefix: Option<&str>, parts: &Parts, id: &str) -> String {
    let uri = original_uri(&parts.extensions).unwrap_or(&parts.uri);
    // Two slashes would begin the name of a server.
    let mut endpoint =
        format!("{}/{}?", prefix.unwrap_or_default().trim_end_matches('/'), uri.path().trim_start_matches('/'));
    for parameter in uri.query().unwrap_or_default().split('&') {
        // A client that comes back may still name the session that it had.
        if !parameter.is_empty() && id_of(parameter).is_none() {
            endpoint.extend([parameter, "&"]);
        }
    }
    endpoint.extend([SESSION_ID, "=", id]);
    endpoint
}

/// Returns the URI of a request before axum's routers have taken their prefixes off.
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    #[cfg(feature = "axum")]
    return extensions.get::<axum::extract::OriginalUri>().map(|uri| &uri.0);
    #[cfg(not(feature = "axum"))]
    {
        let _ = extensions;
        None
    }
}

/// Answers a modern request as a server of 2024-11-05 would, so that a client which only tries goes on with
/// `initialize`.
fn refuse_modern(frame: &Frame<'_>, out: &mut Vec<u8>) -> bool {
    let is_modern = frame.method.is_some() && frame.meta().is_some_and(|meta| meta.protocol_version.is_some());
    let Some(id) = frame.id.and_then(Id::parse).filter(|_| is_modern) else { return false };
    let text = "Method not found: sessions of this transport speak 2024-11-05 and begin with `initialize`";
    write_error(out, Some(id.as_str()), &RpcError::new(code::METHOD_NOT_FOUND, text));
    true
}

/// Passes on what a call sends, and its answer, as far as there is room on the session's stream.
async fn forward_frames(
    shared: Arc<ServiceState>,
    session: Lease,
    id: String,
    request: Option<Box<str>>,
    outgoing: Arc<OutgoingQueue>,
    counted: MessagePermit,
) {
    let stream = session.connection.outgoing();
    let mut is_answered = false;
    while let Some((frames, is_last)) = poll_fn(|task| outgoing.poll_take(task)).await {
        if !shared.wait_for_room(&session, &id).await {
            break;
        }
        stream.push(&frames);
        if is_last {
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
    if session.owed.fetch_sub(1, Ordering::AcqRel) == 1 && shared.stopping.load(Ordering::Acquire) {
        stream.push_response(Vec::new());
    }
}

impl ServiceState {
    /// Waits until there is room on a stream. Who reads nothing for too long loses the session: a server around this
    /// one may not know how long that is.
    async fn wait_for_room(&self, session: &HttpSession, id: &str) -> bool {
        let memory = session.connection.outgoing().wait_for_capacity();
        let is_there = tokio::time::timeout(self.config.write_time, memory).await.is_ok();
        if !is_there {
            self.stream_sessions.remove(id);
        }
        is_there
    }

    /// Ends the streams on which no answer is to come. Others end with their last answer.
    pub(crate) fn end_stream_sessions(&self) {
        for session in self.stream_sessions.all() {
            // Written, and not only read: who takes the last answer away afterwards sees that the server stops.
            if session.owed.fetch_add(0, Ordering::AcqRel) == 0 {
                session.connection.outgoing().push_response(Vec::new());
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
}
