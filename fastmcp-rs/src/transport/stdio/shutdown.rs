//! The end of a server: what brings it about, and what is still done then.
//!
//! It is watched by a thread of its own, which needs no runtime: handlers that block every worker must not
//! keep a process alive whose client has gone.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::context::states::{StateOwner, TIME_TO_DROP};
use crate::engine::Connection;
use crate::error::Error;
use crate::platform::stdio::{self, Event, Events, Notifier};
use crate::util::future::unless_first;
use crate::util::operator_log::{self, LAST_LINES};

/// How long calls may go on after the client has closed its end or asked the server to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last answers may make no progress when the server was asked to stop.
const LAST_WRITE: Duration = Duration::from_millis(500);
/// How long the server has to return once everything is done.
const RETURN: Duration = Duration::from_secs(1);
/// How long states may take to be dropped where the process is in a hurry.
const LAST_DROPS: Duration = Duration::from_millis(250);
/// How often a reader that seems stuck is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked at whether everything is done.
const PAUSE: Duration = Duration::from_millis(5);

/// The end of a server, as its `run` method waits for it. To drop it is to ask the server to stop.
pub(super) struct End {
    state: Arc<State>,
    notifier: Notifier,
}

struct State {
    states: Arc<StateOwner>,
    /// Set once: to what is served, or to nothing if the end comes before that.
    serving: OnceLock<Option<Serving>>,
    told: Notify,
    returned: AtomicBool,
    /// Why a stream ended that should not have.
    failure: Mutex<Option<Error>>,
}

impl State {
    /// Begins to drop all components and states, unless that was begun before; then it returns `false`.
    fn begin_release(&self) -> bool {
        match self.serving.get() {
            Some(Some(serving)) => serving.connection.begin_release(),
            _ => self.states.begin_release(|| ()),
        }
    }

    fn take_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Serving {
    connection: Arc<Connection>,
    /// How long the server may need to return besides the usual.
    more_time: Duration,
}

/// Tells of the end of a stream.
#[derive(Clone)]
pub(super) struct Reporter {
    state: Arc<State>,
    notifier: Notifier,
}

impl Reporter {
    pub(super) fn input_has_ended(&self) {
        self.notifier.notify(Event::EndOfInput);
    }

    pub(super) fn input_has_failed(&self, error: io::Error) {
        self.keep("standard input cannot be read", error);
    }

    pub(super) fn output_has_failed(&self, error: io::Error) {
        self.keep("standard output cannot be written", error);
        self.notifier.notify(Event::EndOfOutput);
    }

    fn keep(&self, context: &'static str, error: io::Error) {
        // A client that is gone is how every server ends.
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            let mut failure = self.state.failure.lock().unwrap_or_else(PoisonError::into_inner);
            // The first one tells what is wrong.
            failure.get_or_insert_with(|| Error::transport(context, error));
        }
    }
}

impl End {
    pub(super) fn reporter(&self) -> Reporter {
        Reporter { state: Arc::clone(&self.state), notifier: self.notifier.clone() }
    }

    /// Does what precedes serving, and drops it if the end comes first.
    pub(super) async fn unless_first<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        unless_first(self.state.told.notified(), work).await
    }

    /// Serving begins, unless the end has come. `more_time` is what the server may need to return besides the usual.
    pub(super) fn begin_serving(&self, connection: Arc<Connection>, more_time: Duration) -> bool {
        self.state.serving.set(Some(Serving { connection, more_time })).is_ok()
    }

    /// Waits until the last call has ended. Once this is dropped, the server has returned.
    pub(super) async fn wait(&self) {
        self.state.told.notified().await;
    }

    /// Ends with the error that ended the server, if it was one.
    pub(super) fn result(self) -> Result<(), Error> {
        self.state.take_failure().map_or(Ok(()), Err)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.state.returned.store(true, Ordering::Release);
        let was_stopping = self.state.serving.get_or_init(|| None).as_ref().is_some_and(|serving| {
            let was_stopping = serving.connection.is_stopping();
            serving.connection.stop();
            was_stopping
        });
        if !was_stopping {
            // As if the parent had ended, which means nothing to a process that goes on.
            self.notifier.notify(Event::ParentEnded);
        }
    }
}

/// Starts watching, which precedes all that an author has to do before a server serves: it may hang.
pub(super) fn watch(mut events: Events, notifier: Notifier, states: Arc<StateOwner>) -> io::Result<End> {
    let (serving, told, returned, failure) = Default::default();
    let state = Arc::new(State { states, serving, told, returned, failure });
    let end = End { state: Arc::clone(&state), notifier };
    let runtime = Handle::current();
    std::thread::Builder::new().name("mcp-lifecycle".into()).spawn(move || {
        let _entered = runtime.enter();
        let event = wait_for_end(&state, &mut events);
        let mut time = RETURN;
        if let Some(serving) = state.serving.get_or_init(|| None) {
            if !wind_down(&serving.connection, event, &mut events) {
                time += serving.more_time;
            }
        }
        state.told.notify_one();
        let mut deadline = Instant::now() + time;
        let mut is_releasing = false;
        while !state.returned.load(Ordering::Acquire) {
            if !is_releasing && state.states.is_releasing() {
                is_releasing = true;
                deadline += TIME_TO_DROP;
            }
            if events.next(PAUSE) == Some(Event::Signal) {
                end_process(&state, &mut events, LAST_DROPS);
            }
            if Instant::now() >= deadline {
                end_process(&state, &mut events, TIME_TO_DROP);
            }
        }
        // If the future of the server was dropped, nothing else does.
        state.begin_release();
        // The program may have more to do; its own end is no longer ours to arrange, but a signal is.
        loop {
            if events.next(Duration::from_secs(3600)) == Some(Event::Signal) {
                end_process(&state, &mut events, LAST_DROPS);
            }
        }
    })?;
    Ok(end)
}

/// Ends the process, as the server cannot return. States that were not dropped before have some time for that; a signal
/// ends it.
fn end_process(state: &State, events: &mut Events, time_to_drop: Duration) -> ! {
    let deadline = Instant::now() + time_to_drop;
    if state.begin_release() {
        while !state.states.is_released() && Instant::now() < deadline && events.next(PAUSE) != Some(Event::Signal) {}
    }
    let failure = state.take_failure();
    if let Some(failure) = &failure {
        operator_log::line(&format!("Error: {failure}"));
    }
    stdio::settle_prints(LAST_LINES);
    std::process::exit(failure.is_some().into());
}

fn wait_for_end(state: &State, events: &mut Events) -> Event {
    let mut stuck: Option<(Option<(u64, u64)>, Instant)> = None;
    loop {
        let limit = if events.input_has_hung_up() { LOOK } else { Duration::from_secs(3600) };
        if let Some(event) = events.next(limit) {
            return event;
        }
        if !events.input_has_hung_up() {
            continue;
        }
        // The client is gone, and the reader, which would find out, may be held up by a handler, or not be there yet.
        // A reader that waits for a slow client to read is not. Before it is there, nobody else empties the input.
        let is_empty = events.input_is_empty();
        let life = match state.serving.get() {
            Some(Some(Serving { connection, .. })) => {
                Some((connection.lines_received(), connection.outbox().progress()))
            }
            _ if is_empty => return Event::EndOfInput,
            _ => None,
        };
        match stuck {
            Some((before, since)) if before == life => {
                if since.elapsed() >= GRACE {
                    return Event::EndOfInput;
                }
            }
            _ => stuck = Some((life, Instant::now())),
        }
    }
}

/// Lets calls end, but not for ever, and writes what is left to say.
///
/// A client that has said all it has to say may still be reading, however slowly: as long as it does, its
/// answers are written. A server that was asked to stop has less time. Returns whether it was asked twice.
fn wind_down(connection: &Connection, event: Event, events: &mut Events) -> bool {
    connection.stop();
    // They would never end by themselves, and nobody reads an answer any more.
    connection.end_subscriptions();
    connection.end_questions();
    let outbox = connection.outbox();
    let start = Instant::now();
    let mut asked = (event != Event::EndOfInput).then_some(start);
    let mut signals = u32::from(event == Event::Signal);
    let mut is_cancelled = false;
    let mut life = (outbox.progress(), start);
    while !outbox.is_closed() {
        let pending = if is_cancelled { connection.answers_owed() } else { connection.calls_in_flight() };
        if pending == 0 && outbox.is_written() {
            break;
        }
        let now = Instant::now();
        if outbox.progress() != life.0 {
            life = (outbox.progress(), now);
        }
        let patience = if asked.is_some() { LAST_WRITE } else { GRACE };
        let is_late = asked.is_some_and(|asked| now >= asked + GRACE + LAST_WRITE);
        if is_late || (is_cancelled || pending == 0) && now >= life.1 + patience {
            break;
        }
        if !is_cancelled && now >= start + GRACE {
            connection.cancel_all();
            is_cancelled = true;
            life.1 = now;
        }
        match events.next(PAUSE) {
            Some(Event::Signal) => {
                signals += 1;
                if asked.is_some() && is_cancelled {
                    // It was asked already, and is in no less of a hurry.
                    break;
                }
                asked = Some(now);
                connection.cancel_all();
                is_cancelled = true;
                life.1 = now;
            }
            Some(Event::ParentEnded) => asked = asked.or(Some(now)),
            _ => {}
        }
    }
    connection.cancel_all();
    outbox.close();
    // What was cancelled holds states until its tasks have dropped it.
    let deadline = Instant::now() + LAST_WRITE;
    while signals < 2 && connection.calls_in_flight() > 0 && Instant::now() < deadline {
        signals += u32::from(events.next(PAUSE) == Some(Event::Signal));
    }
    signals > 1
}
