//! A connection that does not wait for its client for ever.
//!
//! A head may come too slowly, a connection rest too long, an answer not be read. There is one timer for each
//! direction. `WriteTimeout` stands at the socket, below TLS, since a write there is the progress of the client,
//! whatever the layers above still keep; `GuardedStream` stands below hyper, and looks at what comes before hyper reads
//! it (`scanner`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::line_endings::{END, HeadScanner};

/// A new connection may be silent for as many times the time of a head.
pub(crate) const FIRST_HEAD_FACTOR: u32 = 3;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionTimeouts {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// What a connection does, as those see it who read from it, answer its requests and wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity(Arc<ActivityCounts>);

#[derive(Debug, Default)]
struct ActivityCounts {
    /// How many requests are being answered.
    active: AtomicUsize,
    /// How many have ever begun: one may be over before anybody looks.
    begun: AtomicUsize,
    /// The number of bytes that the socket has taken.
    sent: AtomicUsize,
    /// The number of times that the socket took nothing more; whether it takes nothing now.
    stalls: AtomicUsize,
    is_stalled: AtomicBool,
    /// Set while the last bytes that came end inside a head.
    is_in_head: AtomicBool,
    /// Set when the input has ended during a request, and when that ends the connection.
    has_input_ended: AtomicBool,
    is_disconnected: AtomicBool,
    /// The task that is told when the end of the input may be read.
    reader: Mutex<Option<Waker>>,
}

/// One request that is being answered, until this is dropped.
pub(crate) struct ActivityGuard(Activity);

impl Activity {
    pub(crate) fn start_request(&self) -> ActivityGuard {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.active.fetch_add(1, Ordering::AcqRel);
        ActivityGuard(self.clone())
    }

    /// Returns how many requests are being answered.
    pub(crate) fn active_requests(&self) -> usize {
        self.0.active.load(Ordering::Acquire)
    }

    pub(crate) fn started_requests(&self) -> usize {
        self.0.begun.load(Ordering::Acquire)
    }

    pub(crate) fn sent_bytes(&self) -> usize {
        self.0.sent.load(Ordering::Acquire)
    }

    /// Returns how often the socket took nothing more.
    #[cfg(feature = "h2")]
    pub(crate) fn stall_count(&self) -> usize {
        self.0.stalls.load(Ordering::Acquire)
    }

    /// Returns whether something waits until the client reads.
    pub(crate) fn is_stalled(&self) -> bool {
        self.0.is_stalled.load(Ordering::Acquire)
    }

    /// Returns whether no request is answered, and nothing of an answer waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.active_requests() == 0 && !self.is_stalled()
    }

    fn is_in_head(&self) -> bool {
        self.0.is_in_head.load(Ordering::Acquire)
    }

    /// Keeps the end of the input from hyper, which would give up the request that it follows. Returns `false` if it is
    /// to be read now.
    fn defers_end(&self, task: &Context<'_>) -> bool {
        let counts = &*self.0;
        if self.is_idle() || counts.is_disconnected.load(Ordering::Acquire) {
            return false;
        }
        *counts.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.waker().clone());
        counts.has_input_ended.store(true, Ordering::Release);
        true
    }

    /// Lets the end of the input be read, if there is one.
    fn deliver_end(&self) {
        if self.0.has_input_ended.load(Ordering::Acquire) {
            let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(reader) = reader {
                reader.wake();
            }
        }
    }
}

impl ActivityGuard {
    /// Ends the connection if its client has closed its side, unless the request outlives that. To be called while
    /// the request waits.
    pub(crate) fn disconnect_if_closed(&self, outlives_input: impl FnOnce() -> bool) {
        let counts = &*self.0.0;
        if counts.has_input_ended.load(Ordering::Acquire) && !outlives_input() {
            counts.is_disconnected.store(true, Ordering::Release);
            self.0.deliver_end();
        }
    }
}

impl Drop for ActivityGuard {
    fn drop(&mut self) {
        self.0.0.active.fetch_sub(1, Ordering::AcqRel);
        self.0.deliver_end();
    }
}

/// How long a connection of HTTP/1 waits for its client.
///
/// It is looked at whenever the connection has nothing to do, and not from within a read: hyper reads for the last time
/// before an answer is over, and then only when there is something to read.
pub(crate) struct Http1Timeout {
    activity: Activity,
    timeouts: ConnectionTimeouts,
    phase: ConnectionPhase,
    /// The number of requests that had begun at the last look, and of bytes that were sent.
    begun: usize,
    sent: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// The task that waits for the timer.
    waker: Option<Waker>,
}

/// What the connection waits for, and since when.
#[derive(Clone, Copy)]
enum ConnectionPhase {
    New(Instant),
    /// The answer to a request, which has its own time.
    Answer,
    Rest(Instant),
    /// The rest of a head.
    Head(Instant),
}

impl Http1Timeout {
    pub(crate) fn new(activity: Activity, timeouts: ConnectionTimeouts) -> Http1Timeout {
        let phase = ConnectionPhase::New(Instant::now());
        Http1Timeout { activity, timeouts, phase, begun: 0, sent: 0, timer: None, waker: None }
    }

    /// Ready when the client has sent nothing for too long.
    pub(crate) fn poll_expired(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let was_asked = update_count(&mut self.begun, self.activity.started_requests());
        let has_sent = update_count(&mut self.sent, self.activity.sent_bytes());
        // An answer that is over may still be on its way, and how long that takes is timed by `WriteTimeout`.
        if !self.activity.is_idle() {
            self.phase = ConnectionPhase::Answer;
            return Poll::Pending;
        }
        let now = Instant::now();
        let is_over = was_asked || matches!(self.phase, ConnectionPhase::Answer);
        match self.phase {
            // Also where it came behind a request, and can be read only now.
            ConnectionPhase::Head(_) if !is_over => {}
            _ if self.activity.is_in_head() => self.phase = ConnectionPhase::Head(now),
            ConnectionPhase::New(_) if !is_over => {}
            ConnectionPhase::Rest(_) if !is_over && !has_sent => {}
            _ => self.phase = ConnectionPhase::Rest(now),
        }
        let deadline = match self.phase {
            ConnectionPhase::New(since) => since + self.timeouts.header * FIRST_HEAD_FACTOR,
            ConnectionPhase::Head(since) => since + self.timeouts.header,
            ConnectionPhase::Rest(since) => since + self.timeouts.idle,
            ConnectionPhase::Answer => return Poll::Pending,
        };
        self.poll_deadline(deadline, now, task)
    }

    fn poll_deadline(&mut self, deadline: Instant, now: Instant, task: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // One that ends too early is set again when it does: that is once in a while, and not with every request.
        let is_early = now < timer.deadline() && timer.deadline() <= deadline;
        if is_early && self.waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker())) {
            return Poll::Pending;
        }
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(task).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        self.waker = Some(task.waker().clone());
        Poll::Pending
    }
}

/// Adds to a counter that only one task changes.
fn increase(counter: &AtomicUsize, more: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Release);
}

pub(crate) fn update_count(known: &mut usize, count: usize) -> bool {
    std::mem::replace(known, count) != count
}

/// A stream below hyper, whose heads are looked at, and whose end is read when its last request allows it.
pub(crate) struct GuardedStream<S> {
    stream: S,
    activity: Activity,
    scanner: HeadScanner,
}

impl<S> GuardedStream<S> {
    pub(crate) fn new(stream: S, activity: Activity) -> GuardedStream<S> {
        GuardedStream { stream, activity, scanner: HeadScanner::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if buffer.remaining() >= END.len() && self.scanner.owes_head_end() {
            buffer.put_slice(END);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        if !matches!(read, Poll::Ready(Ok(()))) {
            return read;
        }
        if buffer.filled().len() > before {
            self.scanner.scan(&mut buffer.filled_mut()[before..]);
            self.activity.0.is_in_head.store(self.scanner.is_in_head(), Ordering::Release);
        } else if buffer.remaining() > 0 && !self.scanner.lacks_body() && self.activity.defers_end(task) {
            return Poll::Pending;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}

/// A socket whose client has to read, but may be silent.
pub(crate) struct WriteTimeout<S> {
    stream: S,
    activity: Activity,
    timeout: Duration,
    /// Runs while the client reads nothing of what is written.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, activity: Activity, timeouts: ConnectionTimeouts) -> WriteTimeout<S> {
        WriteTimeout { stream, activity, timeout: timeouts.write, timer: None }
    }

    fn time_write(&mut self, task: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let counts = &*self.activity.0;
        if let Poll::Ready(result) = written {
            increase(&counts.sent, *result.as_ref().unwrap_or(&0));
            if self.timer.take().is_some() {
                counts.is_stalled.store(false, Ordering::Release);
                self.activity.deliver_end();
            }
            return Poll::Ready(result);
        }
        let timer = self.timer.get_or_insert_with(|| {
            increase(&counts.stalls, 1);
            counts.is_stalled.store(true, Ordering::Release);
            Box::pin(tokio::time::sleep(self.timeout))
        });
        timer
            .as_mut()
            .poll(task)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client read nothing for too long")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(task, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.time_write(task, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        self.time_write(task, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Nothing waits in a socket that it did not take.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
