//! The thread that reads, and polls each call once; and the one that writes what was not ready.

use std::io;
use std::sync::{Arc, Once};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::lines::{Line, Lines};
use super::platform::{Input, Output, Wire};
use crate::engine::Connection;
use crate::operator;
use crate::outbox::Outbox;

/// How many bytes of answers are gathered before they are written, so that answers that are ready do not
/// wait for calls behind them.
const BATCH: usize = 64 << 10;
/// What is kept of a batch's buffer for the next one.
const KEPT: usize = 1 << 20;

/// Starts reading. `closed` is told when there is nothing more to read, or nobody to write to.
pub(super) fn spawn(connection: Arc<Connection>, wire: Wire, max_line: usize, closed: Arc<Notify>) -> io::Result<()> {
    let runtime = Handle::current();
    let reader = std::thread::Builder::new().name("mcp-stdio".into());
    reader.spawn(move || {
        let _entered = runtime.enter();
        let output = Arc::new(wire.output);
        let writer = Writer {
            outbox: Arc::clone(connection.outbox()),
            output,
            started: Once::new(),
            closed: Arc::clone(&closed),
        };
        if let Err(error) = read(&connection, wire.input, max_line, &writer) {
            operator::error(format_args!("standard input cannot be read: {error}"));
        }
        closed.notify_one();
    })?;
    Ok(())
}

fn read(connection: &Arc<Connection>, input: Input, max_line: usize, writer: &Writer) -> io::Result<()> {
    let mut lines = Lines::new(max_line);
    let mut batch = Vec::with_capacity(BATCH);
    while !writer.outbox.is_closed() {
        let count = input.read(lines.room())?;
        if count == 0 {
            if let Some(rest) = lines.rest() {
                connection.receive(rest, &mut batch);
            }
            writer.write(&mut batch, connection);
            return Ok(());
        }
        lines.filled(count);
        while let Some(line) = lines.next() {
            match line {
                Line::Whole(line) => connection.receive(line, &mut batch),
                Line::Oversized(start) => connection.refuse_oversized(start, max_line, &mut batch),
            }
            if batch.len() > BATCH {
                writer.write(&mut batch, connection);
            }
        }
        writer.write(&mut batch, connection);
    }
    Ok(())
}

/// The way out, which the reader shares with the thread for late answers.
struct Writer {
    outbox: Arc<Outbox>,
    output: Arc<Output>,
    started: Once,
    closed: Arc<Notify>,
}

impl Writer {
    /// Writes the batch, at once if nobody else is writing.
    fn write(&self, batch: &mut Vec<u8>, connection: &Connection) {
        // A call that waits will have an answer that the reader cannot write, as it will be reading.
        if connection.answers_late() {
            self.start_thread();
            connection.wait_for_room();
        }
        if batch.is_empty() {
            return;
        }
        if self.outbox.begin_write(batch) {
            let written = self.output.write_all(batch);
            self.outbox.end_write();
            if written.is_err() {
                self.outbox.close();
                self.closed.notify_one();
            }
        } else {
            // Somebody else is writing.
            self.outbox.push(batch);
        }
        batch.clear();
        if batch.capacity() > KEPT {
            *batch = Vec::with_capacity(BATCH);
        }
    }

    fn start_thread(&self) {
        self.started.call_once(|| {
            let (outbox, output, closed) =
                (Arc::clone(&self.outbox), Arc::clone(&self.output), Arc::clone(&self.closed));
            let thread = std::thread::Builder::new().name("mcp-stdout".into());
            let started = thread.spawn(move || write_late_answers(&outbox, &output, &closed));
            if let Err(error) = started {
                operator::error(format_args!("the thread that writes cannot be started: {error}"));
                self.outbox.close();
                self.closed.notify_one();
            }
        });
    }
}

fn write_late_answers(outbox: &Outbox, output: &Output, closed: &Notify) {
    let mut frames = Vec::new();
    while outbox.take_blocking(&mut frames) {
        let written = output.write_all(&frames);
        outbox.end_write();
        if written.is_err() {
            outbox.close();
            closed.notify_one();
            return;
        }
        if frames.capacity() > KEPT {
            frames = Vec::new();
        }
    }
}
