//! The end of a server: what brings it about, and what is still done then.
//!
//! It is watched by a thread of its own, which needs no runtime: handlers that block every worker must not
//! keep a process alive whose client has gone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::platform::{Event, Events, Notifier};
use crate::engine::Connection;
use crate::operator;

/// How long calls may go on after the client has closed its end or asked the server to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long the last answers may make no progress when the server was asked to stop.
const LAST_WRITE: Duration = Duration::from_millis(500);
/// How long the server has to return once everything is done.
const RETURN: Duration = Duration::from_secs(1);
/// How often a reader that seems stuck is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked at whether everything is done.
const PAUSE: Duration = Duration::from_millis(5);

/// The end of a server, as its `run` method waits for it. To drop it is to ask the server to stop.
pub(super) struct End {
    state: Arc<State>,
    connection: Arc<Connection>,
    notifier: Notifier,
}

#[derive(Default)]
struct State {
    told: Notify,
    returned: AtomicBool,
}

impl End {
    /// Waits until the last call has ended. Once this is dropped, the server has returned.
    pub(super) async fn wait(&self) {
        self.state.told.notified().await;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.state.returned.store(true, Ordering::Release);
        if !self.connection.is_stopping() {
            self.connection.stop();
            self.notifier.notify(Event::Signal);
        }
    }
}

/// Starts watching. `more_time` is what the server may need to return besides the usual.
pub(super) fn watch(
    connection: Arc<Connection>,
    mut events: Events,
    notifier: Notifier,
    more_time: Duration,
) -> io::Result<End> {
    let state = Arc::new(State::default());
    let end = End { state: Arc::clone(&state), connection: Arc::clone(&connection), notifier };
    std::thread::Builder::new().name("mcp-lifecycle".into()).spawn(move || {
        let event = wait_for_end(&connection, &mut events);
        wind_down(&connection, event, &mut events);
        state.told.notify_one();
        let deadline = Instant::now() + RETURN + more_time;
        while !state.returned.load(Ordering::Acquire) {
            if Instant::now() >= deadline || events.next(PAUSE) == Some(Event::Signal) {
                std::process::exit(0);
            }
        }
        // The program may have more to do; its own end is no longer ours to arrange, but a signal is.
        loop {
            if events.next(Duration::from_secs(3600)) == Some(Event::Signal) {
                std::process::exit(0);
            }
        }
    })?;
    Ok(end)
}

fn wait_for_end(connection: &Connection, events: &mut Events) -> Event {
    let mut stuck: Option<((u64, u64), Instant)> = None;
    loop {
        let limit = if events.input_has_hung_up() { LOOK } else { Duration::from_secs(3600) };
        if let Some(event) = events.next(limit) {
            return event;
        }
        // The client is gone, and the reader, which would find out, may be held up by a handler. A reader that
        // waits for a slow client to read is not.
        if events.input_has_hung_up() {
            let life = (connection.lines_received(), connection.outbox().progress());
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
}

/// Lets calls end, but not for ever, and writes what is left to say.
///
/// A client that has said all it has to say may still be reading, however slowly: as long as it does, its
/// answers are written. A server that was asked to stop has less time.
fn wind_down(connection: &Connection, event: Event, events: &mut Events) {
    connection.stop();
    // They would never end by themselves.
    connection.end_subscriptions();
    let outbox = connection.outbox();
    let start = Instant::now();
    let mut asked = (event != Event::EndOfInput).then_some(start);
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
            // It was asked already, and is in no less of a hurry.
            Some(Event::Signal) if asked.is_some() && is_cancelled => break,
            Some(Event::Signal) => {
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
    operator::flush(LAST_WRITE);
}
