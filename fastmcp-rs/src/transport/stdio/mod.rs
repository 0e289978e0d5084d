//! Reads and writes newline-delimited JSON-RPC on standard input and output.
//!
//! Both belong to the protocol: one stray `println!` would corrupt the stream, and a child process that
//! reads would swallow requests. So the descriptors are moved away before anything is read ([`platform`]),
//! and what prints goes to standard error.
//!
//! The end is watched from the beginning: what an author does before the first message is read may hang, too.
//!
//! A detached thread reads ([`reader`]), and another waits for what ends a server ([`lifecycle`]): blocking reads and
//! writes are two system calls for a call in sequence and far fewer under load ([`gather`]), any kind of descriptor
//! will do, and no runtime waits for the thread when it ends. Answers that come later go out by a second thread, which
//! exists only once there is such an answer.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>

mod gather;
mod lifecycle;
mod lines;
mod platform;
mod reader;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Transport;
use crate::engine::{Connection, Server, TIME_TO_END};
use crate::error::Error;
use crate::operator::{self, LAST_LINES};
use crate::states::StateOwner;
#[cfg(feature = "otel")]
use crate::telemetry::otel;

pub(crate) use platform::{Wire, claim, mute_shared_stderr};

/// What becomes of text that is printed to standard output while that belongs to the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StdoutPolicy {
    /// It goes to standard error as it is. The default.
    ///
    /// Descriptor 1 is a pipe that is always emptied, so neither `println!` nor a child process waits for standard
    /// error to be read. Up to 1 MiB waits there. What comes beyond that is dropped, unless there is room within a
    /// quarter of a second because standard error is being read, and its bytes are counted: a line on standard error
    /// tells how many, as soon as that is read again. If standard error is the protocol's stream too (`2>&1`), everything
    /// is dropped.
    ///
    /// Descriptor 2 stays as it is: `eprintln!` waits as long as nobody reads standard error. A child process that
    /// outlives the server loses its standard output with it, as with any pipe.
    #[default]
    Stderr,
    /// It goes to the log, line by line, each with `stdout: ` before it. It can never hold up whoever prints either;
    /// lines that do not fit into the log are dropped and counted. Lines of more than 64 KiB are split.
    Log,
    /// It is dropped.
    Discard,
    /// Nothing is moved: what is printed corrupts the protocol, and child processes can read requests.
    Inherit,
}

#[derive(Clone, Debug)]
pub(crate) struct StdioConfig {
    pub(crate) stdout: StdoutPolicy,
    pub(crate) max_line: usize,
    pub(crate) watch_parent: bool,
}

impl Default for StdioConfig {
    fn default() -> Self {
        StdioConfig { stdout: StdoutPolicy::Stderr, max_line: 16 << 20, watch_parent: true }
    }
}

/// Starts a server and serves until the client is gone, or the process is asked to stop: also while it starts.
pub(crate) async fn serve(
    start: impl Future<Output = Result<Arc<Server>, Error>>,
    states: Arc<StateOwner>,
    wire: Wire,
    config: &StdioConfig,
) -> Result<(), Error> {
    let Wire { input, output } = wire;
    let input = Arc::new(input);
    let (events, notifier) = platform::events(config.watch_parent, Arc::clone(&input))
        .map_err(|error| Error::transport("signals cannot be watched", error))?;
    let no_thread = |error| Error::transport("a thread cannot be started", error);
    let end = lifecycle::watch(events, notifier, states).map_err(no_thread)?;
    let Some(started) = end.unless_first(start).await else {
        operator::warn(format_args!("the server was stopped before it had started: its states were still being made"));
        return Ok(());
    };
    let server = started?;
    let connection = Connection::new(Arc::clone(&server), Transport::Stdio);
    #[cfg(feature = "metrics")]
    if let Some(metrics) = &server.metrics {
        let connection: std::sync::Weak<Connection> = Arc::downgrade(&connection);
        metrics.watch(connection);
    }
    let more_time = if server.has_endings() { TIME_TO_END } else { Duration::ZERO };
    #[cfg(feature = "otel")]
    let more_time = if otel::is_on() { more_time + otel::TIME_TO_FLUSH } else { more_time };
    if end.begin_serving(Arc::clone(&connection), more_time) {
        reader::spawn(connection, input, output, config.max_line, end.reporter()).map_err(no_thread)?;
    }
    end.wait().await;
    server.end().await;
    end.result()
}

/// When it is dropped, what was logged and printed is written, as the program may end then.
pub(crate) struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        platform::settle_prints(LAST_LINES);
    }
}
