//! The shutdown of a server: the events that cause it, and the steps that follow.
//!
//! A dedicated thread, which needs no runtime, watches for the events: handlers that block every worker must not keep a
//! process alive whose client has gone.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::context::states::{STATE_DROP_TIMEOUT, StateOwner};
use crate::engine::transport_api::Connection;
use crate::error::Error;
use crate::outgoing::stdio::WriterQueue;
use crate::platform::stdio::{self, EventNotifier, ShutdownEvent, ShutdownEvents};
use crate::util::future::run_until;
use crate::util::operator_log::{self, FINAL_FLUSH_TIMEOUT};
use crate::util::sync::Mutex;

/// The time limit for running calls after the client has closed its end or asked the server to stop.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which the last responses may make no progress after the server was asked to stop.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);
/// The time limit for the `run` method to return after all other work.
const RETURN_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit for dropping states when the process must end at once.
const LAST_DROPS: Duration = Duration::from_millis(250);
/// The interval between checks of a reader that seems stuck.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The interval between checks for completion.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The shutdown of a server, as its `run` method waits for it. Dropping it asks the server to stop.
pub(super) struct Shutdown {
    state: Arc<ShutdownState>,
    notifier: EventNotifier,
}

struct ShutdownState {
    states: Arc<StateOwner>,
    /// Set once: to the served connection, or to `None` if the shutdown comes first.
    serving: OnceLock<Option<ServedConnection>>,
    /// Whether no more messages are served.
    is_stopping: AtomicBool,
    /// The number of lines that were read.
    lines: AtomicU64,
    ended: Notify,
    returned: AtomicBool,
    /// The failure of a stream that ended unexpectedly.
    failure: Mutex<Option<Error>>,
}

impl ShutdownState {
    /// Starts dropping all components and states; returns `false` if that had started before.
    fn begin_release(&self) -> bool {
        match self.serving.get() {
            Some(Some(serving)) => serving.connection.begin_release(),
            _ => self.states.begin_release(|| ()),
        }
    }

    fn take_failure(&self) -> Option<Error> {
        self.failure.lock().take()
    }
}

struct ServedConnection {
    connection: Arc<Connection>,
    outgoing: WriterQueue,
    /// The additional time that the server may need to return.
    more_time: Duration,
}

/// Reports the activity and the end of a stream.
#[derive(Clone)]
pub(super) struct ShutdownReporter {
    state: Arc<ShutdownState>,
    notifier: EventNotifier,
}

impl ShutdownReporter {
    /// Counts a line, before it is served. Only one thread reads.
    pub(super) fn count_line(&self) {
        self.state.lines.store(self.state.lines.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Returns true if no more messages are to be served.
    pub(super) fn is_stopping(&self) -> bool {
        self.state.is_stopping.load(Ordering::Acquire)
    }

    pub(super) fn input_has_ended(&self) {
        self.notifier.notify(ShutdownEvent::EndOfInput);
    }

    pub(super) fn input_has_failed(&self, error: io::Error) {
        self.keep_failure("cannot read standard input", error);
    }

    pub(super) fn output_has_failed(&self, error: io::Error) {
        self.keep_failure("cannot write standard output", error);
        self.notifier.notify(ShutdownEvent::EndOfOutput);
    }

    fn keep_failure(&self, context: &'static str, error: io::Error) {
        // Every server ends when its client is gone, so this is no failure.
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            let mut failure = self.state.failure.lock();
            // The first failure names the cause.
            failure.get_or_insert_with(|| Error::transport(context, error));
        }
    }
}

impl Shutdown {
    pub(super) fn reporter(&self) -> ShutdownReporter {
        ShutdownReporter { state: Arc::clone(&self.state), notifier: self.notifier.clone() }
    }

    /// Runs the work that precedes serving, and drops it if the shutdown comes first.
    pub(super) async fn run_until<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        run_until(self.state.ended.notified(), work).await
    }

    /// Starts serving, unless the shutdown has begun. `more_time` is the additional time that the server may need to
    /// return.
    pub(super) fn start_serving(
        &self,
        connection: Arc<Connection>,
        outgoing: WriterQueue,
        more_time: Duration,
    ) -> bool {
        self.state.serving.set(Some(ServedConnection { connection, outgoing, more_time })).is_ok()
    }

    /// Waits until the last call has ended. Dropping this value reports that the server has returned.
    pub(super) async fn wait(&self) {
        self.state.ended.notified().await;
    }

    /// Returns the error that ended the server, if any.
    pub(super) fn result(self) -> Result<(), Error> {
        self.state.take_failure().map_or(Ok(()), Err)
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.state.returned.store(true, Ordering::Release);
        self.state.serving.get_or_init(|| None);
        if !self.state.is_stopping.swap(true, Ordering::AcqRel) {
            // The event is that of a parent that has ended, which means nothing to a process that continues.
            self.notifier.notify(ShutdownEvent::ParentEnded);
        }
    }
}

/// Starts watching, before any of the author's code that precedes serving, because that code may hang.
pub(super) fn watch_events(
    mut events: ShutdownEvents,
    notifier: EventNotifier,
    states: Arc<StateOwner>,
) -> io::Result<Shutdown> {
    let (serving, is_stopping, lines, ended, returned, failure) = Default::default();
    let state = Arc::new(ShutdownState { states, serving, is_stopping, lines, ended, returned, failure });
    let end = Shutdown { state: Arc::clone(&state), notifier };
    let runtime = Handle::current();
    std::thread::Builder::new().name("mcp-lifecycle".into()).spawn(move || {
        let _entered = runtime.enter();
        let event = wait_for_end(&state, &mut events);
        let mut time = RETURN_TIMEOUT;
        if let Some(serving) = state.serving.get_or_init(|| None) {
            state.is_stopping.store(true, Ordering::Release);
            if !wind_down(serving, event, &mut events) {
                time += serving.more_time;
            }
        }
        state.ended.notify_one();
        let mut deadline = Instant::now() + time;
        let mut is_releasing = false;
        while !state.returned.load(Ordering::Acquire) {
            if !is_releasing && state.states.is_releasing() {
                is_releasing = true;
                deadline += STATE_DROP_TIMEOUT;
            }
            if events.next(POLL_INTERVAL) == Some(ShutdownEvent::Signal) {
                exit_process(&state, &mut events, LAST_DROPS);
            }
            if Instant::now() >= deadline {
                exit_process(&state, &mut events, STATE_DROP_TIMEOUT);
            }
        }
        // If the future of the server was dropped, nothing else releases the states.
        state.begin_release();
        // The program may have more to do. The crate no longer ends the process on other events, only on a signal.
        loop {
            if events.next(Duration::from_secs(3600)) == Some(ShutdownEvent::Signal) {
                exit_process(&state, &mut events, LAST_DROPS);
            }
        }
    })?;
    Ok(end)
}

/// Ends the process, because the server cannot return. States that were not dropped before get `time_to_drop`; a signal
/// ends the wait.
fn exit_process(state: &ShutdownState, events: &mut ShutdownEvents, time_to_drop: Duration) -> ! {
    let deadline = Instant::now() + time_to_drop;
    if state.begin_release() {
        while !state.states.is_released()
            && Instant::now() < deadline
            && events.next(POLL_INTERVAL) != Some(ShutdownEvent::Signal)
        {}
    }
    let failure = state.take_failure();
    if let Some(failure) = &failure {
        operator_log::write_line(&format!("Error: {failure}"));
    }
    stdio::flush_prints(FINAL_FLUSH_TIMEOUT);
    std::process::exit(failure.is_some().into());
}

fn wait_for_end(state: &ShutdownState, events: &mut ShutdownEvents) -> ShutdownEvent {
    let mut stuck: Option<(Option<(u64, u64)>, Instant)> = None;
    loop {
        let limit = if events.input_has_hung_up() { CHECK_INTERVAL } else { Duration::from_secs(3600) };
        if let Some(event) = events.next(limit) {
            return event;
        }
        if !events.input_has_hung_up() {
            continue;
        }
        // The client is gone, and the reader, which would notice, may be held up by a handler, or may not have started.
        // A reader that waits for a slow client to read is not stuck. Before the reader starts, no other thread empties
        // the input.
        let is_empty = events.input_is_empty();
        let life = match state.serving.get() {
            Some(Some(serving)) => Some((state.lines.load(Ordering::Relaxed), serving.outgoing.progress())),
            _ if is_empty => return ShutdownEvent::EndOfInput,
            _ => None,
        };
        match stuck {
            Some((before, since)) if before == life => {
                if since.elapsed() >= CALL_TIMEOUT {
                    return ShutdownEvent::EndOfInput;
                }
            }
            _ => stuck = Some((life, Instant::now())),
        }
    }
}

/// Lets calls end within a time limit, and writes the remaining output.
///
/// A client that has closed its end may still be reading, however slowly: as long as it reads, its responses are
/// written. A server that was asked to stop has less time. Returns whether it was asked twice.
fn wind_down(serving: &ServedConnection, event: ShutdownEvent, events: &mut ShutdownEvents) -> bool {
    let ServedConnection { connection, outgoing, .. } = serving;
    // Subscriptions and requests to the client would never end by themselves, and no client reads a response any more.
    connection.close_subscriptions();
    connection.close_client_requests();
    let start = Instant::now();
    let mut asked = (event != ShutdownEvent::EndOfInput).then_some(start);
    let mut signals = u32::from(event == ShutdownEvent::Signal);
    let mut is_cancelled = false;
    let mut life = (outgoing.progress(), start);
    while !outgoing.is_closed() {
        let pending = if is_cancelled { connection.unsent_responses() } else { connection.calls_in_flight() };
        if pending == 0 && outgoing.is_drained() {
            break;
        }
        let now = Instant::now();
        if outgoing.progress() != life.0 {
            life = (outgoing.progress(), now);
        }
        let patience = if asked.is_some() { WRITE_TIMEOUT } else { CALL_TIMEOUT };
        let is_late = asked.is_some_and(|asked| now >= asked + CALL_TIMEOUT + WRITE_TIMEOUT);
        if is_late || (is_cancelled || pending == 0) && now >= life.1 + patience {
            break;
        }
        if !is_cancelled && now >= start + CALL_TIMEOUT {
            connection.cancel_all();
            is_cancelled = true;
            life.1 = now;
        }
        match events.next(POLL_INTERVAL) {
            Some(ShutdownEvent::Signal) => {
                signals += 1;
                if asked.is_some() && is_cancelled {
                    // The server was asked to stop before, and its calls are cancelled, so nothing is waited for.
                    break;
                }
                asked = Some(now);
                connection.cancel_all();
                is_cancelled = true;
                life.1 = now;
            }
            Some(ShutdownEvent::ParentEnded) => asked = asked.or(Some(now)),
            _ => {}
        }
    }
    connection.cancel_all();
    outgoing.close();
    // Cancelled calls hold states until their tasks have dropped them.
    let deadline = Instant::now() + WRITE_TIMEOUT;
    while signals < 2 && connection.calls_in_flight() > 0 && Instant::now() < deadline {
        signals += u32::from(events.next(POLL_INTERVAL) == Some(ShutdownEvent::Signal));
    }
    signals > 1
}
