//! The standard streams where they cannot be moved: they are used as they are.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::super::StdoutPolicy;
use super::{Event, PIECE, Wire, claim_once};
use crate::operator;

pub(crate) struct Input(());
pub(crate) struct Output(());

/// Uses the streams where they are; printing corrupts the protocol here.
pub(crate) fn claim(_: StdoutPolicy) -> io::Result<Wire> {
    claim_once()?;
    Ok(Wire { input: Input(()), output: Output(()) })
}

impl Input {
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        io::stdin().lock().read(buffer)
    }
}

impl Input {
    /// Waits until there is something to read. That cannot be told here.
    pub(crate) fn wait(&self, _: Duration) -> bool {
        true
    }
}

impl Output {
    pub(crate) fn write_all(&self, bytes: &[u8], note_progress: impl Fn()) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        for piece in bytes.chunks(PIECE) {
            stdout.write_all(piece)?;
            note_progress();
        }
        stdout.flush()
    }
}

pub(crate) fn mute_shared_stderr() {}

/// Writes what was logged so far, unless standard error is not read.
pub(crate) fn settle_prints(limit: Duration) {
    operator::flush(limit);
}

#[derive(Clone)]
pub(crate) struct Notifier(Sender<Event>);

pub(crate) struct Events(Receiver<Event>);

/// Signals keep their default action here, and parents are not watched.
pub(crate) fn events(_: bool, _: Arc<Input>) -> io::Result<(Events, Notifier)> {
    let (sender, receiver) = channel();
    Ok((Events(receiver), Notifier(sender)))
}

impl Notifier {
    pub(crate) fn notify(&self, event: Event) {
        // Nobody listens any more only when the server has ended.
        let _ = self.0.send(event);
    }
}

impl Events {
    pub(crate) fn input_has_hung_up(&self) -> bool {
        false
    }

    /// Whether nothing waits to be read.
    pub(crate) fn input_is_empty(&self) -> bool {
        false
    }

    pub(crate) fn next(&mut self, limit: Duration) -> Option<Event> {
        self.0.recv_timeout(limit).ok()
    }
}
