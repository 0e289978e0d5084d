//! Bodies of requests, read within limits, and bodies of responses.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body::{Body, Frame};
use hyper::body::{Buf, Bytes};

use crate::engine::Retained;
use crate::transport::http::peer::Peer;
use crate::transport::http::request::memory::{self, NoRoom, Room, Upload};
use crate::transport::http::server::coalesce_wakes;

/// Messages up to this size need no room among the large ones.
const SMALL: usize = memory::STEP;

/// A message, and the room that it takes.
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    pub(crate) room: Option<Retained>,
}

/// The limits within which a message is read.
pub(crate) struct Intake<'a> {
    /// The most bytes.
    pub(crate) limit: usize,
    pub(crate) time: Duration,
    pub(crate) room: &'a Room,
    /// The peer that its room counts against.
    pub(crate) peer: Option<&'a Peer>,
}

/// Why there is no message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    TooSlow,
    NoRoom,
    /// The client is gone, or does not speak HTTP.
    Broken,
}

/// Reads a message. `waits` is called if it does not come as a whole with its head.
pub(crate) async fn read<B: Body>(body: B, intake: &Intake<'_>, waits: impl FnOnce()) -> Result<Message, Unread> {
    let limit = intake.limit;
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(Unread::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    // Nearly always the message is small and has come with its head: then nothing waits, is timed, or is copied.
    if expected <= SMALL {
        let polled = poll_fn(|task| {
            let (polled, is_held) = coalesce_wakes::hold(task, |task| body.as_mut().poll_frame(task));
            // Whoever feeds the body has to go on only if there is more of it.
            if is_held && !body.is_end_stream() {
                task.waker().wake_by_ref();
            }
            Poll::Ready(polled)
        });
        if let Poll::Ready(frame) = polled.await {
            match frame.transpose().map_err(|_| Unread::Broken)?.map(Frame::into_data) {
                None => return Ok(Message { bytes: first, room: None }),
                Some(Ok(data)) if data.remaining() > limit => return Err(Unread::TooLarge),
                Some(Ok(mut data)) => first = data.copy_to_bytes(data.remaining()),
                Some(Err(_)) => {}
            }
            if first.len() <= SMALL && body.is_end_stream() {
                return Ok(Message { bytes: first, room: None });
            }
        }
    }
    waits();
    // What is rare must not make the future of every request longer.
    let rest = read_on(body, first, expected, intake);
    Box::pin(tokio::time::timeout(intake.time, rest)).await.unwrap_or(Err(Unread::TooSlow))
}

/// Reads what follows the first bytes of a message, of which `expected` are to come altogether.
async fn read_on<B: Body>(
    mut body: Pin<&mut B>,
    first: Bytes,
    expected: usize,
    intake: &Intake<'_>,
) -> Result<Message, Unread> {
    let mut upload: Option<Upload> = None;
    let mut all = Collected { first, rest: Vec::new() };
    let mut length = all.first.len();
    loop {
        // A large message takes room from its first bytes on, if it is known to be one.
        if length > SMALL || (length > 0 && expected > SMALL) {
            let upload = upload.get_or_insert_with(|| intake.room.begin(intake.peer.cloned(), expected));
            upload.grow(length).await.map_err(|NoRoom| Unread::NoRoom)?;
        }
        // Nothing more is asked for if this is all.
        if length > 0 && body.is_end_stream() {
            break;
        }
        let Some(frame) = next_frame(body.as_mut(), upload.as_ref()).await? else { break };
        let Ok(data) = frame.into_data() else { continue };
        length += data.remaining();
        if length > intake.limit {
            return Err(Unread::TooLarge);
        }
        all.add(data, expected);
    }
    Ok(Message { bytes: all.into_bytes(), room: upload.map(|upload| Arc::new(upload.finish(length)) as Retained) })
}

/// Waits for more of a body, or until its room is given to others.
async fn next_frame<B: Body>(mut body: Pin<&mut B>, upload: Option<&Upload>) -> Result<Option<Frame<B::Data>>, Unread> {
    let mut refused = pin!(async {
        match upload {
            Some(upload) => upload.refused().await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|task| match body.as_mut().poll_frame(task) {
        Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| Unread::Broken)),
        Poll::Pending => refused.as_mut().poll(task).map(|()| Err(Unread::TooSlow)),
    })
    .await
}

/// The bytes of a message that came so far.
struct Collected {
    /// All of them, as long as they are one piece: then nothing is copied.
    first: Bytes,
    rest: Vec<u8>,
}

impl Collected {
    /// Adds a piece to a message of which `expected` bytes are announced.
    fn add(&mut self, mut data: impl Buf, expected: usize) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data.copy_to_bytes(data.remaining());
            return;
        }
        let first = std::mem::take(&mut self.first);
        let length = self.rest.len() + first.len() + data.remaining();
        if length > self.rest.capacity() {
            // Once an eighth of what is announced has come, there is room for all of it: more steps would leave holes.
            self.rest.reserve_exact(expected.clamp(length, 8 * length) - self.rest.len());
        }
        self.rest.extend_from_slice(&first);
        while data.has_remaining() {
            let chunk = data.chunk();
            self.rest.extend_from_slice(chunk);
            let read = chunk.len();
            data.advance(read);
        }
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Context;

    use http_body_util::Full;

    use super::*;

    async fn read_within<B: Body>(body: B, limit: usize, room: &Room) -> Result<Message, Unread> {
        let intake = Intake { limit, time: Duration::from_secs(1), room, peer: None };
        read(body, &intake, || ()).await
    }

    async fn read_chunks(chunks: Vec<usize>, limit: usize, room: &Room) -> Result<Message, Unread> {
        let mut chunks = chunks.into_iter();
        let body = Chunks { next: Box::new(move || chunks.next()), ends_with_first: false, is_over: false };
        read_within(body, limit, room).await
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
        let room = Room::new(1 << 20, 1 << 20, 1000);
        let whole = |length| Full::new(Bytes::from(vec![b'x'; length]));
        assert_eq!(read_within(whole(1000), 1000, &room).await.ok().map(|message| message.bytes.len()), Some(1000));
        assert_eq!(read_within(whole(1001), 1000, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(
            read_chunks(vec![500, 0, 500], 1000, &room).await.ok().map(|message| message.bytes.len()),
            Some(1000)
        );
        assert_eq!(read_chunks(vec![500, 501], 1000, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(read_chunks(vec![1001], 1000, &room).await.err(), Some(Unread::TooLarge));
        assert_eq!(read_chunks(vec![], 1000, &room).await.ok().map(|message| message.bytes.len()), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_wait_for_memory() {
        let room = Room::new(256 << 10, 256 << 10, 200 << 10);
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
            let held = read_within(chunks(), 1 << 20, &room).await.unwrap();
            assert_eq!(read_within(chunks(), 1 << 20, &room).await.err(), Some(Unread::TooSlow), "{is_known}");
            drop(held);
        }
    }
}
