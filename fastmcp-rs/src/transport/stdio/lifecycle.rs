//! The end of a server: what brings it about, and what is still done then.
//!
//! It is watched by a thread of its own, which needs no runtime: handlers that block every worker must not
//! keep a process alive whose client has gone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::platform::{Event, Events};
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

/// The end of a server, as its `run` method waits for it.
pub(super) struct End(Arc<State>);

#[derive(Default)]
struct State {
    told: Notify,
    returned: AtomicBool,
}

impl End {
    pub(super) async fn wait(self) {
        self.0.told.notified().await;
        self.0.returned.store(true, Ordering::Release);
    }
}

/// Starts watching.
pub(super) fn watch(connection: Arc<Connection>, mut events: Events) -> io::Result<End> {
    let state = Arc::new(State::default());
    let end = End(Arc::clone(&state));
    std::thread::Builder::new().name("mcp-lifecycle".into()).spawn(move || {
        let event = wait_for_end(&connection, &mut events);
        wind_down(&connection, event, &mut events);
        state.told.notify_one();
        let deadline = Instant::now() + RETURN;
        while !state.returned.load(Ordering::Acquire) {
            if Instant::now() >= deadline || events.next(Duration::from_millis(5)) == Some(Event::Signal) {
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
    let mut stuck: Option<(u64, Instant)> = None;
    loop {
        let limit = if events.input_has_hung_up() { LOOK } else { Duration::from_secs(3600) };
        if let Some(event) = events.next(limit) {
            return event;
        }
        // The client is gone, and the reader, which would find out, may be held up by a handler.
        if events.input_has_hung_up() {
            let lines = connection.lines_received();
            match stuck {
                Some((before, since)) if before == lines => {
                    if since.elapsed() >= GRACE {
                        return Event::EndOfInput;
                    }
                }
                _ => stuck = Some((lines, Instant::now())),
            }
        }
    }
}

/// Lets calls end, but not for ever, and writes what is left to say.
fn wind_down(connection: &Connection, event: Event, events: &mut Events) {
    connection.stop();
    let deadline = Instant::now() + GRACE;
    while connection.calls_in_flight() > 0 && Instant::now() < deadline && !connection.outbox().is_closed() {
        if events.next(Duration::from_millis(5)) == Some(Event::Signal) {
            break;
        }
    }
    connection.cancel_all();
    match event {
        // A client that has said all it has to say may still be reading, however slowly.
        Event::EndOfInput => connection.outbox().wait_until_written(GRACE, None),
        _ => connection.outbox().wait_until_written(LAST_WRITE, Some(Instant::now() + GRACE)),
    }
    connection.outbox().close();
    operator::flush(LAST_WRITE);
}
