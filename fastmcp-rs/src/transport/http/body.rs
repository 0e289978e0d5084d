//! Bodies of requests, read within limits, and bodies of responses.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::{Buf, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::stream::EventStream;
use super::wakes;

/// Messages up to this size need no room among the large ones.
const SMALL: usize = 64 << 10;
/// How long a large message waits for room.
const ROOM_TIME: Duration = Duration::from_secs(5);

/// Room for large messages, in KiB.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new(bytes: usize) -> Room {
        Room(Arc::new(Semaphore::new((bytes >> 10).min(Semaphore::MAX_PERMITS))))
    }
}

/// A message, and the room that it takes.
pub(super) struct Message {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Why there is no message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    NoRoom,
    /// The client is gone, or does not speak HTTP.
    Broken,
}

/// Reads a message of at most `limit` bytes within `time`.
pub(super) async fn read<B: Body>(body: B, limit: usize, time: Duration, room: &Room) -> Result<Message, Unread> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(Unread::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    // Nearly always the message is small and has come with its head: then nothing waits, is timed, or is copied.
    if expected <= SMALL {
        let polled = poll_fn(|task| {
            let (polled, is_held) = wakes::hold(task, |task| body.as_mut().poll_frame(task));
            // Whoever feeds the body has to go on only if there is more of it.
            if is_held && !body.is_end_stream() {
                task.waker().wake_by_ref();
            }
            Poll::Ready(polled)
        });
        if let Poll::Ready(frame) = polled.await {
            match frame.transpose().map_err(|_| Unread::Broken)?.map(Frame::into_data) {
                None => return Ok(Message { bytes: first, _room: None }),
                Some(Ok(data)) if data.remaining() > limit => return Err(Unread::TooLarge),
                Some(Ok(mut data)) => first = data.copy_to_bytes(data.remaining()),
                Some(Err(_)) => {}
            }
            if first.len() <= SMALL && body.is_end_stream() {
                return Ok(Message { bytes: first, _room: None });
            }
        }
    }
    // What is rare must not make the future of every request longer.
    let rest = read_on(body, first, expected, limit, room);
    Box::pin(tokio::time::timeout(time, rest)).await.unwrap_or(Err(Unread::TooSlow))
}

/// Reads what follows the first bytes of a message, of which `expected` are to come altogether.
async fn read_on<B: Body>(
    mut body: Pin<&mut B>,
    mut first: Bytes,
    expected: usize,
    limit: usize,
    room: &Room,
) -> Result<Message, Unread> {
    let mut permit = None;
    take_room(room, &mut permit, expected.max(first.len())).await?;
    let mut all: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let so_far = first.len() + all.len();
        let length = so_far + data.remaining();
        if length > limit {
            return Err(Unread::TooLarge);
        }
        if !data.has_remaining() {
            continue;
        }
        take_room(room, &mut permit, length).await?;
        if so_far == 0 {
            // Nothing is copied if this is all.
            first = data.copy_to_bytes(data.remaining());
            if body.is_end_stream() {
                break;
            }
            continue;
        }
        if !first.is_empty() {
            all.reserve(expected.max(length));
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            all.extend_from_slice(chunk);
            let read = chunk.len();
            data.advance(read);
        }
    }
    Ok(Message { bytes: if all.is_empty() { first } else { all.into() }, _room: permit })
}

/// Takes room for `length` bytes altogether.
async fn take_room(room: &Room, permit: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), Unread> {
    if length <= SMALL {
        return Ok(());
    }
    let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let wanted = length.div_ceil(1024);
    if wanted <= held {
        return Ok(());
    }
    // In steps, so that a message which comes in small pieces does not ask for each of them.
    let more = (wanted - held).next_multiple_of(SMALL >> 10);
    let more = u32::try_from(more).map_err(|_| Unread::NoRoom)?;
    let acquired = tokio::time::timeout(ROOM_TIME, Arc::clone(&room.0).acquire_many_owned(more)).await;
    let Ok(Ok(acquired)) = acquired else { return Err(Unread::NoRoom) };
    match permit {
        Some(permit) => permit.merge(acquired),
        None => *permit = Some(acquired),
    }
    Ok(())
}

/// The body of a response of [`HttpService`](super::HttpService).
#[derive(Debug)]
pub struct ResponseBody(Content);

#[derive(Debug)]
enum Content {
    Whole(Option<Bytes>),
    Events(Box<EventStream>),
}

impl ResponseBody {
    pub(super) fn empty() -> ResponseBody {
        ResponseBody(Content::Whole(None))
    }

    pub(super) fn whole(bytes: impl Into<Bytes>) -> ResponseBody {
        ResponseBody(Content::Whole(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty())))
    }

    pub(super) fn events(stream: EventStream) -> ResponseBody {
        ResponseBody(Content::Events(Box::new(stream)))
    }

    /// Returns whether it is owed to a client that has closed its side of the connection.
    pub(super) fn outlives_input(&self) -> bool {
        matches!(&self.0, Content::Events(stream) if stream.outlives_input())
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Events(stream) => stream.poll_next(task).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Events(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn read_chunks(chunks: Vec<usize>, limit: usize, room: &Room) -> Result<Message, Unread> {
        let mut chunks = chunks.into_iter();
        let body = Chunks { next: Box::new(move || chunks.next()), ends_with_first: false, is_over: false };
        read(body, limit, Duration::from_secs(1), room).await
    }

    struct Chunks {
        next: Box<dyn FnMut() -> Option<usize> + Send>,
        /// Whether its end is known with its first chunk.
        ends_with_first: bool,
        is_over: bool,
    }

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.is_over = self.ends_with_first;
            Poll::Ready((self.next)().map(|length| Ok(Frame::data(vec![b'x'; length].into()))))
        }

        fn is_end_stream(&self) -> bool {
            self.is_over
        }
    }

    #[tokio::test]
    async fn limits_hold_with_and_without_a_length() {
        let room = Room::new(1 << 20);
        let whole = |length| Full::new(Bytes::from(vec![b'x'; length]));
        let time = Duration::from_secs(1);
        assert_eq!(read(whole(1000), 1000, time, &room).await.ok().map(|message| message.bytes.len()), Some(1000));
        assert_eq!(read(whole(1001), 1000, time, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(
            read_chunks(vec![500, 0, 500], 1000, &room).await.ok().map(|message| message.bytes.len()),
            Some(1000)
        );
        assert_eq!(read_chunks(vec![500, 501], 1000, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(read_chunks(vec![1001], 1000, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(read_chunks(vec![], 1000, &room).await.ok().map(|message| message.bytes.len()), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_wait_for_room() {
        let room = Room::new(256 << 10);
        let held = read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &room).await.unwrap();
        assert_eq!(read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &room).await.err(), Some(Unread::TooSlow));
        assert!(read_chunks(vec![10 << 10], 1 << 20, &room).await.is_ok(), "small ones need no room");
        drop(held);
        assert!(read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &room).await.is_ok());
        // Also one that comes as a whole and does not tell its length before, whether its end is known then or not.
        for is_known in [true, false] {
            let chunks = || {
                let mut chunks = [200 << 10].into_iter();
                Chunks { next: Box::new(move || chunks.next()), ends_with_first: is_known, is_over: false }
            };
            let time = Duration::from_secs(1);
            let held = read(chunks(), 1 << 20, time, &room).await.unwrap();
            assert_eq!(read(chunks(), 1 << 20, time, &room).await.err(), Some(Unread::TooSlow), "{is_known}");
            drop(held);
        }
    }
}
