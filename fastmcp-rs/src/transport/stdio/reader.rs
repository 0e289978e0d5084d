//! The thread that reads, and polls each call once; and the one that writes what was not ready.

use std::io;
use std::sync::{Arc, Once};

use tokio::runtime::Handle;

use super::batching::Gather;
use super::framing::{Line, Lines, MOST};
use super::shutdown::Reporter;
use crate::engine::Connection;
use crate::exec::backoff::Linger;
use crate::exec::runtime::inside;
use crate::outgoing::queue::{IDLE, MUCH, Outbox};
use crate::platform::stdio::{Input, Output};
use crate::registry::RestingView;
use crate::util::operator_log;

/// How many bytes of answers are gathered before they are written, however few lines they are.
const BATCH: usize = 64 << 10;

/// Starts reading. The reporter is told when there is nothing more to read, or nobody to write to.
pub(super) fn spawn(
    connection: Arc<Connection>,
    input: Arc<Input>,
    output: Output,
    max_line: usize,
    reporter: Reporter,
) -> io::Result<()> {
    let runtime = Handle::current();
    std::thread::Builder::new().name("mcp-stdio".into()).spawn(move || {
        // Also if something panics here: a server that is deaf must not stay.
        let _end = EndOfInput(reporter.clone());
        let outbox = Arc::clone(connection.outbox());
        let writer = Writer { outbox, output: Arc::new(output), started: Once::new(), reporter };
        // Calls are polled here as they are by the runtime's own threads: code that blocks fails alike on all of them.
        if let Err(error) = inside(&runtime, || read(&connection, &input, max_line, &writer)) {
            writer.reporter.input_has_failed(error);
        }
    })?;
    Ok(())
}

struct EndOfInput(Reporter);

impl Drop for EndOfInput {
    fn drop(&mut self) {
        self.0.input_has_ended();
    }
}

fn read(connection: &Arc<Connection>, input: &Input, max_line: usize, writer: &Writer) -> io::Result<()> {
    let mut resting = RestingView::of(&connection.view());
    let mut lines = Lines::new(max_line);
    let mut batch = Vec::with_capacity(BATCH);
    let mut gather = Gather::new();
    while !writer.outbox.is_closed() {
        // Large messages have left room behind. Unless the next one follows soon, it is given back.
        if (lines.keep_much() || batch.capacity() > MUCH) && !input.wait(IDLE) {
            lines.give_back();
            batch = Vec::with_capacity(BATCH);
        }
        let count = input.read(lines.room())?;
        // The server was asked to stop while this thread was waiting.
        if connection.is_stopping() {
            return Ok(());
        }
        if count == 0 {
            if let Some(rest) = lines.rest() {
                connection.receive(&mut connection.wake(&resting), rest, &mut batch);
            }
            writer.write(&mut batch, connection);
            return Ok(());
        }
        lines.filled(count);
        let mut view = connection.wake(&resting);
        lines.each(|line| {
            gather.begin_line();
            match line {
                Line::Whole(line) => connection.receive(&mut view, line, &mut batch),
                Line::Oversized(start) => connection.refuse_oversized(start, max_line, &mut batch),
            }
            if gather.is_due() || batch.len() > BATCH {
                gather.end();
                writer.write(&mut batch, connection);
            }
            !connection.is_stopping()
        });
        resting.rest(view);
        gather.end();
        writer.write(&mut batch, connection);
    }
    Ok(())
}

/// Makes a buffer ready for the next frames. The room that large ones took is kept as long as such follow.
fn empty(buffer: &mut Vec<u8>) {
    let room = buffer.capacity();
    if room > MUCH && (room > MOST || buffer.len() < room / 8) {
        *buffer = Vec::with_capacity(BATCH);
    }
    buffer.clear();
}

/// The way out, which the reader shares with the thread for late answers.
struct Writer {
    outbox: Arc<Outbox>,
    output: Arc<Output>,
    started: Once,
    reporter: Reporter,
}

impl Writer {
    /// Writes the batch, at once if nobody else is writing.
    fn write(&self, batch: &mut Vec<u8>, connection: &Connection) {
        if !batch.is_empty() {
            self.write_batch(batch);
            empty(batch);
        }
        // A call that waits will have an answer that the reader cannot write, as it will be reading.
        if connection.answers_late() {
            self.start_thread();
            self.outbox.wait_for_room();
        }
    }

    fn write_batch(&self, batch: &mut Vec<u8>) {
        if !self.outbox.begin_write(batch) {
            // Somebody else is writing.
            return self.outbox.push(batch);
        }
        let written = self.output.write_all(batch, || self.outbox.note_progress());
        self.outbox.end_write();
        if let Err(error) = written {
            self.outbox.close();
            self.reporter.output_has_failed(error);
        }
    }

    fn start_thread(&self) {
        self.started.call_once(|| {
            let (outbox, output) = (Arc::clone(&self.outbox), Arc::clone(&self.output));
            let reporter = self.reporter.clone();
            let thread = std::thread::Builder::new().name("mcp-stdout".into());
            let started = thread.spawn(move || write_late_answers(&outbox, &output, &reporter));
            if let Err(error) = started {
                operator_log::error(format_args!("the thread that writes cannot be started: {error}"));
                self.outbox.close();
                self.reporter.output_has_failed(error);
            }
        });
    }
}

fn write_late_answers(outbox: &Outbox, output: &Output, reporter: &Reporter) {
    let (mut frames, mut linger) = (Vec::new(), Linger::default());
    while outbox.take_blocking(&mut frames, &mut linger) {
        let written = output.write_all(&frames, || outbox.note_progress());
        outbox.end_write();
        if let Err(error) = written {
            outbox.close();
            return reporter.output_has_failed(error);
        }
        empty(&mut frames);
    }
}
