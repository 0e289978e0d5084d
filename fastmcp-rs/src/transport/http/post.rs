//! One message of a POST: its era, and what becomes of it.
//!
//! The era is read from the body, with the version header as a cross-check. A modern request is a connection of its
//! own, which is gone with its response; a legacy one belongs to a session. The form of an answer is chosen late: it
//! is JSON unless something else comes first, or nothing at all for as long as a keep-alive is due.

use std::cell::{Cell, OnceCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Sleep;

use super::config::SessionMode;
use super::limits::Permit;
use super::peer::Peer;
use super::request::head::{self, Found, Head, Kept, SESSION_ID};
use super::request::header_values::Accepted;
use super::response::body::ResponseBody;
use super::response::event::lines;
use super::response::sse::{CancelOnDrop, EventStream, OpenStream};
use super::response::status::{
    Answer, batch_refused, event_stream, legacy_status, modern_only, modern_status, ready, refuse, respond,
    session_ended, session_missing, too_many_messages, too_many_sessions, unavailable, whole,
};
use super::sessions::{Ending, Lease, Requester};
use super::shared::Shared;
use crate::auth::principal::Principal;
use crate::engine::{
    Carrier, Client, Connection, Exchange, Headers, Retained, Server, batch_length, is_complete_envelope,
};
use crate::json::object::text;
use crate::outgoing::queue::Outbox;
use crate::protocol::Revision;
use crate::protocol::frame::{Frame, Malformed};
use crate::protocol::id::Id;
use crate::registry::Registry;

/// An answer up to this size is written without making room again and again.
const USUAL_ANSWER: usize = 512;

/// What the version header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Absent,
    Legacy(Revision),
    Modern,
    Unknown,
}

pub(crate) fn version_of(head: &Head<'_>) -> Version {
    let value = match head.found(Kept::Version) {
        Found::Absent => return Version::Absent,
        Found::Twice => return Version::Unknown,
        Found::Once(value) => value,
    };
    // Nearly always it is a name and nothing else: then there is no text that must be valid, nor anything to trim.
    let exactly = Revision::ALL.iter().copied().find(|revision| revision.as_str().as_bytes() == value.as_bytes());
    let revision = exactly.or_else(|| Revision::parse(std::str::from_utf8(value.as_bytes()).ok()?.trim()));
    match revision {
        Some(revision) if revision.is_modern() => Version::Modern,
        Some(revision) => Version::Legacy(revision),
        None => Version::Unknown,
    }
}

/// Returns whether a request belongs to a session, by its head. Nothing that claims to be modern is served as anything
/// else.
pub(crate) fn is_of_session(parts: &Parts, mode: SessionMode) -> bool {
    let head = head::read(&parts.headers).1;
    mode == SessionMode::Sessions
        && parts.method == Method::POST
        && head.session_id().is_some()
        && matches!(version_of(&head), Version::Absent | Version::Legacy(_))
}

/// One message, and what came with it.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) registry: &'a Arc<Registry>,
    pub(crate) head: &'a Head<'a>,
    /// The path of the request.
    pub(crate) path: &'a str,
    pub(crate) version: http::Version,
    /// Where it comes from, if the server around the service says so.
    pub(crate) client: Client,
    pub(crate) caller: Option<Arc<Principal>>,
    /// The peer that it counts against, if it has a share.
    pub(crate) peer: Option<&'a Peer>,
    /// The room of a large message, which its calls keep.
    pub(crate) room: Option<Retained>,
    /// What it counts as while it is served.
    pub(crate) permit: &'a mut Permit,
}

/// What became of a message at once.
pub(crate) enum Begun {
    Over(Answer),
    Waiting(Box<Waiting>),
}

/// A message whose answer is still to come.
pub(crate) struct Waiting {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) whose: Whose,
    /// The id of the request, as JSON text.
    pub(crate) id: Option<Box<str>>,
    /// Whether it is answered by a stream in any case.
    pub(crate) listens: bool,
    /// The peer that it counts against.
    pub(crate) peer: Option<Peer>,
}

pub(crate) enum Whose {
    Modern(CancelOnDrop),
    Legacy(Lease),
    /// A legacy request without a session, which is cancelled with its response like a modern one.
    Sessionless(CancelOnDrop),
}

impl Call<'_> {
    /// Finds out whose message it is, and gives it to its connection.
    pub(crate) fn begin(self, message: &str) -> Begun {
        let frame = match Frame::parse(message) {
            Ok(frame) => frame,
            Err(malformed) => return self.no_frame(message, &malformed),
        };
        let version = version_of(self.head);
        let has_envelope = frame.meta().is_some_and(|meta| meta.protocol_version.is_some());
        let is_modern = has_envelope || matches!(version, Version::Modern | Version::Unknown);
        match (frame.method.is_some(), frame.id.is_some()) {
            (true, true) if has_envelope => self.modern_request(message, &frame),
            // A client that falls back to a handshake may still send the header of what it tried before.
            (true, true) if is_handshake(&frame) => Begun::Over(self.initialize(message, &frame)),
            (true, true) if is_modern => self.bare_request(&frame),
            (true, true) => self.legacy_message(message, Some(&frame), version),
            (true, false) if is_modern => self.modern_notification(&frame, version),
            (false, _) if is_modern => Begun::Over(refuse(
                StatusCode::BAD_REQUEST,
                "Invalid request: a modern client sends no responses; it repeats its request with the answers",
            )),
            (true, false) | (false, _) => self.legacy_message(message, Some(&frame), version),
        }
    }

    /// A batch, or what cannot be read at all.
    fn no_frame(self, message: &str, malformed: &Malformed) -> Begun {
        let version = version_of(self.head);
        if *malformed == Malformed::Batch && matches!(version, Version::Absent | Version::Legacy(_)) {
            return self.legacy_message(message, None, version);
        }
        Begun::Over(no_message(&self.shared.server, self.registry, message))
    }

    fn requester(&self) -> Requester<'_> {
        Requester { principal: self.caller.as_ref(), peer: self.peer, path: self.path }
    }

    /// The exchange of a message whose connection is that of a session or its own.
    fn exchange(&self, is_of_session: bool, is_modern: bool) -> Exchange<'_> {
        let outbox = is_of_session.then(OnceCell::new);
        let headers = is_modern.then_some(self.head as &dyn Headers);
        let carrier = carrier(self.head, self.version, self.client);
        Exchange {
            outbox,
            headers,
            carrier,
            takes_requests: self.head.accepted.events,
            retained: self.room.clone(),
            refuses_strays: true,
            pending: Cell::new(false),
        }
    }

    /// A request that claims to be modern by its header alone.
    fn bare_request(self, frame: &Frame<'_>) -> Begun {
        let mut out = Vec::new();
        Connection::for_exchange(&self.shared.server, None).refuse_bare_request(frame, &mut out);
        Begun::Over(whole(StatusCode::BAD_REQUEST, out))
    }

    fn modern_request(self, message: &str, frame: &Frame<'_>) -> Begun {
        let connection = Connection::for_exchange(&self.shared.server, self.caller.clone());
        let mut out = Vec::with_capacity(USUAL_ANSWER);
        let exchange = self.exchange(false, true);
        connection.exchange(self.registry, message, frame, &exchange, &mut out);
        let pending = exchange.pending.get();
        let listens = || frame.method.and_then(text).is_some_and(|method| method == "subscriptions/listen");
        if out.is_empty() && (pending || listens()) {
            return Begun::Waiting(Box::new(Waiting {
                outbox: Arc::clone(connection.outbox()),
                whose: Whose::Modern(CancelOnDrop(connection)),
                id: frame.id.map(|id| id.get().into()),
                listens: listens(),
                peer: self.peer.cloned(),
            }));
        }
        let id = frame.id.map(|id| id.get());
        Begun::Over(ready(out, self.head.accepted, |answer| modern_status(answer, id, || is_complete_envelope(frame))))
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
        if !connection.accepts_notification(&method, &self.exchange(false, true), &mut out) {
            return Begun::Over(whole(StatusCode::BAD_REQUEST, out));
        }
        Begun::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()))
    }

    /// A handshake, which opens a session.
    fn initialize(self, message: &str, frame: &Frame<'_>) -> Answer {
        let sessions = self.shared.config.sessions;
        let connection = match sessions {
            SessionMode::Sessions => Connection::for_session(&self.shared.server, self.caller.clone()),
            SessionMode::Sessionless => Connection::for_exchange(&self.shared.server, self.caller.clone()),
            SessionMode::Refused => return modern_only(frame),
        };
        let mut out = Vec::new();
        connection.exchange(self.registry, message, frame, &self.exchange(true, false), &mut out);
        let mut answer = ready(out, self.head.accepted, |_| StatusCode::OK);
        // Only a handshake that succeeded is worth remembering.
        if let (Some(revision), SessionMode::Sessions) = (connection.session_revision(), sessions) {
            let Some(session) = self.shared.sessions.begin(connection, revision, &self.requester()) else {
                return too_many_sessions();
            };
            if let Some(id) = frame.id {
                session.note_request(id);
            }
            // An id consists of visible ASCII, so this does not fail.
            if let Ok(mut id) = HeaderValue::from_str(session.id()) {
                // Middleware that logs headers leaves sensitive ones out.
                id.set_sensitive(true);
                answer.headers_mut().insert(HeaderName::from_static(SESSION_ID), id);
            }
        }
        answer
    }

    /// A message of a session, or one without: `frame` is `None` for a batch.
    fn legacy_message(self, message: &str, frame: Option<&Frame<'_>>, version: Version) -> Begun {
        let session = match (self.shared.config.sessions, self.head.session_id()) {
            (SessionMode::Refused, _) => return Begun::Over(frame.map_or_else(batch_refused, modern_only)),
            (SessionMode::Sessionless, _) => None,
            (_, None) => return Begun::Over(session_missing()),
            (_, Some(id)) => match self.shared.session(id, &self.requester()) {
                Ok(session) => Some(session),
                Err(answer) => return Begun::Over(*answer),
            },
        };
        if frame.is_none() {
            let messages = batch_length(message);
            if let Err(exhausted) = self.shared.permits.extend(self.peer, self.permit, messages) {
                return Begun::Over(too_many_messages(exhausted));
            }
        }
        let (connection, whose) = match session {
            Some(session) => {
                if matches!(version, Version::Legacy(revision) if revision != session.revision) {
                    return Begun::Over(refuse(
                        StatusCode::BAD_REQUEST,
                        "Invalid request: `MCP-Protocol-Version` is not the version that this session agreed on",
                    ));
                }
                match frame {
                    Some(frame) if frame.method.is_none() => {}
                    Some(Frame { id: Some(id), .. }) => session.note_request(*id),
                    Some(frame) => {
                        if cancelled(frame).is_some_and(|id| !session.may_have_seen(id)) {
                            return Begun::Over(refuse(
                                StatusCode::BAD_REQUEST,
                                "Invalid request: this process has received no request with the id that is to be cancelled",
                            ));
                        }
                    }
                    None => session.note_batch(),
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
        let exchange = self.exchange(matches!(whose, Whose::Legacy(_)), false);
        let mut out = Vec::with_capacity(USUAL_ANSWER);
        match frame {
            Some(frame) => connection.exchange(self.registry, message, frame, &exchange, &mut out),
            None => connection.exchange_text(self.registry, message, &exchange, &mut out),
        }
        let id = frame.and_then(|frame| frame.id).map(|id| id.get());
        if let Some(ending) = whose.ending() {
            // The session has ended meanwhile, and what has begun since then ends with it.
            connection.cancel_all();
            let is_request = frame.is_none_or(|frame| frame.method.is_some() && frame.id.is_some());
            if is_request && out.is_empty() && !exchange.pending.get() {
                return Begun::Over(session_ended(ending, id));
            }
        }
        if exchange.pending.get() {
            let (outbox, id) = (Arc::clone(exchange.outbox(&connection)), id.map(Into::into));
            return Begun::Waiting(Box::new(Waiting { outbox, whose, id, listens: false, peer: self.peer.cloned() }));
        }
        if out.is_empty() {
            return Begun::Over(respond(StatusCode::ACCEPTED, ResponseBody::empty()));
        }
        Begun::Over(ready(out, self.head.accepted, |answer| legacy_status(answer, id)))
    }
}

/// Returns the id of the request that a notification cancels, if it is a cancellation.
fn cancelled<'a>(frame: &Frame<'a>) -> Option<Id<'a>> {
    let is_cancellation = frame.method.and_then(text).is_some_and(|method| method == "notifications/cancelled");
    frame.params().filter(|_| is_cancellation)?.request_id.and_then(Id::parse)
}

/// Returns whether a request without an envelope asks for a session.
fn is_handshake(frame: &Frame<'_>) -> bool {
    frame.method.and_then(text).is_some_and(|method| method == "initialize")
}

impl Whose {
    /// Why the session of the message has ended, if it has one that has.
    fn ending(&self) -> Option<Ending> {
        match self {
            Whose::Legacy(session) => session.ending(),
            Whose::Modern(_) | Whose::Sessionless(_) => None,
        }
    }

    /// The answer to a request that was cancelled: none if that was its client, whom nothing is owed.
    fn cancelled(&self, id: Option<&str>) -> Answer {
        match self.ending() {
            Some(ending) => session_ended(ending, id),
            None => respond(StatusCode::ACCEPTED, ResponseBody::empty()),
        }
    }
}

/// Lets a session's call run on without a stream if its request is dropped before there is one.
struct AbandonOnDrop(Option<Arc<Outbox>>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        if let Some(outbox) = &self.0 {
            outbox.abandon();
        }
    }
}

/// What is known of a message besides its text.
pub(crate) fn carrier<'a>(head: &'a Head<'a>, version: http::Version, client: Client) -> Carrier<'a> {
    let http_version = match version {
        http::Version::HTTP_10 => Some("1.0"),
        http::Version::HTTP_11 => Some("1.1"),
        http::Version::HTTP_2 => Some("2"),
        _ => None,
    };
    Carrier { headers: Some(head), http_version, client }
}

/// Refuses a text that is no message, and says why.
pub(crate) fn no_message(server: &Arc<Server>, registry: &Arc<Registry>, text: &str) -> Answer {
    let connection = Connection::for_exchange(server, None);
    let carrier = Carrier::default();
    let exchange = Exchange {
        outbox: None,
        headers: None,
        carrier,
        takes_requests: false,
        retained: None,
        refuses_strays: false,
        pending: Cell::new(false),
    };
    let mut out = Vec::new();
    connection.exchange_text(registry, text, &exchange, &mut out);
    whole(StatusCode::BAD_REQUEST, out)
}

impl Waiting {
    /// Waits for what comes first, and chooses the form of the answer by it.
    pub(crate) async fn answer(self, shared: &Arc<Shared>, accepted: Accepted, counted: Permit) -> Answer {
        let Waiting { outbox, whose, id, listens, peer } = self;
        if listens && !accepted.events {
            let message = "Not acceptable: a subscription is a stream, so `Accept` must name text/event-stream";
            return refuse(StatusCode::NOT_ACCEPTABLE, message);
        }
        let is_of_session = matches!(whose, Whose::Legacy(_));
        let counted = match &whose {
            Whose::Legacy(session) => {
                // The call goes on when its client is gone, so it counts until it has ended, too.
                let counted = Arc::new(counted);
                outbox.hold((Arc::clone(&counted), session.keep()));
                OpenStream::Call(counted)
            }
            Whose::Modern(_) | Whose::Sessionless(_) => OpenStream::Message(counted),
        };
        let mut unread = AbandonOnDrop(is_of_session.then(|| Arc::clone(&outbox)));
        let keep_alive = shared.config.keep_alive;
        let may_hang_up = accepted.events && is_of_session;
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        let taken = poll_fn(|task| match outbox.poll_take(task) {
            // It begins a stream, of which the client learns how to come back.
            Poll::Pending if may_hang_up && outbox.is_hung_up() => Poll::Ready(Some((Vec::new(), false))),
            // So does silence: a proxy takes a connection on which nothing comes for a dead one.
            Poll::Pending if accepted.events => {
                let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(keep_alive)));
                timer.as_mut().poll(task).map(|()| Some((Vec::new(), false)))
            }
            taken => taken,
        });
        let Some((frames, is_last)) = taken.await else {
            return whose.cancelled(id.as_deref());
        };
        let is_modern = matches!(whose, Whose::Modern(_));
        if is_last && (lines(&frames).nth(1).is_none() || !accepted.events) && !listens {
            return ready(frames, accepted, |answer| match is_modern {
                true => modern_status(answer, id.as_deref(), || true),
                false => legacy_status(answer, id.as_deref()),
            });
        }
        if !accepted.events {
            return last_frame(&outbox, frames, is_last, id.as_deref(), &whose).await;
        }
        let is_due = frames.is_empty();
        let stream = match whose {
            Whose::Legacy(session) => {
                unread.0 = None;
                let reader = session.open_channel(id.as_deref(), outbox, &frames, is_last).read(0);
                EventStream::of_session(reader, session.keep(), keep_alive, Some(counted))
            }
            Whose::Modern(request) if listens => {
                let Some(stream) = shared.open_stream(peer) else {
                    return unavailable("Unavailable: too many streams are open; try again");
                };
                shared.listeners.add(&request.0);
                if shared.stopping.load(Ordering::Acquire) {
                    shared.listeners.end();
                }
                EventStream::of_request(&frames, request, keep_alive, Some(stream))
            }
            Whose::Modern(request) | Whose::Sessionless(request) => {
                EventStream::of_request(&frames, request, keep_alive, Some(counted))
            }
        };
        event_stream(if is_due { stream.with_keep_alive_due() } else { stream })
    }
}

/// The answer alone, for a client that takes no streams.
async fn last_frame(
    outbox: &Outbox,
    mut frames: Vec<u8>,
    mut is_last: bool,
    id: Option<&str>,
    whose: &Whose,
) -> Answer {
    while !is_last {
        match poll_fn(|task| outbox.poll_take(task)).await {
            Some((more, last)) => (frames, is_last) = (more, last),
            None => return whose.cancelled(id),
        }
    }
    ready(frames, Accepted { json: true, events: false }, |answer| match matches!(whose, Whose::Modern(_)) {
        true => modern_status(answer, id, || true),
        false => legacy_status(answer, id),
    })
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
            version_of(&head::read(&HeaderMap::from_iter(pairs)).1)
        };
        assert_eq!(of(&[]), Version::Absent);
        for legacy in ["2025-11-25", "\t2025-11-25 ", "2025-11-25\u{a0}"] {
            assert_eq!(of(&[legacy]), Version::Legacy(Revision::V2025_11_25), "{legacy:?}");
        }
        assert_eq!((of(&["2026-07-28"]), of(&[" 2026-07-28"])), (Version::Modern, Version::Modern));
        for unknown in ["", "2025-11-2", "2025-11-255", "grün"] {
            assert_eq!(of(&[unknown]), Version::Unknown, "{unknown:?}");
        }
        assert_eq!(of(&["2025-11-25", "2025-11-25"]), Version::Unknown);
    }
}
