//! Differences between operating systems: moving the standard streams away, reading and writing them, and watching for
//! shutdown events: signals, the end of the streams, and the end of the parent process.
//!
//! The streams are claimed: standard input and output are duplicated to private descriptors (on Windows: handles),
//! which no child inherits; standard input is then empty, and standard output leads to a pipe whose text goes to
//! standard error. So printed text of this program, of C libraries in it and of its children cannot corrupt the
//! protocol. The streams are never restored, because buffers that are flushed at exit would then reach the client.

pub(crate) mod policy;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    EventNotifier, ProtocolInput, ProtocolOutput, ShutdownEvents, claim, events, flush_prints, mute_shared_stderr,
};
#[cfg(windows)]
pub(crate) use windows::{
    EventNotifier, ProtocolInput, ProtocolOutput, ShutdownEvents, claim, events, flush_prints, mute_shared_stderr,
};

#[cfg(not(any(unix, windows)))]
compile_error!("the feature `stdio` of fastmcp-rs needs Unix or Windows: build without default features");

use std::sync::atomic::{AtomicBool, Ordering};

/// An event that ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShutdownEvent {
    /// The input has ended.
    EndOfInput,
    /// The client reads no more output.
    EndOfOutput,
    /// The process is asked to stop.
    Signal,
    /// The parent process has ended.
    ParentEnded,
}

/// The maximum size of one write; it is small enough for a slow reader's progress to show.
const WRITE_SIZE: usize = 64 << 10;

/// The two halves of the protocol's stream.
pub(crate) struct ProtocolStreams {
    pub(crate) input: ProtocolInput,
    pub(crate) output: ProtocolOutput,
}

/// Fails on a second call: a process has one standard input, so only one server can use it.
fn claim_once() -> std::io::Result<()> {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    if CLAIMED.swap(true, Ordering::SeqCst) {
        return Err(std::io::Error::other("another server of this process already uses them"));
    }
    Ok(())
}
