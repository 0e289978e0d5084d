//! Log output for the operator of a server: `tracing` events, and a writer to standard error that never blocks.
//!
//! A client may never read a server's standard error. Once that pipe is full, a thread that writes to it blocks. So the
//! lines of this crate go through a bounded queue and a thread of their own, and lines that do not fit are counted and
//! dropped. Without a `tracing` subscriber, the errors to which a masked error refers would vanish, so they are written
//! as plain lines.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::util::count::counted;
use crate::util::sync::{Condvar, Mutex, MutexGuard};

/// The maximum number of bytes of log lines and printed text that are queued for standard error.
const QUEUE_LIMIT: usize = 1 << 20;
/// The maximum size of a write, so that the progress of a slow reader is visible.
const MAX_WRITE: usize = 64 << 10;
/// The time that printed text waits for room in the queue before it is dropped. A reader that keeps up makes room
/// sooner.
#[cfg(feature = "stdio")]
const PRINT_TIMEOUT: Duration = Duration::from_millis(250);
/// The time limit for writing the queued lines when the server ends.
pub(crate) const FINAL_FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(feature = "http")]
pub(crate) fn info(message: fmt::Arguments<'_>) {
    tracing::info!(target: "fastmcp_rs", "{message}");
    fall_back("INFO", message);
}

pub(crate) fn error(message: fmt::Arguments<'_>) {
    tracing::error!(target: "fastmcp_rs", "{message}");
    fall_back("ERROR", message);
}

pub(crate) fn warn(message: fmt::Arguments<'_>) {
    tracing::warn!(target: "fastmcp_rs", "{message}");
    fall_back("WARN", message);
}

fn fall_back(level: &str, message: fmt::Arguments<'_>) {
    if !tracing::dispatcher::has_been_set() {
        write_line(&format!("{level} fastmcp_rs: {message}"));
    }
}

/// Writes one line to standard error, with or without a subscriber.
pub(crate) fn write_line(text: &str) {
    let mut line = replace_controls(text);
    line.push('\n');
    enqueue(line.as_bytes());
}

/// Replaces control characters, so that text from a peer cannot control the operator's terminal.
fn replace_controls(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character,
        other if is_hidden(other) || other.is_control() => '\u{FFFD}',
        other => other,
    };
    text.chars().map(shown).collect()
}

/// Returns true for characters that control a terminal and have no use in log lines: the characters that change the
/// direction of text, and the control characters above ASCII.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{80}'..='\u{9F}')
}

/// Returns a short id that appears both in a response and in the log.
pub(crate) fn error_id() -> String {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let hash = SEED.get_or_init(RandomState::new).hash_one(count);
    format!("{:08x}", hash as u32)
}

struct LogQueue {
    lines: Mutex<QueuedLines>,
    changed: Condvar,
}

#[derive(Default)]
struct QueuedLines {
    bytes: Vec<u8>,
    writing: bool,
    dropped: DroppedOutput,
    /// Set when a wait has timed out and nothing was written since, because the next wait would time out too.
    stalled: bool,
    muted: bool,
}

/// The amount of output that did not fit into the queue.
#[derive(Default)]
struct DroppedOutput {
    lines: u64,
    printed_bytes: u64,
}

impl DroppedOutput {
    fn is_empty(&self) -> bool {
        self.lines == 0 && self.printed_bytes == 0
    }
}

impl fmt::Display for DroppedOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DroppedOutput { lines, printed_bytes } = self;
        match (lines, printed_bytes) {
            (_, 0) => formatter.write_str(&counted(lines, "log line")),
            (0, _) => write!(formatter, "{} of printed text", counted(printed_bytes, "byte")),
            _ => {
                let (lines, bytes) = (counted(lines, "log line"), counted(printed_bytes, "byte"));
                write!(formatter, "{lines} and {bytes} of printed text")
            }
        }
    }
}

static QUEUE: OnceLock<LogQueue> = OnceLock::new();

fn queue() -> &'static LogQueue {
    QUEUE.get_or_init(|| {
        let started = std::thread::Builder::new().name("mcp-stderr".into()).spawn(write_lines);
        // Without the thread nothing can be written, and silence is better than blocking.
        let lines = QueuedLines { muted: started.is_err(), ..QueuedLines::default() };
        LogQueue { lines: Mutex::new(lines), changed: Condvar::new() }
    })
}

/// Queues lines, or counts and drops them if the queue is full.
pub(crate) fn enqueue(bytes: &[u8]) {
    let queue = queue();
    let mut lines = queue.lines.lock();
    if lines.muted {
        return;
    }
    if lines.bytes.len() + bytes.len() > QUEUE_LIMIT {
        lines.dropped.lines += 1;
        return;
    }
    lines.bytes.extend_from_slice(bytes);
    queue.changed.notify_all();
}

/// Drops all further output: from now on standard error is a stream of the protocol.
#[cfg(feature = "stdio")]
pub(crate) fn mute() {
    let mut lines = queue().lines.lock();
    lines.muted = true;
    lines.bytes.clear();
}

/// Writes printed text to standard error as it is. Text that does not fit into the queue is dropped, and its bytes are
/// counted.
///
/// A program may print faster than a file can be written, so this waits briefly for room. After a wait has timed out,
/// it does not wait again until something was written.
#[cfg(feature = "stdio")]
pub(crate) fn print(bytes: &[u8]) {
    let queue = queue();
    let mut lines =
        wait_until(queue, queue.lines.lock(), PRINT_TIMEOUT, |lines| lines.bytes.len() + bytes.len() <= QUEUE_LIMIT);
    if lines.muted {
        return;
    }
    let (kept, dropped) = bytes.split_at(bytes.len().min(QUEUE_LIMIT.saturating_sub(lines.bytes.len())));
    lines.dropped.printed_bytes += dropped.len() as u64;
    lines.bytes.extend_from_slice(kept);
    queue.changed.notify_all();
}

/// Waits until all output is written, for at most `limit`. Returns true if it is.
pub(crate) fn flush(limit: Duration) -> bool {
    let Some(queue) = QUEUE.get() else { return true };
    let is_written = |lines: &QueuedLines| lines.bytes.is_empty() && !lines.writing;
    let lines = wait_until(queue, queue.lines.lock(), limit, is_written);
    is_written(&lines)
}

/// Waits until `is_done`, for at most `limit`; does not wait if the last wait has timed out and nothing was written
/// since.
fn wait_until<'a>(
    queue: &'a LogQueue,
    mut lines: MutexGuard<'a, QueuedLines>,
    limit: Duration,
    is_done: impl Fn(&QueuedLines) -> bool,
) -> MutexGuard<'a, QueuedLines> {
    let mut deadline = None;
    while !is_done(&lines) && !lines.muted && !lines.stalled {
        let now = Instant::now();
        match deadline.get_or_insert(now + limit).checked_duration_since(now) {
            Some(left) => lines = queue.changed.wait_timeout(lines, left).0,
            None => lines.stalled = true,
        }
    }
    lines
}

fn write_lines() {
    let mut stderr = stderr();
    let queue = queue();
    loop {
        let mut lines = queue.lines.lock();
        while lines.bytes.is_empty() && lines.dropped.is_empty() {
            lines = queue.changed.wait(lines);
        }
        let mut bytes = std::mem::take(&mut lines.bytes);
        let dropped = std::mem::take(&mut lines.dropped);
        lines.writing = true;
        drop(lines);
        if !dropped.is_empty() {
            if bytes.last().is_some_and(|last| *last != b'\n') {
                bytes.push(b'\n');
            }
            let _ = writeln!(bytes, "WARN fastmcp_rs: {dropped} were dropped, because standard error was not read");
        }
        let written = bytes.chunks(MAX_WRITE).try_for_each(|piece| {
            stderr.write_all(piece)?;
            queue.lines.lock().stalled = false;
            Ok::<_, io::Error>(())
        });
        let mut lines = queue.lines.lock();
        lines.writing = false;
        lines.muted |= written.is_err();
        queue.changed.notify_all();
    }
}

/// Opens a descriptor of its own: the lock of `std::io::stderr` would be held while a write is stuck, and would block
/// every thread that prints.
#[cfg(unix)]
fn stderr() -> Box<dyn Write> {
    use std::os::fd::AsFd;
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(std::fs::File::from(descriptor)),
        Err(_) => Box::new(io::stderr()),
    }
}

#[cfg(windows)]
fn stderr() -> Box<dyn Write> {
    use std::io::IsTerminal;
    use std::os::windows::io::AsHandle;
    // A console accepts UTF-8 only from the standard library, and is always read.
    if io::stderr().is_terminal() {
        return Box::new(io::stderr());
    }
    match io::stderr().as_handle().try_clone_to_owned() {
        Ok(handle) => Box::new(std::fs::File::from(handle)),
        Err(_) => Box::new(io::stderr()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_of_peers_are_escaped() {
        assert_eq!(super::replace_controls("a\x1b[31m\r\u{202E}b\n"), "a\u{FFFD}[31m\u{FFFD}\u{FFFD}b\n");
    }

    #[test]
    fn ids_are_short_and_unique() {
        let (one, other) = (super::error_id(), super::error_id());
        assert_eq!(one.len(), 8);
        assert_ne!(one, other);
    }
}
