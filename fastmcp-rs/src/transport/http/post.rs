//! Handling of the message of a POST: its era, its connection and its response.
//!
//! The era is read from the body, with the version header as a cross-check. A modern request has its own connection,
//! which is dropped with its response; a legacy message belongs to a session. The form of the response is chosen late:
//! it is JSON, unless another frame precedes the response or the wait reaches the keep-alive interval.

use std::cell::OnceCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Sleep;

use super::config::SessionMode;
use super::limits::MessagePermit;
use super::peer::{ClientAddress, Peer};
use super::request::head::{self, McpHeader, RequestHead, SESSION_ID, SingleHeader};
use super::request::header_values::AcceptedTypes;
use super::response::body::ResponseBody;
use super::response::event::split_frames;
use super::response::sse::{CancelOnDrop, EventStream, StreamPermit};
use super::response::status::{
    HttpResponse, batch_refused, event_stream, frames_response, json_response, legacy_status, modern_only,
    modern_status, refuse, respond, session_ended, session_missing, too_many_messages, too_many_sessions, unavailable,
};
use super::sessions::{Lease, Requester, SessionEnd};
use super::shared::ServiceState;
use crate::auth::principal::Principal;
use crate::engine::transport_api::{
    ArgumentsGuard, Connection, Headers, HttpExchange, ResponseStatus, Server, TransportInfo, batch_length,
    is_complete_envelope,
};
use crate::json::object::string_value;
use crate::outgoing::stream::StreamQueue;
use crate::protocol::frame::{Frame, FrameError};
use crate::protocol::id::Id;
use crate::protocol::{Feature, Outcome, ProtocolMethod, Revision};
use crate::registry::Registry;

/// The initial capacity of the buffer for a response, in bytes. Most responses fit without reallocation.
const USUAL_RESPONSE: usize = 512;

/// The value of the `MCP-Protocol-Version` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionHeader {
    Absent,
    Legacy(Revision),
    Modern,
    Unknown,
}

pub(crate) fn parse_version(head: &RequestHead<'_>) -> VersionHeader {
    let value = match head.find_header(McpHeader::Version) {
        SingleHeader::Absent => return VersionHeader::Absent,
        SingleHeader::Twice => return VersionHeader::Unknown,
        SingleHeader::Once(value) => value,
    };
    // The value nearly always equals a revision exactly. Then it needs neither UTF-8 validation nor trimming.
    let exactly = Revision::ALL.iter().copied().find(|revision| revision.as_str().as_bytes() == value.as_bytes());
    let revision = exactly.or_else(|| Revision::parse(std::str::from_utf8(value.as_bytes()).ok()?.trim()));
    match revision {
        Some(revision) if revision.has(Feature::Stateless) => VersionHeader::Modern,
        Some(revision) => VersionHeader::Legacy(revision),
        None => VersionHeader::Unknown,
    }
}

/// Returns true if a request belongs to a session, judging by its head. A request that claims to be modern is never
/// served as legacy.
pub(crate) fn belongs_to_session(parts: &Parts, mode: SessionMode) -> bool {
    let head = head::read_headers(&parts.headers).1;
    mode == SessionMode::Sessions
        && parts.method == Method::POST
        && head.session_id().is_some()
        && matches!(parse_version(&head), VersionHeader::Absent | VersionHeader::Legacy(_))
}

/// One message with the data of its HTTP request.
pub(crate) struct PostRequest<'a> {
    pub(crate) shared: &'a Arc<ServiceState>,
    pub(crate) registry: &'a Arc<Registry>,
    pub(crate) head: &'a RequestHead<'a>,
    /// The path of the request.
    pub(crate) path: &'a str,
    pub(crate) version: http::Version,
    /// The address of the client, as far as it is known.
    pub(crate) client: ClientAddress,
    pub(crate) caller: Option<Arc<Principal>>,
    /// The extensions of the HTTP request.
    pub(crate) extensions: &'a Extensions,
    /// The peer that the message counts against; `None` if it has no limit per peer.
    pub(crate) peer: Option<&'a Peer>,
    /// The memory reservation of a large message, which its calls retain.
    pub(crate) memory: Option<ArgumentsGuard>,
    /// The permit of the message while it is served.
    pub(crate) permit: &'a mut MessagePermit,
}

/// The immediate outcome of a message.
pub(crate) enum PostOutcome {
    Over(HttpResponse),
    Pending(Box<PendingResponse>),
}

/// A message whose response is not ready yet.
pub(crate) struct PendingResponse {
    pub(crate) outgoing: StreamQueue,
    pub(crate) owner: ResponseOwner,
    /// The id of the request, as JSON text.
    pub(crate) id: Option<Box<str>>,
    /// Whether the response is always a stream.
    pub(crate) is_subscription: bool,
    /// The peer that the message counts against.
    pub(crate) peer: Option<Peer>,
}

pub(crate) enum ResponseOwner {
    Modern(CancelOnDrop),
    Legacy(Lease),
    /// A legacy request without a session. It is cancelled when its response is dropped, like a modern one.
    Sessionless(CancelOnDrop),
}

impl PostRequest<'_> {
    /// Determines the era of the message and passes it to its connection.
    pub(crate) fn dispatch(self, message: &str) -> PostOutcome {
        let frame = match Frame::parse(message) {
            Ok(frame) => frame,
            Err(malformed) => return self.handle_unparsable(message, &malformed),
        };
        let version = parse_version(self.head);
        let has_envelope = frame.meta().is_some_and(|meta| meta.protocol_version.is_some());
        let is_modern = has_envelope || matches!(version, VersionHeader::Modern | VersionHeader::Unknown);
        match (frame.method.is_some(), frame.id.is_some()) {
            (true, true) if has_envelope => self.modern_request(message, &frame),
            // A client that falls back to a handshake may still send the version header of its previous attempt.
            (true, true) if is_handshake(&frame) => PostOutcome::Over(self.initialize(message, &frame)),
            (true, true) if is_modern => self.bare_request(&frame),
            (true, false) if is_modern => self.modern_notification(&frame, version),
            (false, _) if is_modern => PostOutcome::Over(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: since 2026-07-28 clients do not send responses; repeat the request with \
                 `inputResponses`",
            )),
            _ => self.legacy_message(message, Some(&frame), version),
        }
    }

    /// Serves a batch, and refuses text that cannot be parsed.
    fn handle_unparsable(self, message: &str, malformed: &FrameError) -> PostOutcome {
        let version = parse_version(self.head);
        if *malformed == FrameError::Batch && matches!(version, VersionHeader::Absent | VersionHeader::Legacy(_)) {
            return self.legacy_message(message, None, version);
        }
        PostOutcome::Over(refuse_unparsable(&self.shared.server, self.registry, message))
    }

    fn requester(&self) -> Requester<'_> {
        Requester { principal: self.caller.as_ref(), peer: self.peer, path: self.path }
    }

    /// Creates the exchange of a message on the connection of a session (`belongs_to_session`) or on its own
    /// connection.
    fn exchange(&self, belongs_to_session: bool, is_modern: bool) -> HttpExchange<'_> {
        let outgoing = belongs_to_session.then(OnceCell::new);
        let headers = is_modern.then_some(self.head as &dyn Headers);
        let transport_info = TransportInfo {
            caller: self.caller.as_ref(),
            ..transport_info(self.head, self.version, self.client, self.extensions)
        };
        HttpExchange {
            outgoing,
            headers,
            transport_info,
            takes_requests: self.head.accepted.events,
            retained: self.memory.clone(),
            rejects_stray_responses: true,
        }
    }

    /// Refuses a request that claims to be modern by its header alone.
    fn bare_request(self, frame: &Frame<'_>) -> PostOutcome {
        let mut out = Vec::new();
        Connection::for_exchange(&self.shared.server, None).reject_bare_request(frame, &mut out);
        PostOutcome::Over(json_response(StatusCode::BAD_REQUEST, out))
    }

    fn modern_request(self, message: &str, frame: &Frame<'_>) -> PostOutcome {
        let connection = Connection::for_exchange(&self.shared.server, self.caller.clone());
        let mut out = Vec::with_capacity(USUAL_RESPONSE);
        let exchange = self.exchange(false, true);
        let status = connection.receive_frame(self.registry, message, frame, &exchange, &mut out);
        if status == ResponseStatus::Queued {
            return PostOutcome::Pending(Box::new(PendingResponse {
                outgoing: StreamQueue::new(connection.outgoing()),
                owner: ResponseOwner::Modern(CancelOnDrop(connection)),
                id: frame.id.map(|id| id.get().into()),
                is_subscription: frame.has_method(ProtocolMethod::Listen),
                peer: self.peer.cloned(),
            }));
        }
        let status = modern_status(status.error_code(), || is_complete_envelope(frame));
        PostOutcome::Over(frames_response(out, self.head.accepted, status))
    }

    /// Answers a modern notification after a check of its headers. The notification has no effect, because each modern
    /// request has a connection of its own.
    fn modern_notification(self, frame: &Frame<'_>, version: VersionHeader) -> PostOutcome {
        if version == VersionHeader::Unknown {
            return PostOutcome::Over(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: `MCP-Protocol-Version` is not a known version",
            ));
        }
        let connection = Connection::for_exchange(&self.shared.server, None);
        let mut out = Vec::new();
        let method = frame.method.and_then(string_value).unwrap_or_default();
        if !connection.accepts_notification(&method, &self.exchange(false, true), &mut out) {
            return PostOutcome::Over(json_response(StatusCode::BAD_REQUEST, out));
        }
        PostOutcome::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()))
    }

    /// Answers a handshake, and begins a session if the handshake succeeds.
    fn initialize(self, message: &str, frame: &Frame<'_>) -> HttpResponse {
        let sessions = self.shared.config.sessions;
        let connection = match sessions {
            SessionMode::Sessions => Connection::for_session(&self.shared.server, self.caller.clone()),
            SessionMode::Sessionless => Connection::for_exchange(&self.shared.server, self.caller.clone()),
            SessionMode::Refused => return modern_only(frame),
        };
        let mut out = Vec::new();
        connection.receive_frame(self.registry, message, frame, &self.exchange(true, false), &mut out);
        let mut response = frames_response(out, self.head.accepted, StatusCode::OK);
        // A failed handshake begins no session.
        if let (Some(revision), SessionMode::Sessions) = (connection.session_revision(), sessions) {
            let Some(session) = self.shared.sessions.begin(connection, revision, &self.requester()) else {
                return too_many_sessions();
            };
            if let Some(id) = frame.id {
                session.note_request(id);
            }
            // An id consists of visible ASCII, so the conversion does not fail.
            if let Ok(mut id) = HeaderValue::from_str(session.id()) {
                // Middleware that logs headers omits sensitive ones.
                id.set_sensitive(true);
                response.headers_mut().insert(HeaderName::from_static(SESSION_ID), id);
            }
        }
        response
    }

    /// Serves a legacy message, with or without a session. `frame` is `None` for a batch.
    fn legacy_message(self, message: &str, frame: Option<&Frame<'_>>, version: VersionHeader) -> PostOutcome {
        let session = match (self.shared.config.sessions, self.head.session_id()) {
            (SessionMode::Refused, _) => return PostOutcome::Over(frame.map_or_else(batch_refused, modern_only)),
            (SessionMode::Sessionless, _) => None,
            (_, None) => return PostOutcome::Over(session_missing()),
            (_, Some(id)) => match self.shared.session(id, &self.requester()) {
                Ok(session) => Some(session),
                Err(response) => return PostOutcome::Over(*response),
            },
        };
        let batch_length = frame.map_or_else(|| batch_length(message), |_| 0);
        if frame.is_none() {
            if let Err(exhausted) = self.shared.permits.extend(self.peer, self.permit, batch_length) {
                return PostOutcome::Over(too_many_messages(exhausted));
            }
        }
        let (connection, owner) = match session {
            Some(session) => {
                if matches!(version, VersionHeader::Legacy(revision) if revision != session.revision) {
                    return PostOutcome::Over(refuse(
                        StatusCode::BAD_REQUEST,
                        "Invalid request: `MCP-Protocol-Version` differs from the version of the session",
                    ));
                }
                match frame {
                    Some(frame) if frame.method.is_none() => {}
                    Some(Frame { id: Some(id), .. }) => session.note_request(*id),
                    Some(frame) if cancelled_response(frame).is_some_and(|id| !session.may_have_seen(id)) => {
                        return PostOutcome::Over(refuse(
                            StatusCode::BAD_REQUEST,
                            "Invalid request: this process received no request with this `requestId`",
                        ));
                    }
                    // A batch that cannot be read has no requests.
                    None if session.revision.has(Feature::Batches) && batch_length > 0 => {
                        session.note_batch();
                    }
                    Some(_) | None => {}
                }
                (Arc::clone(&session.connection), ResponseOwner::Legacy(session))
            }
            None => {
                let connection = Connection::for_exchange(&self.shared.server, self.caller.clone());
                connection.assume_session(match version {
                    VersionHeader::Legacy(revision) => revision,
                    _ => Revision::DEFAULT_OVER_HTTP,
                });
                (Arc::clone(&connection), ResponseOwner::Sessionless(CancelOnDrop(connection)))
            }
        };
        let exchange = self.exchange(matches!(owner, ResponseOwner::Legacy(_)), false);
        let mut out = Vec::with_capacity(USUAL_RESPONSE);
        let status = match frame {
            Some(frame) => connection.receive_frame(self.registry, message, frame, &exchange, &mut out),
            None => connection.receive_text(self.registry, message, &exchange, &mut out),
        };
        let id = frame.and_then(|frame| frame.id).map(|id| id.get());
        if let Some(ending) = owner.ending() {
            // The session has ended in the meantime, so calls that began since then are cancelled.
            connection.cancel_all();
            let is_request = frame.is_none_or(|frame| frame.method.is_some() && frame.id.is_some());
            if is_request && status == ResponseStatus::None {
                return PostOutcome::Over(session_ended(ending, id));
            }
        }
        if status == ResponseStatus::Queued {
            let (outgoing, id) = (StreamQueue::new(exchange.outgoing(&connection)), id.map(Into::into));
            return PostOutcome::Pending(Box::new(PendingResponse {
                outgoing,
                owner,
                id,
                is_subscription: false,
                peer: self.peer.cloned(),
            }));
        }
        if status == ResponseStatus::None {
            return PostOutcome::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()));
        }
        PostOutcome::Over(frames_response(out, self.head.accepted, legacy_status(status.error_code())))
    }
}

/// Returns the id of the request that a notification cancels, if it is a cancellation.
fn cancelled_response<'a>(frame: &Frame<'a>) -> Option<Id<'a>> {
    frame.params().filter(|_| frame.has_method(ProtocolMethod::Cancelled))?.request_id.and_then(Id::parse)
}

/// Returns true if a request without an envelope is a handshake, which asks for a session.
fn is_handshake(frame: &Frame<'_>) -> bool {
    frame.has_method(ProtocolMethod::Initialize)
}

impl ResponseOwner {
    /// Returns the reason for the end of the message's session; `None` if the session is open or the message has none.
    fn ending(&self) -> Option<SessionEnd> {
        match self {
            ResponseOwner::Legacy(session) => session.ending(),
            ResponseOwner::Modern(_) | ResponseOwner::Sessionless(_) => None,
        }
    }

    /// Returns the response of the last frames of a request that was not ready at once.
    fn last_frames_response(
        &self,
        frames: Vec<u8>,
        accepted: AcceptedTypes,
        outcome: Outcome,
        id: Option<&str>,
    ) -> HttpResponse {
        if !outcome.has_response() {
            // The last frame is a notification, which must not be taken for the response.
            return self.cancelled_response(id);
        }
        let status = match self {
            // The envelope of a request that a handler has begun is complete.
            ResponseOwner::Modern(_) => modern_status(outcome.error_code(), || true),
            ResponseOwner::Legacy(_) | ResponseOwner::Sessionless(_) => legacy_status(outcome.error_code()),
        };
        frames_response(frames, accepted, status)
    }

    /// Returns the response to a cancelled request: the error of its session, if that has ended, and otherwise an empty
    /// response, because the client itself cancelled the request.
    fn cancelled_response(&self, id: Option<&str>) -> HttpResponse {
        match self.ending() {
            Some(ending) => session_ended(ending, id),
            None => respond(StatusCode::ACCEPTED, ResponseBody::empty()),
        }
    }
}

/// Lets the call of a session continue without a stream if its HTTP request is dropped before a stream exists.
struct AbandonOnDrop(Option<StreamQueue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        if let Some(outgoing) = &self.0 {
            outgoing.abandon();
        }
    }
}

/// Returns the data of a message besides its text.
pub(crate) fn transport_info<'a>(
    head: &'a RequestHead<'a>,
    version: http::Version,
    client: ClientAddress,
    extensions: &'a Extensions,
) -> TransportInfo<'a> {
    let http_version = match version {
        http::Version::HTTP_10 => Some("1.0"),
        http::Version::HTTP_11 => Some("1.1"),
        http::Version::HTTP_2 => Some("2"),
        _ => None,
    };
    TransportInfo {
        headers: Some(head),
        http_version,
        is_by_unix_socket: client.is_by_unix_socket(),
        client: client.address(),
        caller: None,
        readable: Some((head.all(), extensions)),
    }
}

/// Refuses text that is not a message, with the reason.
pub(crate) fn refuse_unparsable(server: &Arc<Server>, registry: &Arc<Registry>, text: &str) -> HttpResponse {
    let connection = Connection::for_exchange(server, None);
    let transport_info = TransportInfo::default();
    let exchange = HttpExchange {
        outgoing: None,
        headers: None,
        transport_info,
        takes_requests: false,
        retained: None,
        rejects_stray_responses: false,
    };
    let mut out = Vec::new();
    connection.receive_text(registry, text, &exchange, &mut out);
    json_response(StatusCode::BAD_REQUEST, out)
}

impl PendingResponse {
    /// Waits for the first frames, and chooses the form of the response by them.
    pub(crate) async fn respond(
        self,
        shared: &Arc<ServiceState>,
        accepted: AcceptedTypes,
        permit: MessagePermit,
    ) -> HttpResponse {
        let PendingResponse { outgoing, owner, id, is_subscription, peer } = self;
        if is_subscription && !accepted.events {
            let message = "Not acceptable: a subscription is a stream, so `Accept` must include text/event-stream";
            return refuse(StatusCode::NOT_ACCEPTABLE, message);
        }
        let belongs_to_session = matches!(owner, ResponseOwner::Legacy(_));
        let permit = match &owner {
            ResponseOwner::Legacy(session) => {
                // The call continues after its client has disconnected, so it also holds the permit until it has ended.
                let permit = Arc::new(permit);
                outgoing.retain_until_end((Arc::clone(&permit), session.mark_in_use()));
                StreamPermit::Call { _permit: permit }
            }
            ResponseOwner::Modern(_) | ResponseOwner::Sessionless(_) => StreamPermit::Message { _permit: permit },
        };
        let mut unread = AbandonOnDrop(belongs_to_session.then(|| outgoing.clone()));
        let keep_alive = shared.config.keep_alive_interval;
        let may_hang_up = accepted.events && belongs_to_session;
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        let taken = poll_fn(|task| match outgoing.poll_take(task) {
            // The handler asks for a disconnect: a stream begins, so that the client gets an event id and can
            // reconnect.
            Poll::Pending if may_hang_up && outgoing.is_disconnect_requested() => Poll::Ready(Some((Vec::new(), None))),
            // Silence begins a stream, too, because proxies close connections on which no data arrives.
            Poll::Pending if accepted.events => {
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(keep_alive)));
                timer.as_mut().poll(task).map(|()| Some((Vec::new(), None)))
            }
            taken => taken,
        });
        let Some((frames, ending)) = taken.await else {
            return owner.cancelled_response(id.as_deref());
        };
        if !accepted.events {
            return wait_for_last_frame(&outgoing, frames, ending, id.as_deref(), &owner).await;
        }
        if let Some(outcome) = ending.filter(|_| split_frames(&frames).nth(1).is_none() && !is_subscription) {
            return owner.last_frames_response(frames, accepted, outcome, id.as_deref());
        }
        let is_due = frames.is_empty();
        let stream = match owner {
            ResponseOwner::Legacy(session) => {
                unread.0 = None;
                let reader = session.open_request_stream(id.as_deref(), outgoing, &frames, ending).read(0);
                EventStream::for_session(reader, session.mark_in_use(), keep_alive, Some(permit))
            }
            ResponseOwner::Modern(request) if is_subscription => {
                let Some(stream) = shared.open_stream(peer) else {
                    return unavailable("Unavailable: too many streams are open; try again later");
                };
                shared.subscriptions.register(&request.0);
                if shared.stopping.load(Ordering::Acquire) {
                    shared.subscriptions.end_all();
                }
                EventStream::for_request(&frames, request, keep_alive, Some(stream))
            }
            ResponseOwner::Modern(request) | ResponseOwner::Sessionless(request) => {
                EventStream::for_request(&frames, request, keep_alive, Some(permit))
            }
        };
        event_stream(if is_due { stream.with_keep_alive_due() } else { stream })
    }
}

/// Waits for the response and returns it alone, for a client that does not accept streams.
async fn wait_for_last_frame(
    outgoing: &StreamQueue,
    mut frames: Vec<u8>,
    mut ending: Option<Outcome>,
    id: Option<&str>,
    owner: &ResponseOwner,
) -> HttpResponse {
    loop {
        if let Some(outcome) = ending {
            let accepted = AcceptedTypes { json: true, events: false };
            return owner.last_frames_response(frames, accepted, outcome, id);
        }
        match poll_fn(|task| outgoing.poll_take(task)).await {
            Some(taken) => (frames, ending) = taken,
            None => return owner.cancelled_response(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn a_version_may_be_surrounded_by_blanks() {
        let of = |values: &[&'static str]| {
            let name = HeaderName::from_static("mcp-protocol-version");
            let pairs = values.iter().map(|value| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
            parse_version(&head::read_headers(&HeaderMap::from_iter(pairs)).1)
        };
        assert_eq!(of(&[]), VersionHeader::Absent);
        for legacy in ["2025-11-25", "\t2025-11-25 ", "2025-11-25\u{a0}"] {
            assert_eq!(of(&[legacy]), VersionHeader::Legacy(Revision::V2025_11_25), "{legacy:?}");
        }
        assert_eq!((of(&["2026-07-28"]), of(&[" 2026-07-28"])), (VersionHeader::Modern, VersionHeader::Modern));
        for unknown in ["", "2025-11-2", "2025-11-255", "grün"] {
            assert_eq!(of(&[unknown]), VersionHeader::Unknown, "{unknown:?}");
        }
        assert_eq!(of(&["2025-11-25", "2025-11-25"]), VersionHeader::Unknown);
    }
}
