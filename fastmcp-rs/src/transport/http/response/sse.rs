//! Streams of server-sent events.
//!
//! A stream takes frames from an outgoing queue when the client has room for them, without a task or a channel of its
//! own. The stream of a modern request owns the request: dropping the stream cancels the call. The stream of a
//! session's request only reads: the call continues, its frames are stored within limits, and another stream may resume
//! after the last event that arrived.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::{Instant, Sleep};

use super::super::stream_session::EndSession;
use crate::engine::transport_api::Connection;
use crate::outgoing::stream::StreamQueue;
use crate::transport::http::limits::{GlobalPermit, MessagePermit, PeerPermit};
use crate::transport::http::peer::Peer;
use crate::transport::http::response::backlog::Meter;
use crate::transport::http::response::event::{encode_events, replace_response};
use crate::transport::http::response::replay::ReplayReader;
use crate::transport::http::sessions::SessionUse;

/// Cancels the calls of a connection when its stream or pending request is dropped.
pub(crate) struct CancelOnDrop(pub(crate) Arc<Connection>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel_all();
        self.0.outgoing().close();
    }
}

/// The permit of an open stream, held until the stream is dropped.
pub(crate) enum StreamPermit {
    /// The permit of the message that the stream answers.
    Message { _permit: MessagePermit },
    /// The same for a call that continues without its stream; it is held until both have ended.
    Call { _permit: Arc<MessagePermit> },
    /// The permit of a stream that answers no call: the global permit and that of its peer.
    Listening { _global: GlobalPermit, _of_peer: Option<PeerPermit<Peer>> },
}

/// The body of a response that is a stream of events.
pub(crate) struct EventStream {
    /// The events that are sent first, together with the head.
    first: Option<Bytes>,
    source: EventSource,
    keep_alive: Duration,
    /// The keep-alive timer, created at the first wait.
    timer: Option<Pin<Box<Sleep>>>,
    /// Counts the bytes that the client has not read.
    meter: Option<Meter>,
    _permit: Option<StreamPermit>,
}

enum EventSource {
    /// Nothing follows the first events.
    Ended,
    Request {
        outgoing: StreamQueue,
        _cancel: CancelOnDrop,
    },
    Session {
        reader: ReplayReader,
        _in_use: SessionUse,
        /// Set if the session ends with its stream.
        _end: Option<EndSession>,
    },
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    /// Creates a stream of frames that are complete.
    pub(crate) fn from_frames(frames: &[u8]) -> EventStream {
        EventStream::new(Some(encode_events(frames)), EventSource::Ended, Duration::MAX, None)
    }

    /// Creates the stream of a modern request, which begins with `frames`.
    pub(crate) fn for_request(
        frames: &[u8],
        request: CancelOnDrop,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        let first = Some(frames).filter(|frames| !frames.is_empty()).map(encode_events);
        let outgoing = StreamQueue::new(request.0.outgoing());
        EventStream::new(first, EventSource::Request { outgoing, _cancel: request }, keep_alive, permit)
    }

    /// Creates a stream of a session, which stays in use while the stream is open.
    pub(crate) fn for_session(
        reader: ReplayReader,
        in_use: SessionUse,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        EventStream::for_whole_session(None, (reader, in_use), None, keep_alive, permit)
    }

    /// Creates a stream of a session that begins with the event `first`, and ends the session when it is dropped.
    pub(crate) fn for_whole_session(
        first: Option<Bytes>,
        (reader, in_use): (ReplayReader, SessionUse),
        end: Option<EndSession>,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        EventStream::new(first, EventSource::Session { reader, _in_use: in_use, _end: end }, keep_alive, permit)
    }

    fn new(
        first: Option<Bytes>,
        source: EventSource,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        EventStream { first, source, keep_alive, timer: None, meter: None, _permit: permit }
    }

    /// Counts the bytes of the stream until they are written. Beyond the limit, the response to a request is replaced
    /// by an error, and the stream of a session ends; the client can then resume it.
    pub(crate) fn count_unread(&mut self, meter: Meter) {
        self.meter = Some(meter);
    }

    /// Makes a keep-alive due at once: it is sent with the head, unless an event is.
    pub(crate) fn with_keep_alive_due(mut self) -> EventStream {
        self.timer = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
        self
    }

    /// Returns true if the stream carries the response to a session's request, which is sent even if the client closes
    /// its side of the connection.
    pub(crate) fn outlives_input(&self) -> bool {
        matches!(&self.source, EventSource::Session { reader, .. } if reader.is_for_request())
    }

    pub(crate) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let bytes = match (self.poll_events(task), &self.meter) {
            (Poll::Ready(Some(bytes)), Some(meter)) => meter.track_bytes(bytes),
            (next, _) => return next,
        };
        match (bytes, &self.source) {
            (Ok(bytes), _) => Poll::Ready(Some(bytes)),
            (Err(bytes), EventSource::Ended | EventSource::Request { .. }) => {
                Poll::Ready(Some(replace_response(bytes)))
            }
            (Err(bytes), _) => {
                self.source = EventSource::Ended;
                // The first event, with the id for reconnection, is sent even beyond the limit.
                let first = memchr::memmem::find(&bytes, b"\n\n").map_or(0, |end| end + 2);
                let is_id = bytes[..first].ends_with(b"\ndata:\n\n");
                Poll::Ready(is_id.then(|| Bytes::copy_from_slice(&bytes[..first])))
            }
        }
    }

    fn poll_events(&mut self, task: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        let next = match &mut self.source {
            EventSource::Ended => Poll::Ready(None),
            EventSource::Request { outgoing, .. } => match outgoing.poll_take(task) {
                Poll::Ready(Some((frames, ending))) => {
                    if ending.is_some() {
                        self.source = EventSource::Ended;
                    }
                    Poll::Ready(Some(encode_events(&frames)))
                }
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            },
            EventSource::Session { reader, .. } => reader.poll_next(task),
        };
        if next.is_ready() {
            self.timer = None;
            return next;
        }
        let keep_alive = self.keep_alive;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(keep_alive)));
        if timer.as_mut().poll(task).is_pending() {
            return Poll::Pending;
        }
        timer.as_mut().reset(Instant::now() + keep_alive);
        Poll::Ready(Some(Bytes::from_static(b": keep-alive\n\n")))
    }
}
