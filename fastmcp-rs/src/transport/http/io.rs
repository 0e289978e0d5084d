//! A connection that does not wait for its client for ever.
//!
//! A head may come too slowly, a connection rest too long, an answer not be read. There is one timer for each
//! direction. What comes is also looked at here before hyper reads it (`heads`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::heads::{END, Heads};

/// A new connection may be silent for as many times the time of a head.
pub(super) const SILENCE: u32 = 3;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) write: Duration,
}

/// What a connection does, as those see it who read from it, answer its requests and wait for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// How many requests are being answered.
    active: AtomicUsize,
    /// How many have ever begun: one may be over before anybody looks.
    begun: AtomicUsize,
    /// How often something has come from the client, and gone to it.
    received: AtomicUsize,
    sent: AtomicUsize,
}

/// One request that is being answered, until this is dropped.
pub(super) struct Active(Activity);

impl Activity {
    pub(super) fn begin(&self) -> Active {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        self.0.active.fetch_add(1, Ordering::AcqRel);
        Active(self.clone())
    }

    pub(super) fn is_some(&self) -> bool {
        self.0.active.load(Ordering::Acquire) > 0
    }

    pub(super) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Acquire)
    }

    fn received(&self) -> usize {
        self.0.received.load(Ordering::Acquire)
    }

    fn sent(&self) -> usize {
        self.0.sent.load(Ordering::Acquire)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How long a connection of HTTP/1 waits for its client.
///
/// It is looked at whenever the connection has nothing to do, and not from within a read: hyper reads for the last time
/// before an answer is over, and then only when there is something to read.
pub(super) struct Patience {
    activity: Activity,
    times: Times,
    phase: Phase,
    /// What had begun, what had come and what had gone at the last look.
    begun: usize,
    received: usize,
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
    pub(super) fn new(activity: Activity, times: Times) -> Patience {
        let phase = Phase::New(Instant::now());
        Patience { activity, times, phase, begun: 0, received: 0, sent: 0, timer: None, waits: None }
    }

    /// Ready when the client has sent nothing for too long.
    pub(super) fn poll_over(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let was_asked = is_new(&mut self.begun, self.activity.begun());
        let has_received = is_new(&mut self.received, self.activity.received());
        let has_sent = is_new(&mut self.sent, self.activity.sent());
        if self.activity.is_some() {
            self.phase = Phase::Answer;
            return Poll::Pending;
        }
        let now = Instant::now();
        // An answer that is over may still be on its way.
        if was_asked || matches!(self.phase, Phase::Answer) || has_sent && matches!(self.phase, Phase::Rest(_)) {
            self.phase = Phase::Rest(now);
        } else if has_received && !matches!(self.phase, Phase::Head(_)) {
            self.phase = Phase::Head(now);
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

/// One more, where only one task counts.
fn count(counter: &AtomicUsize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}

fn is_new(known: &mut usize, count: usize) -> bool {
    std::mem::replace(known, count) != count
}

pub(super) struct Guarded<S> {
    stream: S,
    activity: Activity,
    heads: Heads,
    writes: Writes,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, activity: Activity, times: Times) -> Guarded<S> {
        Guarded { stream, activity, heads: Heads::default(), writes: Writes::new(times) }
    }
}

fn too_slow(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client {what} for too long"))
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if buffer.remaining() >= END.len() && self.heads.owes_end() {
            buffer.put_slice(END);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        if read.is_ready() && buffer.filled().len() > before {
            self.heads.look(&mut buffer.filled_mut()[before..]);
            count(&self.activity.0.received);
        }
        read
    }
}

/// How long the client has read nothing of what is written.
pub(super) struct Writes {
    time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Writes {
    pub(super) fn new(times: Times) -> Writes {
        Writes { time: times.write, timer: None }
    }

    pub(super) fn watch<T>(&mut self, task: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.timer = None;
            return result;
        }
        let time = self.time;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        match timer.as_mut().poll(task) {
            Poll::Ready(()) => Poll::Ready(Err(too_slow("read nothing"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S> Guarded<S> {
    fn watch(&mut self, task: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            count(&self.activity.0.sent);
        }
        self.writes.watch(task, written)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
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

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A stream that encrypts has taken what it could not write yet.
        let result = Pin::new(&mut self.stream).poll_flush(task);
        self.writes.watch(task, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(task);
        self.writes.watch(task, result)
    }
}
