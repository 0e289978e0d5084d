//! What differs between operating systems: moving the standard streams away, reading and writing them,
//! and hearing of what ends a server: signals, the end of the streams, the end of the parent process.
//!
//! On Unix the streams are claimed: descriptors 0 and 1 are duplicated to private ones, which no child
//! inherits; 0 then reads nothing and 1 leads to a pipe whose text goes to standard error. That closes the print trap
//! for this program, for C libraries in it and for its children. They are never given back, as buffers that are flushed
//! at exit would still reach the client. Elsewhere the streams are used as they are.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::{Events, Input, Notifier, Output, claim, events, mute_shared_stderr, settle_prints};
#[cfg(unix)]
pub(crate) use unix::{Events, Input, Notifier, Output, claim, events, mute_shared_stderr, settle_prints};

use std::sync::atomic::{AtomicBool, Ordering};

/// What ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// There is nothing more to read.
    EndOfInput,
    /// Nobody reads what is written.
    EndOfOutput,
    /// The process is asked to stop.
    Signal,
    /// The parent process has ended.
    ParentEnded,
}

/// How much is written at once, so that a slow reader's progress shows.
const PIECE: usize = 64 << 10;

/// The two ends of the protocol's stream.
pub(crate) struct Wire {
    pub(super) input: Input,
    pub(super) output: Output,
}

/// A process has one standard input, so one server can have it.
fn claim_once() -> std::io::Result<()> {
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    if CLAIMED.swap(true, Ordering::SeqCst) {
        return Err(std::io::Error::other("another server of this process has them already"));
    }
    Ok(())
}
