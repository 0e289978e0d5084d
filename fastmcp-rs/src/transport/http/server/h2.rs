//! HTTP/2: many requests at a time on one connection.
//!
//! hyper and the crate h2 speak the protocol, and refuse floods of resets and of continued heads. What is added here is
//! patience, which on such a connection cannot be measured by bytes, as it is never silent: a connection rests when it
//! has no stream, whatever else is said on it, and a stream whose client makes no room for its answer is reset.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use super::front::{Connected, MAX_HEAD};
use super::listener::Stream;
use super::router::Paths;
use super::timeouts::{Activity, SILENCE, Times, is_new};
use super::tracked_body::Tracked;

/// The most requests that are answered at a time on one connection.
const MAX_STREAMS: u32 = 100;
/// The most streams that the client has reset and nobody has looked at; more are a flood (CVE-2023-44487).
const MAX_RESET_STREAMS: usize = 20;
/// The most streams that are reset here for what the client does wrong.
const MAX_WRONG_STREAMS: usize = 100;
/// How much of a message, and of all of a connection, may come before it is read.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;
/// How much of an answer is given away at a time, as what is given can no longer be taken back.
const PIECE: usize = 16 << 10;
/// How much of an answer waits to be written.
const MAX_WAITING: usize = 64 << 10;
/// In how many steps the time of a resting connection is measured.
const STEPS: u32 = 5;
/// The time that a connection without a stream has when the server ends, as the rest of an answer may be on its way.
/// One that has rested for longer has a tenth of it.
const DRAIN_GRACE: Duration = Duration::from_secs(2);
/// The fewest bytes since the last look that count as progress of a client; answers to pings are fewer.
const MIN_PROGRESS: usize = 1 << 10;

/// Serves a connection whose client has begun with the preface of HTTP/2. What is held is dropped when it ends.
pub(crate) async fn serve(
    stream: Box<dyn Stream>,
    connected: Connected,
    activity: Activity,
    _held: impl Send + 'static,
) {
    let Connected { front, times, mut stopped } = connected;
    let tasks = Arc::default();
    // Each stream has an executor, so what that holds would hold itself.
    let streams = Streams {
        tasks: Arc::downgrade(&tasks),
        time: times.write,
        activity: activity.clone(),
        stopped: stopped.clone(),
    };
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_WRONG_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_WAITING)
        .keep_alive_interval(times.idle.div_f32(2.0).max(Duration::from_millis(10)))
        .keep_alive_timeout(times.write);
    let io = TokioIo::new(stream);
    let paths = Pieces(Paths { site: front.site, activity: activity.clone() });
    let mut connection = pin!(builder.serve_connection(io, paths));
    let mut stop = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut patience = Patience::new(activity, times);
    let (mut is_ending, mut is_stopping) = (false, false);
    let ended = poll_fn(|task| {
        if !is_stopping && stop.as_mut().poll(task).is_ready() {
            is_stopping = true;
            is_ending = true;
            connection.as_mut().graceful_shutdown();
            patience.begin_drain();
        }
        while patience.poll_over(task).is_ready() {
            if is_ending {
                // It was told to go, and has had its time to do so.
                return Poll::Ready(Ok(()));
            }
            is_ending = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(task)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(target: "fastmcp_rs", "a connection of HTTP/2 ended: {error}");
    }
}

/// How long a connection has had no stream.
struct Patience {
    activity: Activity,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    /// The number of streams that had begun at the last look, and of bytes that were sent.
    begun: usize,
    sent: usize,
    /// In how many looks one after the other there was nothing.
    quiet: u32,
    /// The last time at which something of an answer may have been sent.
    busy: Instant,
    is_draining: bool,
}

impl Patience {
    fn new(activity: Activity, times: Times) -> Patience {
        let timer = Box::pin(tokio::time::sleep(times.header * SILENCE));
        let busy = Instant::now();
        // The first look is at a connection that has never had a stream.
        Patience { activity, idle: times.idle, timer, begun: 0, sent: 0, quiet: STEPS - 1, busy, is_draining: false }
    }

    /// Looks whether there is a stream, or was one since the last look, or something of one is on its way.
    fn is_busy(&mut self) -> bool {
        let (begun, sent) = (self.activity.begun(), self.activity.sent());
        let was_begun = is_new(&mut self.begun, begun);
        let more = sent.wrapping_sub(std::mem::replace(&mut self.sent, sent));
        was_begun || !self.activity.is_at_rest() || self.is_draining && more >= MIN_PROGRESS
    }

    /// Waits no longer than for the client to say that it knows of the end, and for what is on its way to it.
    fn begin_drain(&mut self) {
        let was_busy = self.is_busy() || self.busy.elapsed() < DRAIN_GRACE;
        self.is_draining = true;
        self.quiet = 0;
        self.idle = self.idle.min(if was_busy { DRAIN_GRACE } else { DRAIN_GRACE / 10 });
        self.timer.as_mut().reset(Instant::now() + self.idle / STEPS);
    }

    /// Ready when there was nothing for too long; and again, when there still is nothing.
    fn poll_over(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if !self.activity.is_at_rest() {
            self.busy = Instant::now();
        }
        loop {
            ready!(self.timer.as_mut().poll(task));
            self.timer.as_mut().reset(Instant::now() + (self.idle / STEPS).max(Duration::from_millis(1)));
            if self.is_busy() {
                self.quiet = 0;
                continue;
            }
            self.quiet += 1;
            if self.quiet >= STEPS {
                return Poll::Ready(());
            }
        }
    }
}

/// Runs streams as tasks, which end with their connection.
#[derive(Clone)]
struct Streams {
    tasks: Weak<Mutex<JoinSet<()>>>,
    /// How long a client may make no room for an answer.
    time: Duration,
    activity: Activity,
    /// Held by each, so that the server can wait for them.
    stopped: watch::Receiver<bool>,
}

tokio::task_local! {
    /// What the stream that runs has last given to its client, and how often it has.
    static GIVEN: Cell<Given>;
}

#[derive(Clone, Copy, Default)]
struct Given {
    pieces: u64,
    /// Whether it was asked for more since, so that the client is waited for no longer.
    is_asked: bool,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let (time, activity, stopped) = (self.time, self.activity.clone(), self.stopped.clone());
        // There is always one, as streams are begun by their connection only.
        let Some(tasks) = self.tasks.upgrade() else { return };
        let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(GIVEN.scope(Cell::default(), async move {
            let mut stream = pin!(stream);
            let (mut seen, mut sent, mut stalls, mut turns) = (0, 0, 0, 0);
            let mut timer: Option<Pin<Box<Sleep>>> = None;
            poll_fn(|task| {
                if stream.as_mut().poll(task).is_ready() {
                    return Poll::Ready(());
                }
                let given = GIVEN.with(Cell::get);
                if given.is_asked || given.pieces == 0 {
                    timer = None;
                    return Poll::Pending;
                }
                if given.pieces != seen {
                    seen = given.pieces;
                    timer = None;
                }
                let timer = timer.get_or_insert_with(|| {
                    (sent, stalls, turns) = (activity.sent(), activity.stalls(), 0);
                    Box::pin(tokio::time::sleep(time))
                });
                loop {
                    ready!(timer.as_mut().poll(task));
                    // It may have to wait until a slow client has read what others on the connection have sent. Then
                    // the socket takes nothing more; or the client gives room to all of them together, in turns.
                    let is_stalled = activity.is_stalled() || is_new(&mut stalls, activity.stalls());
                    turns += 1;
                    let has_turns = is_new(&mut sent, activity.sent()) && turns < activity.active();
                    if !is_stalled && !has_turns {
                        // When it is dropped, it is reset.
                        return Poll::Ready(());
                    }
                    timer.as_mut().reset(Instant::now() + time);
                }
            })
            .await;
            drop(stopped);
        }));
    }
}

/// The site, whose answers are given in pieces.
struct Pieces(Paths);

impl hyper::service::Service<Request<Incoming>> for Pieces {
    type Response = Response<InPieces>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move { answer.await.map(|answer| answer.map(|body| InPieces { body, rest: Bytes::new() })) })
    }
}

struct InPieces {
    body: Tracked,
    /// What was got from the body and is not given yet.
    rest: Bytes,
}

impl InPieces {
    fn poll_piece(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, <Tracked as Body>::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(task)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for InPieces {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = self.poll_piece(task);
        let _ = GIVEN.try_with(|given| {
            let before = given.get();
            given.set(Given { pieces: before.pieces + u64::from(polled.is_ready()), is_asked: polled.is_pending() });
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        match (self.rest.len() as u64, hint.exact()) {
            (0, _) => hint,
            (rest, Some(length)) => SizeHint::with_exact(length + rest),
            (rest, None) => {
                let mut longer = SizeHint::default();
                longer.set_lower(hint.lower() + rest);
                longer
            }
        }
    }
}
