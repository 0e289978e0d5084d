//! Streams of server-sent events.
//!
//! A stream takes frames from an outbox when the client has room for them; there is no task and no channel for it.
//! The stream of a modern request is all that is left of the request: when it is dropped, the call is cancelled. The
//! stream of a session's request only reads: the call goes on, what it sends is kept within bounds, and another
//! stream may read on after the last event that arrived.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::{Instant, Sleep};

use super::counted::{Counted, CountedFor};
#[cfg(feature = "legacy-sse")]
use super::legacy_sse::EndSession;
use crate::engine::Connection;
use crate::outbox::Outbox;
use crate::protocol::Revision;

/// The most bytes of one stream's past events that are kept.
const MAX_HISTORY: usize = 256 << 10;
/// The same of all streams of a server.
const MAX_HISTORIES: usize = 64 << 20;
/// When to come back after a connection was lost, in milliseconds.
const RETRY: u32 = 3_000;

/// What happens when a stream or a waiting request is dropped.
pub(super) struct CancelOnDrop(pub(super) Arc<Connection>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel_all();
        self.0.outbox().close();
    }
}

/// What an open stream counts as, as long as it lives.
// Dropping it is what counts.
#[allow(dead_code)]
pub(super) enum OpenStream {
    /// The message that it answers.
    Message(Counted),
    /// The same where the call goes on without the stream, and counts until both are over.
    Call(Arc<Counted>),
    /// One that waits for no answer, and whose it is.
    Listening(Counted, Option<CountedFor<Box<str>>>),
}

/// The body of a response that is a stream.
pub(super) struct EventStream {
    /// What is sent first, together with the head.
    first: Option<Bytes>,
    source: Source,
    keep_alive: Duration,
    /// Made when there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    _counted: Option<OpenStream>,
}

enum Source {
    /// There is no more than what is sent first.
    Ended,
    Request(CancelOnDrop),
    Session(Reader),
    /// The same where the session ends with its stream.
    #[cfg(feature = "legacy-sse")]
    WholeSession {
        reader: Reader,
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
    pub(super) fn of_frames(frames: &[u8]) -> EventStream {
        EventStream::new(Some(events(frames)), Source::Ended, Duration::MAX, None)
    }

    /// The stream of a modern request, which begins with `frames`.
    pub(super) fn of_request(
        frames: &[u8],
        request: CancelOnDrop,
        keep_alive: Duration,
        counted: Option<OpenStream>,
    ) -> EventStream {
        let first = Some(frames).filter(|frames| !frames.is_empty()).map(events);
        EventStream::new(first, Source::Request(request), keep_alive, counted)
    }

    pub(super) fn of_session(reader: Reader, keep_alive: Duration, counted: Option<OpenStream>) -> EventStream {
        EventStream::new(None, Source::Session(reader), keep_alive, counted)
    }

    /// The one stream of a session, which begins with an event of its own.
    #[cfg(feature = "legacy-sse")]
    pub(super) fn of_whole_session(
        first: String,
        reader: Reader,
        end: EndSession,
        keep_alive: Duration,
        counted: OpenStream,
    ) -> EventStream {
        EventStream::new(Some(first.into()), Source::WholeSession { reader, _end: end }, keep_alive, Some(counted))
    }

    fn new(first: Option<Bytes>, source: Source, keep_alive: Duration, counted: Option<OpenStream>) -> EventStream {
        EventStream { first, source, keep_alive, timer: None, _counted: counted }
    }

    /// Makes a keep-alive due at once: it goes out with the head, unless something else does.
    pub(super) fn with_keep_alive_due(mut self) -> EventStream {
        self.timer = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
        self
    }

    /// Returns whether it carries the answer to a session's request, which is owed even if the client says nothing
    /// more.
    pub(super) fn outlives_input(&self) -> bool {
        matches!(&self.source, Source::Session(reader) if reader.channel.is_of_request())
    }

    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        let next = match &mut self.source {
            Source::Ended => Poll::Ready(None),
            Source::Request(request) => match request.0.outbox().poll_take(task) {
                Poll::Ready(Some((frames, is_last))) => {
                    if is_last {
                        self.source = Source::Ended;
                    }
                    Poll::Ready(Some(events(&frames)))
                }
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            },
            Source::Session(reader) => reader.poll_next(task),
            #[cfg(feature = "legacy-sse")]
            Source::WholeSession { reader, .. } => reader.poll_next(task),
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

/// Frames, one a line, as events.
fn events(frames: &[u8]) -> Bytes {
    let mut events = Vec::with_capacity(frames.len() + 16);
    for frame in lines(frames) {
        events.extend_from_slice(b"data: ");
        events.extend_from_slice(frame);
        events.extend_from_slice(b"\n\n");
    }
    events.into()
}

pub(super) fn lines(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    frames.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}

/// The id of the stream of what belongs to no request.
pub(super) const OWN: u64 = 0;

/// How many bytes of past events a server keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Histories(Arc<AtomicUsize>);

/// A stream of a session: what its readers, one after the other, are given.
#[derive(Debug)]
pub(super) struct Channel {
    /// Unique in its session; the first part of each event's id.
    pub(super) id: u64,
    outbox: Arc<Outbox>,
    resumption: Resumption,
    histories: Histories,
    state: Mutex<ChannelState>,
}

/// Whether a client that has lost a stream can read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumption {
    /// The session is lost with its stream.
    #[cfg(feature = "legacy-sse")]
    Never,
    /// Who thinks of it can.
    Possible,
    /// Its first event says so.
    Announced,
}

impl Resumption {
    /// What a stream of Streamable HTTP offers a client of that revision.
    pub(super) fn of(revision: Revision) -> Resumption {
        // Clients before 2025-11-25 take an event without data for a broken message.
        if revision >= Revision::V2025_11_25 { Resumption::Announced } else { Resumption::Possible }
    }

    /// Whether events have ids, and are kept for somebody who comes back.
    fn is_possible(self) -> bool {
        matches!(self, Resumption::Possible | Resumption::Announced)
    }
}

#[derive(Debug, Default)]
struct ChannelState {
    /// The number of the last event.
    last: u64,
    history: VecDeque<(u64, Bytes)>,
    history_bytes: usize,
    finished: bool,
    /// Changes with each new reader: there is one at a time.
    reader: u64,
    /// How many readers are there, of which all but the newest are about to end.
    readers: usize,
}

impl Channel {
    pub(super) fn new(id: u64, outbox: Arc<Outbox>, resumption: Resumption, histories: &Histories) -> Arc<Channel> {
        Arc::new(Channel { id, outbox, resumption, histories: histories.clone(), state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, ChannelState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds frames that were taken from the outbox already.
    pub(super) fn add(&self, frames: &[u8], is_last: bool) {
        self.add_to(&mut self.lock(), frames, is_last);
    }

    fn add_to(&self, state: &mut ChannelState, frames: &[u8], is_last: bool) {
        for frame in lines(frames) {
            state.last += 1;
            let mut event = match self.resumption.is_possible() {
                true => format!("id: {}\ndata: ", event_id(self.id, state.last)).into_bytes(),
                false => b"data: ".to_vec(),
            };
            event.extend_from_slice(frame);
            event.extend_from_slice(b"\n\n");
            state.history_bytes += event.len();
            self.histories.0.fetch_add(event.len(), Ordering::Relaxed);
            state.history.push_back((state.last, event.into()));
        }
        state.finished |= is_last;
    }

    /// Forgets what is too old to be kept, as far as it was given to a reader.
    fn trim(&self, state: &mut ChannelState, given: u64) {
        while let Some((number, event)) = state.history.front() {
            let too_much = state.history_bytes > MAX_HISTORY
                || self.histories.0.load(Ordering::Relaxed) > MAX_HISTORIES
                || !self.resumption.is_possible();
            if *number > given || !too_much {
                return;
            }
            let length = event.len();
            state.history.pop_front();
            state.history_bytes -= length;
            self.histories.0.fetch_sub(length, Ordering::Relaxed);
        }
    }

    /// Returns whether it carries the answer to a request.
    fn is_of_request(&self) -> bool {
        self.id != OWN
    }

    /// How many bytes are kept.
    pub(super) fn kept(&self) -> usize {
        self.lock().history_bytes
    }

    pub(super) fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// The number of the last event that was given to a reader.
    pub(super) fn latest(&self) -> u64 {
        self.lock().last
    }

    /// Whether a client reads it now.
    pub(super) fn is_read(&self) -> bool {
        self.lock().readers > 0
    }

    /// Ends the stream for whoever reads it.
    pub(super) fn close(&self) {
        self.lock().finished = true;
        self.outbox.close();
    }

    /// A reader of what follows the event of that number. Who has read so far ends.
    pub(super) fn read(self: &Arc<Self>, after: u64) -> Reader {
        let mut state = self.lock();
        if state.reader > 0 {
            // Who was asked to go is gone already.
            self.outbox.take_hang_up();
        }
        state.reader += 1;
        state.readers += 1;
        let is_primed = self.resumption != Resumption::Announced;
        let reader = Reader { channel: Arc::clone(self), number: state.reader, after, is_primed, has_hung_up: false };
        drop(state);
        // The one before looks again, and finds that it is no longer wanted.
        self.outbox.wake_reader();
        reader
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.histories.0.fetch_sub(state.history_bytes, Ordering::Relaxed);
    }
}

/// One who reads a [`Channel`].
pub(super) struct Reader {
    channel: Arc<Channel>,
    number: u64,
    /// The last event that was given.
    after: u64,
    is_primed: bool,
    /// Whether it gives no more, though there may be more.
    has_hung_up: bool,
}

impl Reader {
    fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let channel = &self.channel;
        let mut state = channel.lock();
        if state.reader != self.number || self.has_hung_up {
            return Poll::Ready(None);
        }
        let mut events = Vec::new();
        if !std::mem::replace(&mut self.is_primed, true) {
            // So the client has an id to come back with even if it loses the stream now.
            events.extend_from_slice(
                format!("id: {}\nretry: {RETRY}\ndata:\n\n", event_id(channel.id, self.after)).as_bytes(),
            );
        }
        let mut poll_outbox = || match channel.outbox.poll_take(task) {
            Poll::Ready(Some((frames, is_last))) => {
                channel.add_to(&mut state, &frames, is_last);
                true
            }
            Poll::Ready(None) => {
                state.finished = true;
                true
            }
            Poll::Pending => false,
        };
        let is_awake = poll_outbox();
        for (number, event) in &state.history {
            if *number > self.after {
                events.extend_from_slice(event);
                self.after = *number;
            }
        }
        channel.trim(&mut state, self.after);
        self.has_hung_up = channel.outbox.take_hang_up();
        match (events.is_empty(), state.finished || self.has_hung_up) {
            (false, _) => Poll::Ready(Some(events.into())),
            (true, true) => Poll::Ready(None),
            (true, false) => {
                if is_awake {
                    task.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.channel.lock().readers -= 1;
    }
}

fn event_id(stream: u64, number: u64) -> String {
    format!("{stream:x}_{number:x}")
}

/// The stream and the number that an event's id names.
pub(super) fn parse_event_id(id: &[u8]) -> Option<(u64, u64)> {
    let (stream, number) = std::str::from_utf8(id).ok()?.split_once('_')?;
    Some((u64::from_str_radix(stream, 16).ok()?, u64::from_str_radix(number, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn next(reader: &mut Reader) -> Option<String> {
        match reader.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(bytes)) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Poll::Ready(None) => Some("end".into()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_lost_stream_is_read_on_from_where_it_broke() {
        let outbox = Outbox::for_exchange();
        let channel = Channel::new(10, Arc::clone(&outbox), Resumption::Announced, &Histories::default());
        let mut first = channel.read(0);
        assert_eq!(next(&mut first).unwrap(), "id: a_0\nretry: 3000\ndata:\n\n");
        assert_eq!(next(&mut first), None);
        outbox.push(b"1\n2\n");
        assert_eq!(next(&mut first).unwrap(), "id: a_1\ndata: 1\n\nid: a_2\ndata: 2\n\n");
        drop(first);
        outbox.push_last(b"3\n".to_vec());
        let mut again = channel.read(parse_event_id(b"a_1").unwrap().1);
        let text = next(&mut again).unwrap();
        assert!(text.ends_with("id: a_2\ndata: 2\n\nid: a_3\ndata: 3\n\n"), "{text}");
        assert_eq!(next(&mut again).unwrap(), "end");
        let mut newest = channel.read(3);
        assert_eq!(next(&mut again).unwrap(), "end", "there is one reader at a time");
        next(&mut newest).unwrap();
        assert_eq!(next(&mut newest).unwrap(), "end");
    }

    #[test]
    fn a_reader_that_is_sent_away_can_come_back() {
        let outbox = Outbox::for_exchange();
        let channel = Channel::new(1, Arc::clone(&outbox), Resumption::Announced, &Histories::default());
        outbox.hang_up();
        let mut first = channel.read(0);
        assert_eq!(next(&mut first).unwrap(), "id: 1_0\nretry: 3000\ndata:\n\n");
        outbox.push(b"1\n");
        assert_eq!(next(&mut first).unwrap(), "end", "what comes later is for later");
        drop(first);
        // Who is away already is not sent away when he comes back.
        outbox.hang_up();
        let mut second = channel.read(0);
        assert!(next(&mut second).unwrap().ends_with("id: 1_1\ndata: 1\n\n"));
        assert_eq!(next(&mut second), None);
        outbox.hang_up();
        assert_eq!(next(&mut second).unwrap(), "end");
        outbox.push_last(b"2\n".to_vec());
        let mut third = channel.read(1);
        assert!(next(&mut third).unwrap().ends_with("id: 1_2\ndata: 2\n\n"));
        assert_eq!(next(&mut third).unwrap(), "end");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let outbox = Outbox::for_exchange();
        let histories = Histories::default();
        let channel = Channel::new(0, Arc::clone(&outbox), Resumption::Possible, &histories);
        let mut reader = channel.read(0);
        for _ in 0..100 {
            outbox.push(&[&vec![b'x'; 10_000][..], b"\n"].concat());
            assert!(next(&mut reader).is_some());
        }
        assert!(channel.kept() <= MAX_HISTORY, "{}", channel.kept());
        assert_eq!(histories.0.load(Ordering::Relaxed), channel.kept());
        drop((reader, channel));
        assert_eq!(histories.0.load(Ordering::Relaxed), 0);
    }
}
