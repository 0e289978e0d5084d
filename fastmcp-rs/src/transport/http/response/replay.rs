//! Streams of sessions that a client can resume after it has lost its connection.
//!
//! A [`ReplayStream`] belongs to one request, or is the session's own. While a client reads it, frames stay in the
//! outgoing queue until the client has room for them. While no client reads it, frames are taken out of the queue at
//! once, because a call must be able to end and stored bytes must be counted. Stored events beyond the limits are
//! dropped: notifications first, and then the oldest responses, which are replaced by errors.

mod counter;
mod reader;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use counter::ByteCounter;
use hyper::body::Bytes;
pub(crate) use reader::ReplayReader;
use tokio::time::Instant;

use super::event::split_frames;
use crate::engine::transport_api::write_error;
use crate::outgoing::queue::QueueObserver;
use crate::outgoing::stream::StreamQueue;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Feature, Outcome, Revision};
use crate::util::sync::Mutex;

/// The maximum number of bytes of notifications that are stored per stream.
const MAX_NOTIFICATIONS: usize = 256 << 10;
/// The overhead of a stream and of an event, in bytes, which counts in addition to the text.
const STREAM_COST: usize = 1 << 10;
const EVENT_COST: usize = 64;
/// The id of a session's own stream. If the session's id carries the session, the id of the stream is random instead.
pub(crate) const OWN_STREAM: u64 = 0;

/// A stream of a session, with the events for its readers. It has at most one reader at a time.
#[derive(Debug)]
pub(crate) struct ReplayStream {
    /// The id of the stream, unique in its session; the first part of each event's id.
    pub(crate) id: u64,
    /// True for the session's own stream, which carries the messages that belong to no request.
    is_own: bool,
    /// The id of the request that the stream answers, as JSON text. `None` for the session's own stream and for a
    /// batch.
    request: Option<Box<str>>,
    outgoing: StreamQueue,
    /// `None` if the session ends with its stream.
    resumption: Option<Resumption>,
    kept: Arc<ByteCounter>,
    state: Mutex<ReplayState>,
}

/// The ability of a client to resume a lost stream. Events then have ids, and are stored for a client that reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resumption {
    /// The client can resume, without an announcement.
    Possible,
    /// The client can resume, and the first event of the stream announces it.
    Announced,
}

impl Resumption {
    /// Returns the resumption of the streams of Streamable HTTP for clients of that revision.
    pub(crate) fn for_revision(revision: Revision) -> Resumption {
        // Other clients treat an event without data as a broken message.
        if revision.has(Feature::StreamPolling) { Resumption::Announced } else { Resumption::Possible }
    }
}

/// The kind of stored events to drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscardKind {
    Notifications,
    Response,
}

#[derive(Debug)]
struct ReplayState {
    /// The number of the last event.
    last: u64,
    /// The number of the last event that a reader has received.
    given: u64,
    history: VecDeque<ReplayEvent>,
    history_bytes: usize,
    /// The number of bytes that this stream has added to its counter.
    counted_bytes: usize,
    finished: bool,
    /// The number of the newest reader. There is one reader at a time.
    reader: u64,
    /// Whether the newest reader is still reading.
    is_read: bool,
    /// The time of the last event or of the departure of the last reader.
    last_change: Instant,
}

#[derive(Debug)]
struct ReplayEvent {
    number: u64,
    bytes: Bytes,
    is_response: bool,
}

impl ReplayEvent {
    fn cost(&self) -> usize {
        self.bytes.len() + EVENT_COST
    }
}

impl ReplayState {
    /// Drops the oldest notifications until `excess` bytes are free. Events that a reader has not received yet stay.
    fn drop_notifications(&mut self, excess: usize) {
        let mut freed = 0;
        while freed < excess {
            let oldest = self.history.front().filter(|event| !self.is_read || event.number <= self.given);
            let Some(cost) = oldest.filter(|event| !event.is_response).map(ReplayEvent::cost) else { return };
            self.history.pop_front();
            self.history_bytes -= cost;
            freed += cost;
        }
    }
}

impl ReplayStream {
    pub(crate) fn new(
        id: u64,
        request: Option<&str>,
        outgoing: StreamQueue,
        resumption: Resumption,
        kept: &Arc<ByteCounter>,
    ) -> Arc<ReplayStream> {
        ReplayStream::make(id, false, request, outgoing, Some(resumption), kept)
    }

    /// Creates the own stream of a session, for messages that belong to no request.
    pub(crate) fn own(
        id: u64,
        outgoing: StreamQueue,
        resumption: Option<Resumption>,
        kept: &Arc<ByteCounter>,
    ) -> Arc<ReplayStream> {
        ReplayStream::make(id, true, None, outgoing, resumption, kept)
    }

    fn make(
        id: u64,
        is_own: bool,
        request: Option<&str>,
        outgoing: StreamQueue,
        resumption: Option<Resumption>,
        kept: &Arc<ByteCounter>,
    ) -> Arc<ReplayStream> {
        let state = ReplayState {
            last: 0,
            given: 0,
            history: VecDeque::new(),
            history_bytes: 0,
            counted_bytes: 0,
            finished: false,
            reader: 0,
            is_read: false,
            last_change: Instant::now(),
        };
        let (request, kept) = (request.map(Into::into), Arc::clone(kept));
        let stream = ReplayStream { id, is_own, request, outgoing, resumption, kept, state: Mutex::new(state) };
        stream.update_counter(&mut stream.state.lock());
        Arc::new(stream)
    }

    /// Sets the observer that limits the stored bytes.
    pub(crate) fn set_observer(&self, keeper: impl QueueObserver + 'static) {
        self.outgoing.set_observer(keeper);
    }

    /// Adds frames that were already taken from the outgoing queue.
    pub(crate) fn add_frames(&self, frames: &[u8], ending: Option<Outcome>) {
        let mut state = self.state.lock();
        self.add_frames_to(&mut state, frames, ending);
        self.update_counter(&mut state);
    }

    /// Adds frames. If they are the last, `ending` is the outcome of the response, which is the last of them.
    fn add_frames_to(&self, state: &mut ReplayState, frames: &[u8], ending: Option<Outcome>) {
        for frame in split_frames(frames) {
            state.last += 1;
            let event = self.event(state.last, frame);
            state.history_bytes += event.cost();
            state.history.push_back(event);
            state.last_change = Instant::now();
        }
        let has_response = !frames.is_empty() && ending.is_some_and(Outcome::has_response);
        if let Some(event) = state.history.back_mut().filter(|_| has_response) {
            event.is_response = true;
        }
        state.finished |= ending.is_some();
    }

    fn event(&self, number: u64, frame: &[u8]) -> ReplayEvent {
        let id = self.resumption.is_some().then(|| format!("id: {}\n", event_id(self.id, number)));
        let parts: [&[u8]; 4] = [id.as_deref().unwrap_or_default().as_bytes(), b"data: ", frame, b"\n\n"];
        ReplayEvent { number, bytes: parts.concat().into(), is_response: false }
    }

    /// Applies the stream's own limit, and then updates the counter.
    fn update_counter(&self, state: &mut ReplayState) {
        let response = state.history.back().filter(|event| event.is_response).map_or(0, ReplayEvent::cost);
        let limit = if self.resumption.is_some() { MAX_NOTIFICATIONS } else { 0 };
        state.drop_notifications((state.history_bytes - response).saturating_sub(limit));
        // A session has exactly one own stream, and the number of sessions is limited.
        let own_cost = if self.is_own { 0 } else { STREAM_COST };
        // Frames that wait for an active reader are not stored for later, and cannot be dropped.
        let waiting = if state.is_read { 0 } else { self.outgoing.queued_bytes() };
        let counted_bytes = own_cost + state.history_bytes + waiting;
        self.kept.change(state.counted_bytes, counted_bytes);
        state.counted_bytes = counted_bytes;
    }

    /// Takes queued frames if no client reads them, and counts them. The notifications of the session's own stream stay
    /// in the queue, which merges them.
    pub(crate) fn collect_unread(&self) {
        let mut state = self.state.lock();
        if !state.is_read && !self.is_own {
            let (frames, ending) = self.outgoing.take_queued();
            self.add_frames_to(&mut state, &frames, ending);
        }
        self.update_counter(&mut state);
    }

    /// Drops events of one kind until `excess` bytes are free or none is left. Returns the number of bytes that were
    /// freed.
    pub(crate) fn discard(&self, kind: DiscardKind, excess: usize) -> usize {
        let mut state = self.state.lock();
        let before = state.counted_bytes;
        match kind {
            DiscardKind::Notifications => {
                if self.is_own && !state.is_read {
                    drop(self.outgoing.take_queued());
                }
                state.drop_notifications(excess);
            }
            DiscardKind::Response => self.drop_response(&mut state),
        }
        self.update_counter(&mut state);
        before.saturating_sub(state.counted_bytes)
    }

    /// Replaces the response by an error, unless a reader has yet to receive it.
    fn drop_response(&self, state: &mut ReplayState) {
        let is_read = state.is_read;
        let given = state.given;
        let response =
            state.history.back_mut().filter(|event| event.is_response && (!is_read || event.number <= given));
        let (Some(response), Some(request)) = (response, &self.request) else { return };
        let text = "Internal error: the response was dropped, because it was not read in time";
        let mut frame = Vec::new();
        write_error(&mut frame, Some(request), &RpcError::new(code::INTERNAL_ERROR, text));
        let error = self.event(response.number, frame.trim_ascii_end());
        if error.cost() < response.cost() {
            state.history_bytes -= response.cost();
            state.history_bytes += error.cost();
            *response = ReplayEvent { is_response: true, ..error };
        }
    }

    /// Returns the number of bytes that the stream counts.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.state.lock().counted_bytes
    }

    /// Returns true if a client reads the stream.
    pub(crate) fn is_read(&self) -> bool {
        self.state.lock().is_read
    }

    /// Returns true if the stream has ended and no client reads it.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state.lock();
        state.finished && !state.is_read
    }

    /// Returns true if the stream has been idle for that time.
    pub(crate) fn is_expired(&self, time: Duration) -> bool {
        let state = self.state.lock();
        state.finished && !state.is_read && state.last_change.elapsed() >= time
    }

    /// Returns the number of the last event.
    pub(crate) fn last_event(&self) -> u64 {
        self.state.lock().last
    }

    /// Ends the stream. If the request of the stream is not answered yet, the error becomes its response.
    pub(crate) fn close(&self, error: Option<&RpcError>) {
        let mut state = self.state.lock();
        if !self.is_own {
            let (frames, ending) = self.outgoing.take_queued();
            self.add_frames_to(&mut state, &frames, ending);
        }
        if let (Some(error), Some(request), false) = (error, &self.request, state.finished) {
            let mut frame = Vec::new();
            write_error(&mut frame, Some(request), error);
            self.add_frames_to(&mut state, &frame, Some(Outcome::Error(error.code)));
        }
        state.finished = true;
        self.update_counter(&mut state);
        drop(state);
        // The reader is woken, and finds the end.
        self.outgoing.close();
    }

    /// Creates a reader of the events after the given number. The previous reader ends.
    pub(crate) fn read(self: &Arc<Self>, after: u64) -> ReplayReader {
        let mut state = self.state.lock();
        if state.reader > 0 {
            // The reader that had to disconnect has left already.
            self.outgoing.take_disconnect_request();
        }
        state.reader += 1;
        state.is_read = true;
        state.given = after;
        let is_primed = self.resumption != Some(Resumption::Announced);
        let reader =
            ReplayReader { stream: Arc::clone(self), number: state.reader, after, is_primed, has_hung_up: false };
        drop(state);
        // The previous reader wakes, and finds that it has been replaced.
        self.outgoing.wake_reader();
        reader
    }
}

impl Drop for ReplayStream {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        self.kept.change(state.counted_bytes, 0);
        // A call that still runs cannot deliver its response, and must not wait for room.
        self.outgoing.abandon();
    }
}

fn event_id(stream: u64, number: u64) -> String {
    format!("{stream:x}_{number:x}")
}

/// Returns the stream and the number that an event id names. Accepts only the spelling that this module produces.
pub(crate) fn parse_event_id(id: &str) -> Option<(u64, u64)> {
    let (stream, number) = id.split_once('_')?;
    let parsed = (u64::from_str_radix(stream, 16).ok()?, u64::from_str_radix(number, 16).ok()?);
    (event_id(parsed.0, parsed.1) == id).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::outgoing::queue::OutgoingQueue;

    fn next(reader: &mut ReplayReader) -> Option<String> {
        match reader.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(bytes)) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Poll::Ready(None) => Some("end".into()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_lost_stream_resumes_at_its_last_event() {
        let outgoing = OutgoingQueue::for_exchange();
        let stream =
            ReplayStream::new(10, Some("7"), StreamQueue::new(&outgoing), Resumption::Announced, &Arc::default());
        let mut first = stream.read(0);
        assert_eq!(next(&mut first).unwrap(), "id: a_0\nretry: 3000\ndata:\n\n");
        assert_eq!(next(&mut first), None);
        outgoing.push(b"1\n2\n");
        assert_eq!(next(&mut first).unwrap(), "id: a_1\ndata: 1\n\nid: a_2\ndata: 2\n\n");
        drop(first);
        outgoing.push_response(b"3\n".to_vec(), Outcome::Cancelled);
        let mut again = stream.read(parse_event_id("a_1").unwrap().1);
        let text = next(&mut again).unwrap();
        assert!(text.ends_with("id: a_2\ndata: 2\n\nid: a_3\ndata: 3\n\n"), "{text}");
        assert_eq!(next(&mut again).unwrap(), "end");
        let mut newest = stream.read(3);
        assert_eq!(next(&mut again).unwrap(), "end", "there is one reader at a time");
        next(&mut newest).unwrap();
        assert_eq!(next(&mut newest).unwrap(), "end");
    }

    #[test]
    fn a_disconnected_reader_can_reconnect() {
        let outgoing = OutgoingQueue::for_exchange();
        let stream =
            ReplayStream::new(1, Some("7"), StreamQueue::new(&outgoing), Resumption::Announced, &Arc::default());
        outgoing.request_disconnect();
        let mut first = stream.read(0);
        assert_eq!(next(&mut first).unwrap(), "id: 1_0\nretry: 3000\ndata:\n\n");
        outgoing.push(b"1\n");
        assert_eq!(next(&mut first).unwrap(), "end", "what comes later is for later");
        drop(first);
        // A reader that has left already is not disconnected when it returns.
        outgoing.request_disconnect();
        let mut second = stream.read(0);
        assert!(next(&mut second).unwrap().ends_with("id: 1_1\ndata: 1\n\n"));
        assert_eq!(next(&mut second), None);
        outgoing.request_disconnect();
        assert_eq!(next(&mut second).unwrap(), "end");
        outgoing.push_response(b"2\n".to_vec(), Outcome::Cancelled);
        let mut third = stream.read(1);
        assert!(next(&mut third).unwrap().ends_with("id: 1_2\ndata: 2\n\n"));
        assert_eq!(next(&mut third).unwrap(), "end");
    }

    fn frame_of(bytes: usize) -> Vec<u8> {
        [&vec![b'x'; bytes][..], b"\n"].concat()
    }

    #[test]
    fn notifications_that_were_read_are_kept_within_a_limit() {
        let outgoing = OutgoingQueue::for_exchange();
        let ledger = Arc::new(ByteCounter::default());
        let stream = ReplayStream::new(1, Some("7"), StreamQueue::new(&outgoing), Resumption::Possible, &ledger);
        let mut reader = stream.read(0);
        for _ in 0..100 {
            outgoing.push(&frame_of(10_000));
            assert!(next(&mut reader).is_some());
        }
        assert!(stream.kept_bytes() <= MAX_NOTIFICATIONS + STREAM_COST, "{}", stream.kept_bytes());
        assert_eq!(ledger.bytes(), stream.kept_bytes());
        drop((reader, stream));
        assert_eq!(ledger.bytes(), 0);
    }

    #[test]
    fn unread_events_are_counted_and_the_call_can_end() {
        let outgoing = OutgoingQueue::for_exchange();
        let whole = Arc::new(ByteCounter::default());
        let ledger = ByteCounter::for_parent(&whole);
        let stream = ReplayStream::new(1, Some("7"), StreamQueue::new(&outgoing), Resumption::Possible, &ledger);
        // The frame is in the outgoing queue, and not collected yet.
        assert!(outgoing.try_push(&frame_of(200_000)));
        stream.collect_unread();
        assert!(ledger.bytes() > 200_000 && whole.bytes() == ledger.bytes());
        assert!(outgoing.try_push(&frame_of(200_000)), "there is room again");
        stream.collect_unread();
        assert!((200_000..300_000).contains(&ledger.bytes()), "the older notification is dropped: {}", ledger.bytes());
        outgoing
            .push_response([br#"{"jsonrpc":"2.0","id":7,"result":""#, &frame_of(500_000)[..]].concat(), Outcome::Ok);
        stream.collect_unread();
        assert!(ledger.bytes() > 700_000, "the response has no limit of its own");
        assert!(stream.discard(DiscardKind::Notifications, 1) > 200_000);
        assert!(stream.discard(DiscardKind::Response, 1) > 490_000);
        assert_eq!(stream.discard(DiscardKind::Response, 1), 0);
        let mut reader = stream.read(1);
        let text = next(&mut reader).unwrap();
        let error = r#"id: 1_3
data: {"jsonrpc":"2.0","id":7,"error":{"code":-32603,"#;
        assert!(text.starts_with(error), "{text}");
        assert_eq!(next(&mut reader).unwrap(), "end");
    }

    #[test]
    fn only_own_event_ids_are_parsed() {
        assert_eq!(parse_event_id("a_1f"), Some((10, 31)));
        assert_eq!(parse_event_id("0_ffffffffffffffff"), Some((0, u64::MAX)));
        for odd in ["", "_", "1_", "_1", "+1_2", "1_+2", "A_1", "01_1", "1_01", "1_1_1", "1_10000000000000000", " 1_1"]
        {
            assert_eq!(parse_event_id(odd), None, "{odd:?}");
        }
    }
}
