//! Reads and writes newline-delimited JSON-RPC on standard input and output.
//!
//! Both belong to the protocol: one stray `println!` would corrupt the stream, and a child process that
//! reads would swallow requests. So the descriptors are moved away before anything is read ([`platform`]),
//! and what prints goes to standard error.
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

use std::sync::Arc;
use std::time::Duration;

use crate::context::Transport;
use crate::engine::{Connection, Server, TIME_TO_END};
use crate::error::Error;
#[cfg(feature = "otel")]
use crate::telemetry::otel;

pub(crate) use platform::{Wire, claim, mute_shared_stderr};

/// What becomes of text that is printed to standard output while that belongs to the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StdoutPolicy {
    /// It goes to standard error. The default. If nobody reads that, whoever prints waits.
    #[default]
    Stderr,
    /// It goes to the log, line by line, and can never hold up whoever prints.
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

/// Serves until the client is gone, or the process is asked to stop.
pub(crate) async fn serve(server: Arc<Server>, wire: Wire, config: &StdioConfig) -> Result<(), Error> {
    let Wire { input, output } = wire;
    let input = Arc::new(input);
    let (events, notifier) = platform::events(config.watch_parent, Arc::clone(&input))
        .map_err(|error| Error::transport("signals cannot be watched", error))?;
    let connection = Connection::new(Arc::clone(&server), Transport::Stdio);
    #[cfg(feature = "metrics")]
    if let Some(metrics) = &server.metrics {
        let connection: std::sync::Weak<Connection> = Arc::downgrade(&connection);
        metrics.watch(connection);
    }
    let more_time = if server.has_endings() { TIME_TO_END } else { Duration::ZERO };
    #[cfg(feature = "otel")]
    let more_time = if otel::is_on() { more_time + otel::TIME_TO_FLUSH } else { more_time };
    let end = lifecycle::watch(Arc::clone(&connection), events, notifier.clone(), more_time)
        .and_then(|end| reader::spawn(connection, input, output, config.max_line, notifier).map(|()| end))
        .map_err(|error| Error::transport("a thread cannot be started", error))?;
    end.wait().await;
    server.end().await;
    drop(end);
    Ok(())
}
