//! Streams of server-sent events.
//!
//! A stream takes frames from an outbox when the client has room for them; there is no task and no channel for it.
//! The stream of a modern request is all that is left of the request: when it is dropped, the call is cancelled. The
//! stream of a session's request only reads: the call goes on, what it sends is kept within bounds, and another
//! stream may read on after the last event that arrived.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::{Instant, Sleep};

#[cfg(feature = "legacy-sse")]
use super::super::stream_session::EndSession;
use crate::engine::Connection;
use crate::transport::http::limits::{GlobalPermit, MessagePermit, PeerPermit};
use crate::transport::http::peer::Peer;
use crate::transport::http::response::backlog::Meter;
use crate::transport::http::response::event::{encode_events, replace_response};
use crate::transport::http::response::replay::ReplayReader;
use crate::transport::http::sessions::SessionUse;

/// What happens when a stream or a waiting request is dropped.
pub(crate) struct CancelOnDrop(pub(crate) Arc<Connection>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel_all();
        self.0.outgoing().close();
    }
}

/// What an open stream counts as, as long as it lives.
// Dropping it is what counts.
#[allow(dead_code)]
pub(crate) enum StreamPermit {
    /// The message that it answers.
    Message(MessagePermit),
    /// The same where the call goes on without the stream, and counts until both are over.
    Call(Arc<MessagePermit>),
    /// One that waits for no answer, and whose it is.
    Listening(GlobalPermit, Option<PeerPermit<Peer>>),
}

/// The body of a response that is a stream.
pub(crate) struct EventStream {
    /// What is sent first, together with the head.
    first: Option<Bytes>,
    source: EventSource,
    keep_alive: Duration,
    /// Made when there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Counts what the client has not read.
    meter: Option<Meter>,
    _permit: Option<StreamPermit>,
}

enum EventSource {
    /// There is no more than what is sent first.
    Ended,
    Request(CancelOnDrop),
    Session {
        reader: ReplayReader,
        _in_use: SessionUse,
    },
    /// The same where the session ends with its stream.
    #[cfg(feature = "legacy-sse")]
    WholeSession {
        reader: ReplayReader,
        _in_use: SessionUse,
        _end: EndSession,
    },
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    /// A stream of frames that are all there.
    pub(crate) fn from_frames(frames: &[u8]) -> EventStream {
        EventStream::new(Some(encode_events(frames)), EventSource::Ended, Duration::MAX, None)
    }

    /// The stream of a modern request, which begins with `frames`.
    pub(crate) fn for_request(
        frames: &[u8],
        request: CancelOnDrop,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        let first = Some(frames).filter(|frames| !frames.is_empty()).map(encode_events);
        EventStream::new(first, EventSource::Request(request), keep_alive, permit)
    }

    /// A stream of a session, which is in use as long as the stream is open.
    pub(crate) fn for_session(
        reader: ReplayReader,
        in_use: SessionUse,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        EventStream::new(None, EventSource::Session { reader, _in_use: in_use }, keep_alive, permit)
    }

    /// The one stream of a session, which begins with an event of its own.
    #[cfg(feature = "legacy-sse")]
    pub(crate) fn for_whole_session(
        first: String,
        (reader, in_use): (ReplayReader, SessionUse),
        end: EndSession,
        keep_alive: Duration,
        permit: StreamPermit,
    ) -> EventStream {
        let source = EventSource::WholeSession { reader, _in_use: in_use, _end: end };
        EventStream::new(Some(first.into()), source, keep_alive, Some(permit))
    }

    fn new(
        first: Option<Bytes>,
        source: EventSource,
        keep_alive: Duration,
        permit: Option<StreamPermit>,
    ) -> EventStream {
        EventStream { first, source, keep_alive, timer: None, meter: None, _permit: permit }
    }

    /// Counts its bytes until they are written. Beyond the limit, the response to a request becomes an error, and the
    /// stream of a session ends; then it can be read on.
    pub(crate) fn count_unread(&mut self, meter: Meter) {
        self.meter = Some(meter);
    }

    /// Makes a keep-alive due at once: it goes out with the head, unless something else does.
    pub(crate) fn with_keep_alive_due(mut self) -> EventStream {
        self.timer = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
        self
    }

    /// Returns whether it carries the answer to a session's request, which is owed even if the client says nothing
    /// more.
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
            (Err(bytes), EventSource::Ended | EventSource::Request(_)) => Poll::Ready(Some(replace_response(bytes))),
            (Err(bytes), _) => {
                self.source = EventSource::Ended;
                // The id that the client comes back with is sent in any case.
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
            EventSource::Request(request) => match request.0.outgoing().poll_take(task) {
                Poll::Ready(Some((frames, is_last))) => {
                    if is_last {
                        self.source = EventSource::Ended;
                    }
                    Poll::Ready(Some(encode_events(&frames)))
                }
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            },
            EventSource::Session { reader, .. } => reader.poll_next(task),
            #[cfg(feature = "legacy-sse")]
            EventSource::WholeSession { reader, .. } => reader.poll_next(task),
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
