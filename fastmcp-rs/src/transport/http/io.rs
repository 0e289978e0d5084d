//! A connection that does not wait for its client for ever.
//!
//! What a client may take is measured where bytes are read and written: a head that comes too slowly, a connection
//! that rests too long, an answer that is not read. There is one timer for each direction, and none while a request
//! is being answered. What comes is also looked at here before hyper reads it (`heads`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
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

/// Whether a request of a connection is being answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// How many requests are being answered.
    active: AtomicUsize,
    /// How many have ever begun: one may be over before anybody looks.
    begun: AtomicUsize,
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
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) struct Guarded<S> {
    stream: S,
    activity: Activity,
    times: Times,
    phase: Phase,
    heads: Heads,
    /// How many requests had begun when the phase was looked at.
    begun: usize,
    read_timer: Option<Pin<Box<Sleep>>>,
    writes: Writes,
}

/// What the connection waits for, and since when.
#[derive(Clone, Copy)]
enum Phase {
    New(Instant),
    /// A request was seen; a new wait begins with the next look.
    Busy,
    /// Part of a head was seen, which is a whole one nearly always; a wait for the rest begins with the next look.
    Begun,
    Resting(Instant),
    Head(Instant),
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, activity: Activity, times: Times) -> Guarded<S> {
        let phase = Phase::New(Instant::now());
        Guarded {
            stream,
            activity,
            times,
            phase,
            heads: Heads::default(),
            begun: 0,
            read_timer: None,
            writes: Writes::new(times),
        }
    }

    /// Notices requests that have begun since the last look.
    fn look(&mut self) {
        let begun = self.activity.begun();
        if begun != self.begun {
            self.begun = begun;
            self.phase = Phase::Busy;
        }
    }

    /// Nothing came: whether that is so for too long.
    fn poll_patience(&mut self, task: &mut Context<'_>) -> Poll<()> {
        self.look();
        if self.activity.is_some() {
            self.phase = Phase::Busy;
            return Poll::Pending;
        }
        let deadline = match self.phase {
            Phase::New(since) => since + self.times.header * SILENCE,
            Phase::Head(since) => since + self.times.header,
            Phase::Begun => {
                let now = Instant::now();
                self.phase = Phase::Head(now);
                now + self.times.header
            }
            Phase::Resting(since) => since + self.times.idle,
            Phase::Busy => {
                let now = Instant::now();
                self.phase = Phase::Resting(now);
                now + self.times.idle
            }
        };
        poll_deadline(&mut self.read_timer, deadline, task)
    }
}

fn poll_deadline(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, task: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
    // One that ends too early is set again when it does: that is once in a while, and not with every request.
    if timer.deadline() > deadline {
        timer.as_mut().reset(deadline);
    }
    while timer.as_mut().poll(task).is_ready() {
        if timer.deadline() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
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
        match Pin::new(&mut self.stream).poll_read(task, buffer) {
            Poll::Pending => match self.poll_patience(task) {
                Poll::Ready(()) => Poll::Ready(Err(too_slow("sent nothing"))),
                Poll::Pending => Poll::Pending,
            },
            Poll::Ready(result) => {
                let came = buffer.filled().len() > before;
                self.heads.look(&mut buffer.filled_mut()[before..]);
                self.look();
                if came && !self.activity.is_some() && !matches!(self.phase, Phase::Head(_)) {
                    self.phase = Phase::Begun;
                }
                Poll::Ready(result)
            }
        }
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.writes.watch(task, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        self.writes.watch(task, result)
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
