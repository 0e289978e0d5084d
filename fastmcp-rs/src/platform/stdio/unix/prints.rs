//! The pipe that descriptor 1 leads to, and the thread that empties it.
//!
//! Printing must not wait for standard error to be read. So a thread reads the pipe at once, and passes the text to the
//! bounded queue of [`operator_log`], which drops and counts text that does not fit. Most servers print nothing, so the
//! first text starts the thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::{pipe, wait};
use crate::platform::stdio::policy::StdoutPolicy;
use crate::util::operator_log;
use crate::util::sync::Mutex;

/// The maximum length of a printed line that is logged as one line.
const MAX_LINE: usize = 64 << 10;
/// The size of a read.
const READ_SIZE: usize = 64 << 10;
/// The number of blocks that are read at the end: more than a pipe holds, but bounded, because a child process may
/// print for ever.
const FINAL_BLOCKS: usize = 2;

/// A process has one descriptor 1.
static PRINTS: OnceLock<Prints> = OnceLock::new();

struct Prints {
    pipe: OwnedFd,
    is_pumped: AtomicBool,
    sink: Mutex<Sink>,
}

struct Sink {
    buffer: Vec<u8>,
    /// The beginning of a line, if text is logged line by line.
    line: Option<Vec<u8>>,
}

/// Creates the pipe. Returns the end that receives printed text.
pub(super) fn open(policy: StdoutPolicy) -> io::Result<OwnedFd> {
    let (reader, writer) = pipe()?;
    // Only this end is non-blocking: programs that print to the other end expect it to block.
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)?;
    let line = (policy == StdoutPolicy::Log).then(Vec::new);
    let sink = Mutex::new(Sink { buffer: Vec::new(), line });
    let prints = Prints { pipe: reader, is_pumped: AtomicBool::new(false), sink };
    PRINTS.set(prints).map_err(|_| io::Error::other("standard output is already redirected"))?;
    Ok(writer)
}

/// Returns the read end of the pipe, which is polled for the first text, until the thread runs.
pub(super) fn unpumped() -> Option<BorrowedFd<'static>> {
    let prints = PRINTS.get().filter(|prints| !prints.is_pumped.load(Ordering::Acquire))?;
    Some(prints.pipe.as_fd())
}

/// Reads the first text, and starts the thread that reads the following text.
pub(super) fn pump() {
    let Some(prints) = PRINTS.get() else { return };
    let start = || {
        let thread = std::thread::Builder::new().name("mcp-prints".into());
        thread.spawn(|| while wait(prints.pipe.as_fd(), PollFlags::IN).is_ok() && prints.drain(1) {})
    };
    // Nothing follows once the write end is closed everywhere. If no thread can be started, the caller tries again.
    let is_pumped = !prints.drain(1) || start().is_ok();
    prints.is_pumped.store(is_pumped, Ordering::Release);
}

/// Writes the text that was printed so far, unless standard error is not read. Text that is printed later then goes
/// directly to standard error, because the program ends, and the thread that drains the pipe may be gone. If standard
/// error has no room, standard output stays a pipe, because buffers that are flushed at exit would wait for ever.
pub(crate) fn flush_prints(limit: Duration) {
    if let Some(prints) = PRINTS.get() {
        prints.drain(FINAL_BLOCKS);
        prints.end_line();
    }
    if operator_log::flush(limit) && PRINTS.get().is_some() && has_room(io::stderr().as_fd()) {
        // If it fails, the pipe still works as before.
        let _ = rustix::stdio::dup2_stdout(io::stderr().as_fd());
    }
}

/// Returns true if a descriptor has a reader and room for a write.
fn has_room(descriptor: BorrowedFd<'_>) -> bool {
    use rustix::event::{PollFd, Timespec, poll};
    let mut polled = [PollFd::from_borrowed_fd(descriptor, PollFlags::OUT)];
    let found = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    found.is_ok() && polled[0].revents() == PollFlags::OUT
}

impl Prints {
    /// Reads at most `blocks` blocks from the pipe. Returns whether more can follow.
    fn drain(&self, blocks: usize) -> bool {
        // The lock is held until the text is passed on, so that other threads cannot find the pipe empty before that.
        let mut sink = self.sink.lock();
        let Sink { buffer, line } = &mut *sink;
        buffer.resize(READ_SIZE, 0);
        for _ in 0..blocks {
            let count = match rustix::io::read(&self.pipe, &mut **buffer) {
                Ok(0) => return false,
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            };
            match line {
                Some(line) => log(line, &buffer[..count]),
                None => operator_log::print(&buffer[..count]),
            }
        }
        true
    }

    /// Logs an unfinished line.
    fn end_line(&self) {
        let mut sink = self.sink.lock();
        if let Some(line) = sink.line.as_mut().filter(|line| !line.is_empty()) {
            log(line, b"\n");
        }
    }
}

/// Logs the complete lines in these bytes, and keeps the start of the next one.
///
/// It does not use `tracing`: a subscriber that prints would receive its own lines.
fn log(line: &mut Vec<u8>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let room = &bytes[..bytes.len().min(MAX_LINE - line.len())];
        let end = memchr::memchr(b'\n', room);
        line.extend_from_slice(&room[..end.unwrap_or(room.len())]);
        bytes = &bytes[end.map_or(room.len(), |end| end + 1)..];
        if end.is_some() || line.len() == MAX_LINE {
            operator_log::write_line(&format!("stdout: {}", String::from_utf8_lossy(line)));
            line.clear();
        }
    }
}
