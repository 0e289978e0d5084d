//! HTTP/2: concurrent requests on one connection.
//!
//! hyper and the crate h2 implement the protocol, and refuse floods of resets and of CONTINUATION frames. This module
//! adds timeouts. Bytes cannot measure them, because an HTTP/2 connection is never silent: a connection is idle when it
//! has no stream, whatever other frames arrive, and a stream is reset when its client grants no window for its
//! response.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
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

use super::front::{HttpConnection, MAX_HEAD};
use super::listener::IoStream;
use super::router::SiteService;
use super::timeouts::{Activity, ConnectionTimeouts, FIRST_HEAD_FACTOR, update_count};
use super::tracked_body::TrackedBody;

use crate::util::sync::Mutex;

/// The maximum number of concurrent requests on one connection.
const MAX_STREAMS: u32 = 100;
/// The maximum number of streams that the client reset before they were accepted; more are a flood (CVE-2023-44487).
const MAX_RESET_STREAMS: usize = 20;
/// The maximum number of streams that the server resets because of the client's protocol errors.
const MAX_LOCAL_RESETS: usize = 100;
/// The maximum number of unread bytes per stream; `CONNECTION_WINDOW` limits them per connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;
/// The maximum size of one piece of a response body. Pieces are small because a piece that was passed to hyper cannot
/// be taken back.
const PIECE_SIZE: usize = 16 << 10;
/// The maximum number of response bytes per stream that wait to be written.
const MAX_SEND_BUFFER: usize = 64 << 10;
/// The number of steps in which the idle timeout of a connection is measured.
const IDLE_STEPS: u32 = 5;
/// The time that a connection without a stream gets at shutdown, because the rest of a response may be on its way. A
/// connection that has been idle for longer than this gets a tenth of it.
const DRAIN_GRACE: Duration = Duration::from_secs(2);
/// The minimum number of bytes since the last check that count as progress of a client; answers to pings are smaller.
const MIN_PROGRESS: usize = 1 << 10;

/// Serves a connection that began with the HTTP/2 preface, and drops `_held` when it ends.
pub(crate) async fn serve(
    stream: Box<dyn IoStream>,
    connected: HttpConnection,
    activity: Activity,
    _held: impl Send + 'static,
) {
    let HttpConnection { front, timeouts, mut stopped } = connected;
    let tasks = Arc::default();
    // Each stream holds an executor; a strong reference here would keep the tasks alive through themselves.
    let streams = StreamExecutor {
        tasks: Arc::downgrade(&tasks),
        write_timeout: timeouts.write,
        activity: activity.clone(),
        stopped: stopped.clone(),
    };
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .keep_alive_interval(timeouts.idle.div_f32(2.0).max(Duration::from_millis(10)))
        .keep_alive_timeout(timeouts.write);
    let io = TokioIo::new(stream);
    let paths = PieceService(SiteService { site: front.site, activity: activity.clone() });
    let mut connection = pin!(builder.serve_connection(io, paths));
    let mut stop = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut timeout = Http2Timeout::new(activity, timeouts);
    let (mut is_ending, mut is_stopping) = (false, false);
    let ended = poll_fn(|task| {
        if !is_stopping && stop.as_mut().poll(task).is_ready() {
            is_stopping = true;
            is_ending = true;
            connection.as_mut().graceful_shutdown();
            timeout.start_shutdown();
        }
        while timeout.poll_expired(task).is_ready() {
            if is_ending {
                // The client was asked to close the connection, and its time for that is over.
                return Poll::Ready(Ok(()));
            }
            is_ending = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(task)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(target: "fastmcp_rs", "an HTTP/2 connection ended: {error}");
    }
}

/// The idle timeout of an HTTP/2 connection: the time without a stream.
struct Http2Timeout {
    activity: Activity,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    /// The number of streams started, and of bytes sent, at the last check.
    begun: usize,
    sent: usize,
    /// The number of consecutive checks without activity.
    quiet: u32,
    /// The last time at which part of a response may have been sent.
    busy: Instant,
    is_shutting_down: bool,
}

impl Http2Timeout {
    fn new(activity: Activity, timeouts: ConnectionTimeouts) -> Http2Timeout {
        let timer = Box::pin(tokio::time::sleep(timeouts.header * FIRST_HEAD_FACTOR));
        let busy = Instant::now();
        // The first check is of a connection that has never had a stream.
        Http2Timeout {
            activity,
            idle: timeouts.idle,
            timer,
            begun: 0,
            sent: 0,
            quiet: IDLE_STEPS - 1,
            busy,
            is_shutting_down: false,
        }
    }

    /// Returns whether a stream is active, one was started since the last check, or part of a response is still being
    /// sent.
    fn is_busy(&mut self) -> bool {
        let (begun, sent) = (self.activity.started_requests(), self.activity.sent_bytes());
        let was_begun = update_count(&mut self.begun, begun);
        let more = sent.wrapping_sub(std::mem::replace(&mut self.sent, sent));
        was_begun || !self.activity.is_idle() || self.is_shutting_down && more >= MIN_PROGRESS
    }

    /// Starts the shutdown: from now on, the connection stays open only until the client acknowledges the end and has
    /// received the data on its way.
    fn start_shutdown(&mut self) {
        let was_busy = self.is_busy() || self.busy.elapsed() < DRAIN_GRACE;
        self.is_shutting_down = true;
        self.quiet = 0;
        self.idle = self.idle.min(if was_busy { DRAIN_GRACE } else { DRAIN_GRACE / 10 });
        self.timer.as_mut().reset(Instant::now() + self.idle / IDLE_STEPS);
    }

    /// Is ready when the connection was idle for too long, and again after each further step without activity.
    fn poll_expired(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if !self.activity.is_idle() {
            self.busy = Instant::now();
        }
        loop {
            ready!(self.timer.as_mut().poll(task));
            self.timer.as_mut().reset(Instant::now() + (self.idle / IDLE_STEPS).max(Duration::from_millis(1)));
            if self.is_busy() {
                self.quiet = 0;
                continue;
            }
            self.quiet += 1;
            if self.quiet >= IDLE_STEPS {
                return Poll::Ready(());
            }
        }
    }
}

/// Spawns the streams of a connection as tasks, which end with the connection.
#[derive(Clone)]
struct StreamExecutor {
    tasks: Weak<Mutex<JoinSet<()>>>,
    /// The time for which a client may leave a response without window.
    write_timeout: Duration,
    activity: Activity,
    /// Each stream holds a clone, so that the server can wait for the streams.
    stopped: watch::Receiver<bool>,
}

tokio::task_local! {
    /// The progress of the response body of the stream that is running.
    static PROGRESS: Cell<PieceProgress>;
}

#[derive(Clone, Copy, Default)]
struct PieceProgress {
    pieces: u64,
    /// Set when the body was polled again and had no data: then the stream does not wait for its client.
    is_asked: bool,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        let (write_timeout, activity, stopped) = (self.write_timeout, self.activity.clone(), self.stopped.clone());
        // The set always exists here, as only the connection starts streams.
        let Some(tasks) = self.tasks.upgrade() else { return };
        let mut tasks = tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(PROGRESS.scope(Cell::default(), async move {
            let mut stream = pin!(stream);
            let (mut seen, mut sent, mut stalls, mut turns) = (0, 0, 0, 0);
            let mut timer: Option<Pin<Box<Sleep>>> = None;
            poll_fn(|task| {
                if stream.as_mut().poll(task).is_ready() {
                    return Poll::Ready(());
                }
                let given = PROGRESS.with(Cell::get);
                if given.is_asked || given.pieces == 0 {
                    timer = None;
                    return Poll::Pending;
                }
                if given.pieces != seen {
                    seen = given.pieces;
                    timer = None;
                }
                let timer = timer.get_or_insert_with(|| {
                    (sent, stalls, turns) = (activity.sent_bytes(), activity.stall_count(), 0);
                    Box::pin(tokio::time::sleep(write_timeout))
                });
                loop {
                    ready!(timer.as_mut().poll(task));
                    // The stream may have to wait until a slow client has read the data of other streams. In that case
                    // the socket accepts nothing more, or the client grants window to all streams together, in turns.
                    let is_stalled = activity.is_stalled() || update_count(&mut stalls, activity.stall_count());
                    turns += 1;
                    let has_turns =
                        update_count(&mut sent, activity.sent_bytes()) && turns < activity.active_requests();
                    if !is_stalled && !has_turns {
                        // Dropping the stream resets it.
                        return Poll::Ready(());
                    }
                    timer.as_mut().reset(Instant::now() + write_timeout);
                }
            })
            .await;
            drop(stopped);
        }));
    }
}

/// A service that serves the site and passes on response bodies in pieces.
struct PieceService(SiteService);

impl hyper::service::Service<Request<Incoming>> for PieceService {
    type Response = Response<PiecewiseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(
            async move { answer.await.map(|answer| answer.map(|body| PiecewiseBody { body, rest: Bytes::new() })) },
        )
    }
}

struct PiecewiseBody {
    body: TrackedBody,
    /// The bytes that the body has returned and that were not passed on yet.
    rest: Bytes,
}

impl PiecewiseBody {
    fn poll_piece(
        &mut self,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, <TrackedBody as Body>::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(task)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_SIZE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for PiecewiseBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = self.poll_piece(task);
        let _ = PROGRESS.try_with(|given| {
            let before = given.get();
            given.set(PieceProgress {
                pieces: before.pieces + u64::from(polled.is_ready()),
                is_asked: polled.is_pending(),
            });
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
