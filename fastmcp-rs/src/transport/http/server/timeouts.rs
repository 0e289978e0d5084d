//! Timeouts of connections, and the activity counters that they use.
//!
//! A head may arrive too slowly, a connection may be idle for too long, and a client may not read its response. Each
//! direction has one timer. `WriteTimeout` wraps the socket, below TLS, since a write there is progress of the client,
//! whatever the layers above still buffer. `GuardedStream` is directly below hyper, and scans received bytes before
//! hyper reads them (`line_endings`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::line_endings::{END, HeadScanner};

use crate::util::sync::Mutex;

/// The factor by which a new connection may take longer than the header timeout.
pub(crate) const FIRST_HEAD_FACTOR: u32 = 3;

/// The timeouts of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionTimeouts {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// Activity counters of a connection, shared by its reader, its requests and its timeouts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity(Arc<ActivityCounts>);

#[derive(Debug, Default)]
struct ActivityCounts {
    /// The number of requests that are being answered.
    active: AtomicUsize,
    /// The number of requests ever started: a request may end before the next check.
    begun: AtomicUsize,
    /// The number of bytes that the socket has accepted.
    sent: AtomicUsize,
    /// The number of times that the socket accepted no more bytes, and whether it accepts none now.
    stalls: AtomicUsize,
    is_stalled: AtomicBool,
    /// Set while the last received bytes end inside a head.
    is_in_head: AtomicBool,
    /// Set when the input ended during a request. `is_disconnected` is set when that ends the connection.
    has_input_ended: AtomicBool,
    is_disconnected: AtomicBool,
    /// The task to wake when the end of the input may be read.
    reader: Mutex<Option<Waker>>,
}

/// A guard that counts one request as active until it is dropped.
pub(crate) struct ActivityGuard(Activity);

impl Activity {
    pub(crate) fn start_request(&self) -> ActivityGuard {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.active.fetch_add(1, Ordering::AcqRel);
        ActivityGuard(self.clone())
    }

    /// Returns the number of requests that are being answered.
    pub(crate) fn active_requests(&self) -> usize {
        self.0.active.load(Ordering::Acquire)
    }

    pub(crate) fn started_requests(&self) -> usize {
        self.0.begun.load(Ordering::Acquire)
    }

    pub(crate) fn sent_bytes(&self) -> usize {
        self.0.sent.load(Ordering::Acquire)
    }

    /// Returns the number of times that the socket accepted no more bytes.
    #[cfg(feature = "h2")]
    pub(crate) fn stall_count(&self) -> usize {
        self.0.stalls.load(Ordering::Acquire)
    }

    /// Returns whether a write waits until the client reads.
    pub(crate) fn is_stalled(&self) -> bool {
        self.0.is_stalled.load(Ordering::Acquire)
    }

    /// Returns whether no request is being answered, and no part of a response waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.active_requests() == 0 && !self.is_stalled()
    }

    fn is_in_head(&self) -> bool {
        self.0.is_in_head.load(Ordering::Acquire)
    }

    /// Hides the end of the input from hyper, which would otherwise drop the request before it. Returns `false` if
    /// hyper is to read the end now.
    fn defers_end(&self, task: &Context<'_>) -> bool {
        let counts = &*self.0;
        if self.is_idle() || counts.is_disconnected.load(Ordering::Acquire) {
            return false;
        }
        *counts.reader.lock() = Some(task.waker().clone());
        counts.has_input_ended.store(true, Ordering::Release);
        true
    }

    /// Wakes the reader if the end of the input was deferred.
    fn deliver_end(&self) {
        if self.0.has_input_ended.load(Ordering::Acquire) {
            let reader = self.0.reader.lock().take();
            if let Some(reader) = reader {
                reader.wake();
            }
        }
    }
}

impl ActivityGuard {
    /// Ends the connection if its client has closed its side, unless the request outlives that. Call it while the
    /// request waits.
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

/// The header and idle timeouts of an HTTP/1 connection.
///
/// The connection polls it whenever it has nothing to do, and not from within a read: hyper's last read happens before
/// a response is complete, and hyper then reads only when there is data.
pub(crate) struct Http1Timeout {
    activity: Activity,
    timeouts: ConnectionTimeouts,
    phase: ConnectionPhase,
    /// The number of requests started, and of bytes sent, at the last check.
    begun: usize,
    sent: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// The task that waits for the timer.
    waker: Option<Waker>,
}

/// The event that the connection waits for, and the time at which the wait began.
#[derive(Clone, Copy)]
enum ConnectionPhase {
    New(Instant),
    /// The response to a request, which has a timeout of its own.
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

    /// Is ready when the client has sent nothing for too long.
    pub(crate) fn poll_expired(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let was_asked = update_count(&mut self.begun, self.activity.started_requests());
        let has_sent = update_count(&mut self.sent, self.activity.sent_bytes());
        // A complete response may still be on its way; `WriteTimeout` limits the time for that.
        if !self.activity.is_idle() {
            self.phase = ConnectionPhase::Answer;
            return Poll::Pending;
        }
        let now = Instant::now();
        let is_over = was_asked || matches!(self.phase, ConnectionPhase::Answer);
        match self.phase {
            // This includes a head that arrived after a request and can be read only now.
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
        // A timer that expires too early is reset only then: that happens occasionally, and not with every request.
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

/// Adds to a counter that only one task modifies.
fn increase(counter: &AtomicUsize, more: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Release);
}

pub(crate) fn update_count(known: &mut usize, count: usize) -> bool {
    std::mem::replace(known, count) != count
}

/// A stream below hyper that scans request heads, and delivers the end of its input only when its last request allows
/// it.
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

/// A socket wrapper that fails if the client does not read for too long; the client may be silent.
pub(crate) struct WriteTimeout<S> {
    stream: S,
    activity: Activity,
    timeout: Duration,
    /// Runs while the socket accepts no bytes.
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

    // A socket does not hold bytes that it did not accept, so a flush needs no timeout.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
