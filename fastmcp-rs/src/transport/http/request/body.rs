//! Reads request bodies within limits of size, time and memory.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body::{Body, Frame};
use hyper::body::{Buf, Bytes};

use crate::engine::transport_api::ArgumentsGuard;
use crate::transport::http::peer::Peer;
use crate::transport::http::request::memory::{self, BudgetError, MemoryBudget, Upload};
use crate::transport::http::server::coalesce_wakes;

/// Messages up to this size, in bytes, do not count against the memory budget.
const SMALL_MESSAGE: usize = memory::STEP;

/// A request message, and the permit for its memory if it is large.
pub(crate) struct RequestMessage {
    pub(crate) bytes: Bytes,
    pub(crate) memory: Option<ArgumentsGuard>,
}

/// The limits on reading a message.
pub(crate) struct BodyLimits<'a> {
    /// The maximum size of the message, in bytes.
    pub(crate) limit: usize,
    pub(crate) timeout: Duration,
    pub(crate) memory: &'a MemoryBudget,
    /// The peer whose share of the budget the message counts against.
    pub(crate) peer: Option<&'a Peer>,
}

/// The reason why a message could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    NoMemory,
    /// The client disconnected, or sent invalid HTTP.
    Broken,
}

/// Reads a message. Calls `waits` if the whole message does not arrive together with its head.
pub(crate) async fn read_message<B: Body>(
    body: B,
    limits: &BodyLimits<'_>,
    waits: impl FnOnce(),
) -> Result<RequestMessage, BodyError> {
    let limit = limits.limit;
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(BodyError::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    // The message is nearly always small and arrives with its head: then no wait, timer or copy is needed.
    if expected <= SMALL_MESSAGE {
        let polled = poll_fn(|task| {
            let (polled, is_held) = coalesce_wakes::hold_wakes(task, |task| body.as_mut().poll_frame(task));
            // The task that feeds the body must continue only if more data is to come.
            if is_held && !body.is_end_stream() {
                task.waker().wake_by_ref();
            }
            Poll::Ready(polled)
        });
        if let Poll::Ready(frame) = polled.await {
            match frame.transpose().map_err(|_| BodyError::Broken)?.map(Frame::into_data) {
                None => return Ok(RequestMessage { bytes: first, memory: None }),
                Some(Ok(data)) if data.remaining() > limit => return Err(BodyError::TooLarge),
                Some(Ok(mut data)) => first = data.copy_to_bytes(data.remaining()),
                Some(Err(_)) => {}
            }
            if first.len() <= SMALL_MESSAGE && body.is_end_stream() {
                return Ok(RequestMessage { bytes: first, memory: None });
            }
        }
    }
    waits();
    // The rare case is boxed, so that it does not enlarge the future of every request.
    let rest = read_rest(body, first, expected, limits);
    Box::pin(tokio::time::timeout(limits.timeout, rest)).await.unwrap_or(Err(BodyError::TooSlow))
}

/// Reads the rest of a message after its first bytes; `expected` is the announced length of the whole message.
async fn read_rest<B: Body>(
    mut body: Pin<&mut B>,
    first: Bytes,
    expected: usize,
    limits: &BodyLimits<'_>,
) -> Result<RequestMessage, BodyError> {
    let mut upload: Option<Upload> = None;
    let mut all = BodyBuffer { first, rest: Vec::new() };
    let mut length = all.first.len();
    loop {
        // A message that is known to be large reserves memory from its first bytes on.
        if length > SMALL_MESSAGE || (length > 0 && expected > SMALL_MESSAGE) {
            let upload = upload.get_or_insert_with(|| limits.memory.start_upload(limits.peer.cloned(), expected));
            upload.reserve(length).await.map_err(|BudgetError| BodyError::NoMemory)?;
        }
        // A complete body is not polled again.
        if length > 0 && body.is_end_stream() {
            break;
        }
        let Some(frame) = next_frame(body.as_mut(), upload.as_ref()).await? else { break };
        let Ok(data) = frame.into_data() else { continue };
        length += data.remaining();
        if length > limits.limit {
            return Err(BodyError::TooLarge);
        }
        all.push(data, expected);
    }
    Ok(RequestMessage {
        bytes: all.into_bytes(),
        memory: upload.map(|upload| Arc::new(upload.into_permit(length)) as ArgumentsGuard),
    })
}

/// Waits for the next frame of a body, or until the memory budget refuses the upload.
async fn next_frame<B: Body>(
    mut body: Pin<&mut B>,
    upload: Option<&Upload>,
) -> Result<Option<Frame<B::Data>>, BodyError> {
    let mut refused = pin!(async {
        match upload {
            Some(upload) => upload.wait_for_refusal().await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|task| match body.as_mut().poll_frame(task) {
        Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| BodyError::Broken)),
        Poll::Pending => refused.as_mut().poll(task).map(|()| Err(BodyError::TooSlow)),
    })
    .await
}

/// The bytes of a message that have arrived so far.
struct BodyBuffer {
    /// All bytes, as long as they are one chunk: then nothing is copied.
    first: Bytes,
    rest: Vec<u8>,
}

impl BodyBuffer {
    /// Adds a chunk to a message whose announced length is `expected` bytes.
    fn push(&mut self, mut data: impl Buf, expected: usize) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data.copy_to_bytes(data.remaining());
            return;
        }
        let first = std::mem::take(&mut self.first);
        let length = self.rest.len() + first.len() + data.remaining();
        if length > self.rest.capacity() {
            // Once an eighth of the announced length has arrived, room for the whole message is reserved: more steps
            // would fragment memory.
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

    async fn read_within<B: Body>(body: B, limit: usize, memory: &MemoryBudget) -> Result<RequestMessage, BodyError> {
        let limits = BodyLimits { limit, timeout: Duration::from_secs(1), memory, peer: None };
        read_message(body, &limits, || ()).await
    }

    async fn read_chunks(chunks: Vec<usize>, limit: usize, memory: &MemoryBudget) -> Result<RequestMessage, BodyError> {
        let mut chunks = chunks.into_iter();
        let body = Chunks { next: Box::new(move || chunks.next()), ends_with_first: false, is_over: false };
        read_within(body, limit, memory).await
    }

    struct Chunks {
        next: Box<dyn FnMut() -> Option<usize> + Send>,
        /// Whether the end is known with the first chunk.
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
        let memory = MemoryBudget::new(1 << 20, 1 << 20, 1000);
        let whole = |length| Full::new(Bytes::from(vec![b'x'; length]));
        assert_eq!(read_within(whole(1000), 1000, &memory).await.ok().map(|message| message.bytes.len()), Some(1000));
        assert_eq!(read_within(whole(1001), 1000, &memory).await.err(), Some(BodyError::TooLarge));
        assert_eq!(
            read_chunks(vec![500, 0, 500], 1000, &memory).await.ok().map(|message| message.bytes.len()),
            Some(1000)
        );
        assert_eq!(read_chunks(vec![500, 501], 1000, &memory).await.err(), Some(BodyError::TooLarge));
        assert_eq!(read_chunks(vec![1001], 1000, &memory).await.err(), Some(BodyError::TooLarge));
        assert_eq!(read_chunks(vec![], 1000, &memory).await.ok().map(|message| message.bytes.len()), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn large_messages_wait_for_memory() {
        let memory = MemoryBudget::new(256 << 10, 256 << 10, 200 << 10);
        let held = read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &memory).await.unwrap();
        assert_eq!(read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &memory).await.err(), Some(BodyError::TooSlow));
        assert!(read_chunks(vec![10 << 10], 1 << 20, &memory).await.is_ok(), "small ones need no room");
        drop(held);
        assert!(read_chunks(vec![100 << 10, 100 << 10], 1 << 20, &memory).await.is_ok());
        // The same holds for a message that arrives in one chunk without an announced length, whether or not its end is
        // known then.
        for is_known in [true, false] {
            let chunks = || {
                let mut chunks = [200 << 10].into_iter();
                Chunks { next: Box::new(move || chunks.next()), ends_with_first: is_known, is_over: false }
            };
            let held = read_within(chunks(), 1 << 20, &memory).await.unwrap();
            assert_eq!(read_within(chunks(), 1 << 20, &memory).await.err(), Some(BodyError::TooSlow), "{is_known}");
            drop(held);
        }
    }
}
