//! Reads and writes newline-delimited JSON-RPC on standard input and output.
//!
//! Both belong to the protocol: one stray `println!` would corrupt the stream, and a child process that
//! reads would swallow requests. So the descriptors are moved away before anything is read ([`platform`]),
//! and what prints goes to standard error.
//!
//! A detached thread reads ([`reader`], and another waits for what ends a server: [`lifecycle`]): blocking reads and writes of whole batches are two system calls
//! for a call in sequence and far fewer under load, any kind of descriptor will do, and no runtime waits
//! for the thread when it ends. Answers that come later go out by a second thread, which exists only once
//! there is such an answer.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>

mod lifecycle;
mod lines;
mod platform;
mod reader;

use std::io::IsTerminal;
use std::sync::Arc;

use crate::app::App;
use crate::context::Transport;
use crate::engine::{Connection, Server};
use crate::error::Error;
use crate::{operator, panics};

pub(crate) use platform::Wire;

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

impl App {
    /// Where text goes that is printed to standard output while [`App::run_stdio`] runs. Default: standard
    /// error.
    pub fn stdout(mut self, policy: StdoutPolicy) -> App {
        self.stdio.stdout = policy;
        self
    }

    /// The longest message in bytes; a longer one is refused and skipped. Default: 16 MiB.
    pub fn max_line(mut self, bytes: usize) -> App {
        self.stdio.max_line = bytes.max(1024);
        self
    }

    /// Whether to stop when the parent process ends, within ten seconds. Default: yes, on Unix, unless this
    /// is process 1 or its child, as in a container.
    ///
    /// Most parents close standard input when they end, which is noticed at once; this is for those whose
    /// end of the pipe somebody else keeps open.
    pub fn watch_parent(mut self, watch: bool) -> App {
        self.stdio.watch_parent = watch;
        self
    }

    /// Serves this app on standard input and output until the client closes its end, or the process is
    /// asked to stop (SIGTERM, SIGINT, SIGHUP), or its parent is gone.
    ///
    /// Calls that run then have five seconds to end. A second signal ends them at once, and one that comes after
    /// this method has returned ends the process. If a handler holds up the runtime so that this method cannot
    /// return, the process is ended too: it must not outlive its client.
    ///
    /// From the first moment on, standard input and output belong to the protocol. What the program, its
    /// libraries and its child processes print goes to standard error (see [`StdoutPolicy`]), and reading
    /// standard input gives nothing. This is not undone when the method returns, so it can be called once in
    /// a process. On Windows the streams are not moved in this version: there, nothing may print.
    ///
    /// # Errors
    ///
    /// Fails if the app cannot be served as it is configured (see [`App::check`]), if it is called a second
    /// time, or if the streams cannot be set up. A malformed message is answered, and is not returned here.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with time enabled, as `#[mcp::main]` and `#[tokio::main]` make.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").version("1.2.0").run_stdio().await
    /// }
    /// ```
    pub async fn run_stdio(self) -> Result<(), Error> {
        let config = self.stdio.clone();
        if config.stdout != StdoutPolicy::Inherit {
            platform::mute_shared_stderr();
        }
        if cfg!(panic = "abort") {
            operator::warn(format_args!(
                "this program is built with `panic = \"abort\"`: a panic in a tool ends the server instead of answering its call"
            ));
        }
        let server = Arc::new(self.build()?);
        let on_terminal = std::io::stdin().is_terminal();
        let wire = platform::claim(config.stdout)
            .map_err(|error| Error::transport("standard input and output cannot be set up", error))?;
        panics::install_hook();
        if on_terminal {
            greet(&server);
        }
        serve(server, wire, &config).await
    }
}

/// Somebody has started the server by hand, and sees nothing happen.
fn greet(server: &Server) {
    let program = std::env::args().next().unwrap_or_else(|| "this-program".into());
    operator::line(&format!(
        "{} {} is an MCP server: it waits for JSON-RPC messages on standard input, one a line.\n\
         It has {} tools. Connect a client to it, or look at it with:\n\
         \x20   npx @modelcontextprotocol/inspector {program}\n\
         To end it, press Ctrl-D.",
        server.config.name,
        server.config.version,
        server.registry.tools.entries().len(),
    ));
}

async fn serve(server: Arc<Server>, wire: Wire, config: &StdioConfig) -> Result<(), Error> {
    let Wire { input, output } = wire;
    let input = Arc::new(input);
    let (events, notifier) = platform::events(config.watch_parent, Arc::clone(&input))
        .map_err(|error| Error::transport("signals cannot be watched", error))?;
    let connection = Connection::new(server, Transport::Stdio);
    let end = lifecycle::watch(Arc::clone(&connection), events)
        .and_then(|end| reader::spawn(connection, input, output, config.max_line, notifier).map(|()| end))
        .map_err(|error| Error::transport("a thread cannot be started", error))?;
    end.wait().await;
    Ok(())
}
