//! Reads and writes newline-delimited JSON-RPC on standard input and output.
//!
//! Both streams belong to the protocol: one stray `println!` would corrupt the output, and a child process that reads
//! would swallow requests. So the descriptors are moved away before anything is read ([`platform`](crate::platform)),
//! and printed text goes to standard error.
//!
//! The shutdown events are watched from the beginning, because the author's code that runs before the first message is
//! read may hang, too.
//!
//! A detached thread reads ([`reader`]), and another waits for shutdown events ([`shutdown`]): blocking reads and
//! writes are two system calls per call in sequence and far fewer under load ([`batching`]), any kind of descriptor
//! works, and no runtime waits for the thread when it ends. A second thread writes the responses that are ready later;
//! it starts with the first such response.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>

mod batching;
mod framing;
mod reader;
mod shutdown;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Transport;
use crate::context::states::StateOwner;
use crate::engine::transport_api::{Connection, SHUTDOWN_TASKS_TIMEOUT, Server};
use crate::error::Error;
use crate::outgoing::stdio::WriterQueue;
use crate::platform::stdio::policy::StdoutPolicy;
pub(crate) use crate::platform::stdio::{ProtocolStreams, claim, mute_shared_stderr};
use crate::telemetry::otel;
use crate::util::operator_log::{self, FINAL_FLUSH_TIMEOUT};

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

/// Starts a server and serves until the client is gone or the process is asked to stop, even while the server starts.
pub(crate) async fn serve(
    start: impl Future<Output = Result<Arc<Server>, Error>>,
    states: Arc<StateOwner>,
    wire: ProtocolStreams,
    config: &StdioConfig,
) -> Result<(), Error> {
    let ProtocolStreams { input, output } = wire;
    let input = Arc::new(input);
    let (events, notifier) = crate::platform::stdio::events(config.watch_parent, Arc::clone(&input))
        .map_err(|error| Error::transport("cannot listen for signals", error))?;
    let no_thread = |error| Error::transport("cannot start a thread", error);
    let end = shutdown::watch_events(events, notifier, states).map_err(no_thread)?;
    let Some(started) = end.run_until(start).await else {
        operator_log::warn(format_args!("the server was stopped before its states were created"));
        return Ok(());
    };
    let server = started?;
    let connection = Connection::new(Arc::clone(&server), Transport::Stdio, None);
    connection.join_metrics();
    let more_time = if server.has_shutdown_tasks() { SHUTDOWN_TASKS_TIMEOUT } else { Duration::ZERO };
    let more_time = if otel::is_enabled() { more_time + otel::FLUSH_TIMEOUT } else { more_time };
    let outgoing = WriterQueue::new(connection.outgoing());
    if end.start_serving(Arc::clone(&connection), outgoing.clone(), more_time) {
        reader::spawn(connection, outgoing, input, output, config.max_line, end.reporter()).map_err(no_thread)?;
    }
    end.wait().await;
    server.run_shutdown_tasks().await;
    end.result()
}

/// Writes pending logs and prints when it is dropped, because the program may end then.
pub(crate) struct FlushPrintsOnDrop;

impl Drop for FlushPrintsOnDrop {
    fn drop(&mut self) {
        crate::platform::stdio::flush_prints(FINAL_FLUSH_TIMEOUT);
    }
}
