//! The pipe that standard output leads to, and the thread that empties it.
//!
//! Printing must not wait for standard error to be read. So a thread reads the pipe at once, and passes the text to the
//! bounded queue of [`operator_log`], which drops and counts text that does not fit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{StandardStream, nul, pipe, replace};
use crate::platform::stdio::policy::StdoutPolicy;
use crate::util::operator_log;
use crate::util::sync::Mutex;

/// The maximum length of a printed line that is logged as one line.
const MAX_LINE: u64 = 64 << 10;
/// The size of a read.
const READ_SIZE: usize = 64 << 10;

/// Reports the end of the thread, which drops the other end of the channel.
static THREAD: Mutex<Option<Receiver<()>>> = Mutex::new(None);

/// Creates the pipe. Returns the end that receives printed text.
pub(super) fn open(policy: StdoutPolicy) -> io::Result<OwnedHandle> {
    let (reader, writer) = pipe()?;
    let (running, ended) = channel();
    std::thread::Builder::new().name("mcp-prints".into()).spawn(move || {
        let text = BufReader::with_capacity(READ_SIZE, File::from(reader));
        match policy {
            StdoutPolicy::Log => log(text),
            _ => pass_on(text),
        }
        drop(running);
    })?;
    *THREAD.lock() = Some(ended);
    Ok(writer)
}

/// Writes the text that was printed so far, unless standard error is not read. Text that is printed later then goes
/// directly to standard error, because the program ends, and the thread that drains the pipe may be gone.
pub(crate) fn flush_prints(limit: Duration) {
    let thread = THREAD.lock().take();
    let Some(thread) = thread else {
        operator_log::flush(limit);
        return;
    };
    // The thread ends once the write end is closed everywhere: at once, unless a child process still runs.
    if nul().and_then(|nul| replace(StandardStream::OUTPUT, nul)).is_ok() {
        let _ = thread.recv_timeout(limit);
    }
    if operator_log::flush(limit) {
        let stderr = io::stderr().as_handle().try_clone_to_owned();
        // If it fails, text that is printed later is dropped.
        let _ = stderr.and_then(|stderr| replace(StandardStream::OUTPUT, stderr));
    }
}

/// Logs text line by line. It does not use `tracing`: a subscriber that prints would receive its own lines.
fn log(mut text: BufReader<File>) {
    let mut line = Vec::new();
    while text.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        operator_log::write_line(&format!("stdout: {}", String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])));
        line.clear();
    }
}

fn pass_on(mut text: BufReader<File>) {
    while let Ok(block @ [_, ..]) = text.fill_buf() {
        operator_log::print(block);
        let count = block.len();
        text.consume(count);
    }
}
