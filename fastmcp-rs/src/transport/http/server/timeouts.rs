//! A connection that does not wait for its client for ever.
//!
//! A head may come too slowly, a connection rest too long, an answer not be read. There is one timer for each
//! direction. `TimedWrites` stands at the socket, below TLS, since a write there is the progress of the client, whatever
//! the layers above still keep; `Guarded` stands below hyper, and looks at what comes before hyper reads it (`heads`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::line_endings::{END, Heads};

/// A new connection may be silent for as many times the time of a head.
pub(crate) const SILENCE: u32 = 3;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) write: Duration,
}

/// What a connection does, as those see it who read from it, answer its requests and wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
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
pub(crate) struct Active(Activity);

impl Activity {
    pub(crate) fn begin(&self) -> Active {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.active.fetch_add(1, Ordering::AcqRel);
        Active(self.clone())
    }

    /// Returns how many requests are being answered.
    pub(crate) fn active(&self) -> usize {
        self.0.active.load(Ordering::Acquire)
    }

    pub(crate) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Acquire)
    }

    pub(crate) fn sent(&self) -> usize {
        self.0.sent.load(Ordering::Acquire)
    }

    /// Returns how often the socket took nothing more.
    #[cfg(feature = "h2")]
    pub(crate) fn stalls(&self) -> usize {
        self.0.stalls.load(Ordering::Acquire)
    }

    /// Returns whether something waits until the client reads.
    pub(crate) fn is_stalled(&self) -> bool {
        self.0.is_stalled.load(Ordering::Acquire)
    }

    /// Returns whether no request is answered, and nothing of an answer waits to be sent.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.active() == 0 && !self.is_stalled()
    }

    fn is_in_head(&self) -> bool {
        self.0.is_in_head.load(Ordering::Acquire)
    }

    /// Keeps the end of the input from hyper, which would give up the request that it follows. Returns `false` if it is
    /// to be read now.
    fn defers_end(&self, task: &Context<'_>) -> bool {
        let counts = &*self.0;
        if self.is_at_rest() || counts.is_disconnected.load(Ordering::Acquire) {
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

impl Active {
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

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.active.fetch_sub(1, Ordering::AcqRel);
        self.0.deliver_end();
    }
}

/// How long a connection of HTTP/1 waits for its client.
///
/// It is looked at whenever the connection has nothing to do, and not from within a read: hyper reads for the last time
/// before an answer is over, and then only when there is something to read.
pub(crate) struct Patience {
    activity: Activity,
    times: Times,
    phase: Phase,
    /// The number of requests that had begun at the last look, and of bytes that were sent.
    begun: usize,
    sent: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// The task that waits for the timer.
    waits: Option<Waker>,
}

/// What the connection waits for, and since when.
#[derive(Clone, Copy)]
enum Phase {
    New(Instant),
    /// The answer to a request, which has its own time.
    Answer,
    Rest(Instant),
    /// The rest of a head.
    Head(Instant),
}

impl Patience {
    pub(crate) fn new(activity: Activity, times: Times) -> Patience {
        let phase = Phase::New(Instant::now());
        Patience { activity, times, phase, begun: 0, sent: 0, timer: None, waits: None }
    }

    /// Ready when the client has sent nothing for too long.
    pub(crate) fn poll_over(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let was_asked = is_new(&mut self.begun, self.activity.begun());
        let has_sent = is_new(&mut self.sent, self.activity.sent());
        // An answer that is over may still be on its way, and how long that takes is timed by `TimedWrites`.
        if !self.activity.is_at_rest() {
            self.phase = Phase::Answer;
            return Poll::Pending;
        }
        let now = Instant::now();
        let is_over = was_asked || matches!(self.phase, Phase::Answer);
        match self.phase {
            // Also where it came behind a request, and can be read only now.
            Phase::Head(_) if !is_over => {}
            _ if self.activity.is_in_head() => self.phase = Phase::Head(now),
            Phase::New(_) if !is_over => {}
            Phase::Rest(_) if !is_over && !has_sent => {}
            _ => self.phase = Phase::Rest(now),
        }
        let deadline = match self.phase {
            Phase::New(since) => since + self.times.header * SILENCE,
            Phase::Head(since) => since + self.times.header,
            Phase::Rest(since) => since + self.times.idle,
            Phase::Answer => return Poll::Pending,
        };
        self.poll_deadline(deadline, now, task)
    }

    fn poll_deadline(&mut self, deadline: Instant, now: Instant, task: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // One that ends too early is set again when it does: that is once in a while, and not with every request.
        let is_early = now < timer.deadline() && timer.deadline() <= deadline;
        if is_early && self.waits.as_ref().is_some_and(|waits| waits.will_wake(task.waker())) {
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
        self.waits = Some(task.waker().clone());
        Poll::Pending
    }
}

/// Adds to a counter that only one task changes.
fn count(counter: &AtomicUsize, more: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Release);
}

pub(crate) fn is_new(known: &mut usize, count: usize) -> bool {
    std::mem::replace(known, count) != count
}

/// A stream below hyper, whose heads are looked at, and whose end is read when its last request allows it.
pub(crate) struct Guarded<S> {
    stream: S,
    activity: Activity,
    heads: Heads,
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, activity: Activity) -> Guarded<S> {
        Guarded { stream, activity, heads: Heads::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if buffer.remaining() >= END.len() && self.heads.owes_end() {
            buffer.put_slice(END);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        if !matches!(read, Poll::Ready(Ok(()))) {
            return read;
        }
        if buffer.filled().len() > before {
            self.heads.look(&mut buffer.filled_mut()[before..]);
            self.activity.0.is_in_head.store(self.heads.is_in_head(), Ordering::Release);
        } else if buffer.remaining() > 0 && !self.heads.lacks_body() && self.activity.defers_end(task) {
            return Poll::Pending;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
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
pub(crate) struct TimedWrites<S> {
    stream: S,
    activity: Activity,
    time: Duration,
    /// Runs while the client reads nothing of what is written.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedWrites<S> {
    pub(crate) fn new(stream: S, activity: Activity, times: Times) -> TimedWrites<S> {
        TimedWrites { stream, activity, time: times.write, timer: None }
    }

    fn watch(&mut self, task: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let counts = &*self.activity.0;
        if let Poll::Ready(result) = written {
            count(&counts.sent, *result.as_ref().unwrap_or(&0));
            if self.timer.take().is_some() {
                counts.is_stalled.store(false, Ordering::Release);
                self.activity.deliver_end();
            }
            return Poll::Ready(result);
        }
        let timer = self.timer.get_or_insert_with(|| {
            count(&counts.stalls, 1);
            counts.is_stalled.store(true, Ordering::Release);
            Box::pin(tokio::time::sleep(self.time))
        });
        timer
            .as_mut()
            .poll(task)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client read nothing for too long")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedWrites<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(task, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedWrites<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.watch(task, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        self.watch(task, written)
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
