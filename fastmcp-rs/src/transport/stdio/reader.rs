//! The thread that reads and polls each call once, and the thread that writes responses that were not ready at once.

use std::io;
use std::sync::{Arc, Once};

use tokio::runtime::Handle;

use super::batching::BatchSize;
use super::framing::{InputLine, LineBuffer, MAX_KEPT_BUFFER};
use super::shutdown::ShutdownReporter;
use crate::engine::transport_api::Connection;
use crate::exec::backoff::Backoff;
use crate::exec::runtime::inside;
use crate::outgoing::stdio::{MAX_IDLE_CAPACITY, SHRINK_AFTER, WriterQueue};
use crate::platform::stdio::{ProtocolInput, ProtocolOutput};
use crate::registry::WeakRegistrySnapshot;
use crate::util::operator_log;

/// The number of response bytes that triggers a write, however few lines they are.
const MAX_BATCH: usize = 64 << 10;

/// Starts reading. The reporter is notified at the end of input, and when the output is closed.
pub(super) fn spawn(
    connection: Arc<Connection>,
    outgoing: WriterQueue,
    input: Arc<ProtocolInput>,
    output: ProtocolOutput,
    max_line: usize,
    reporter: ShutdownReporter,
) -> io::Result<()> {
    let runtime = Handle::current();
    std::thread::Builder::new().name("mcp-stdio".into()).spawn(move || {
        // The end is reported even after a panic, because a server that reads no more must not stay.
        let _end = ReportEndOfInput(reporter.clone());
        let writer = OutputWriter { outgoing, output: Arc::new(output), started: Once::new(), reporter };
        // Calls are polled here as on the runtime's own threads: code that blocks fails in the same way on all of them.
        if let Err(error) = inside(&runtime, || read(&connection, &input, max_line, &writer)) {
            writer.reporter.input_has_failed(error);
        }
    })?;
    Ok(())
}

struct ReportEndOfInput(ShutdownReporter);

impl Drop for ReportEndOfInput {
    fn drop(&mut self) {
        self.0.input_has_ended();
    }
}

fn read(connection: &Arc<Connection>, input: &ProtocolInput, max_line: usize, writer: &OutputWriter) -> io::Result<()> {
    let mut resting = WeakRegistrySnapshot::new(&connection.registry_snapshot());
    let mut lines = LineBuffer::new(max_line);
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut batch_size = BatchSize::new();
    while !writer.outgoing.is_closed() {
        // Large messages have left excess capacity. Unless the next one follows soon, it is freed.
        if (lines.has_spare_memory() || batch.capacity() > MAX_IDLE_CAPACITY) && !input.wait(SHRINK_AFTER) {
            lines.release_memory();
            batch = Vec::with_capacity(MAX_BATCH);
        }
        let count = input.read(lines.free_space())?;
        // The server was asked to stop while this thread was waiting.
        if writer.reporter.is_stopping() {
            return Ok(());
        }
        if count == 0 {
            if let Some(rest) = lines.take_rest() {
                writer.reporter.count_line();
                connection.receive(&mut connection.upgrade_snapshot(&resting), rest, &mut batch);
            }
            writer.write(&mut batch, connection);
            return Ok(());
        }
        lines.add_bytes(count);
        let mut view = connection.upgrade_snapshot(&resting);
        lines.for_each_line(|line| {
            batch_size.begin_line();
            writer.reporter.count_line();
            match line {
                InputLine::Whole(line) => connection.receive(&mut view, line, &mut batch),
                InputLine::Oversized(start) => connection.reject_oversized(start, max_line, &mut batch),
            }
            if batch_size.is_due() || batch.len() > MAX_BATCH {
                batch_size.end_batch();
                writer.write(&mut batch, connection);
            }
            !writer.reporter.is_stopping()
        });
        resting.update(view);
        batch_size.end_batch();
        writer.write(&mut batch, connection);
    }
    Ok(())
}

/// Clears a buffer for the next frames. The capacity for large frames is kept while such frames follow.
fn clear_buffer(buffer: &mut Vec<u8>) {
    let room = buffer.capacity();
    if room > MAX_IDLE_CAPACITY && (room > MAX_KEPT_BUFFER || buffer.len() < room / 8) {
        *buffer = Vec::with_capacity(MAX_BATCH);
    }
    buffer.clear();
}

/// The output, which the reader shares with the thread for late responses.
struct OutputWriter {
    outgoing: WriterQueue,
    output: Arc<ProtocolOutput>,
    started: Once,
    reporter: ShutdownReporter,
}

impl OutputWriter {
    /// Writes the batch, at once if no other thread is writing.
    fn write(&self, batch: &mut Vec<u8>, connection: &Connection) {
        if !batch.is_empty() {
            self.write_batch(batch);
            clear_buffer(batch);
        }
        // A waiting call will have a response that the reader cannot write, because it will be reading.
        if connection.uses_outgoing_queue() {
            self.start_thread();
            self.outgoing.wait_for_capacity();
        }
    }

    fn write_batch(&self, batch: &mut Vec<u8>) {
        if !self.outgoing.begin_write(batch) {
            // Another thread is writing.
            return self.outgoing.push(batch);
        }
        let written = self.output.write_all(batch, || self.outgoing.record_progress());
        self.outgoing.end_write();
        if let Err(error) = written {
            self.outgoing.close();
            self.reporter.output_has_failed(error);
        }
    }

    fn start_thread(&self) {
        self.started.call_once(|| {
            let (outgoing, output) = (self.outgoing.clone(), Arc::clone(&self.output));
            let reporter = self.reporter.clone();
            let thread = std::thread::Builder::new().name("mcp-stdout".into());
            let started = thread.spawn(move || write_late_answers(&outgoing, &output, &reporter));
            if let Err(error) = started {
                operator_log::error(format_args!("cannot start the writer thread: {error}"));
                self.outgoing.close();
                self.reporter.output_has_failed(error);
            }
        });
    }
}

fn write_late_answers(outgoing: &WriterQueue, output: &ProtocolOutput, reporter: &ShutdownReporter) {
    let (mut frames, mut backoff) = (Vec::new(), Backoff::default());
    while outgoing.take_blocking(&mut frames, &mut backoff) {
        let written = output.write_all(&frames, || outgoing.record_progress());
        outgoing.end_write();
        if let Err(error) = written {
            outgoing.close();
            return reporter.output_has_failed(error);
        }
        clear_buffer(&mut frames);
    }
}
