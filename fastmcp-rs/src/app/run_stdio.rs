//! Serving an app on standard input and output.

use std::future::Future;
use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::Arc;

use super::App;
use crate::context::states::StateOwner;
use crate::engine::Server;
use crate::error::Error;
use crate::exec::runtime;
use crate::platform::stdio::policy::StdoutPolicy;
use crate::transport::stdio;
use crate::util::count::counted;
use crate::util::{catch_panic, operator_log};

impl App {
    /// Sets the destination of text that is printed to standard output while [`App::run_stdio`] runs. Default: standard
    /// error.
    pub fn stdout(mut self, policy: StdoutPolicy) -> App {
        self.fixed.add("stdout");
        self.stdio.stdout = policy;
        self
    }

    /// Sets the maximum length of a message in bytes; a longer message is rejected and skipped. Default: 16 MiB.
    pub fn max_line(mut self, bytes: usize) -> App {
        self.fixed.add("max_line");
        self.stdio.max_line = bytes.max(1024);
        self
    }

    /// Sets whether the server stops, within ten seconds, when the parent process ends. Default: true, unless this
    /// process is process 1 or its child, as in a container, or the parent has ended before.
    ///
    /// Most parents close standard input when they end, which is noticed at once; this setting is for parents whose end
    /// of the pipe another process keeps open.
    pub fn watch_parent(mut self, watch: bool) -> App {
        self.fixed.add("watch_parent");
        self.stdio.watch_parent = watch;
        self
    }

    /// Serves this app on standard input and output until the client closes its end, the process is asked to stop
    /// (SIGTERM, SIGINT, SIGHUP; on Windows Ctrl-C, Ctrl-Break, or the end of the console or the session), or its
    /// parent ends.
    ///
    /// Running calls then have five seconds to end, and all [states](App::state) are dropped before this method
    /// returns, even if it fails. A second signal ends the calls at once, and the process within a second, even if
    /// [`App::on_shutdown`] functions still run; a signal after this method has returned ends the process, too. A
    /// server that is still making its states ends without waiting for them. If a handler or a state blocks the runtime
    /// so that this method cannot return, the process is ended, because it must not outlive its client.
    ///
    /// From the first moment on, standard input and output belong to the protocol. Text that the program, its libraries
    /// and its child processes print goes to standard error, and printing never waits for a reader (see
    /// [`StdoutPolicy`]). Reads from standard input return nothing. The method does not restore the client's streams
    /// when it returns, so it can be called once per process.
    ///
    /// # Errors
    ///
    /// Fails if the app's configuration is invalid (see [`App::check`]), if it is called a second time, if the streams
    /// cannot be set up, if a state cannot be made (see [`App::state_with`]), or if a stream fails while the client is
    /// connected, such as standard output on a full disk. A malformed message is answered, and is not an error of this
    /// method. It also fails outside of a tokio runtime with timers; `#[mcp::main]`, `#[tokio::main]` and a runtime
    /// builder with `enable_all()` provide one.
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
        self.serve_stdio().await
    }

    /// Serves the app for [`App::run_stdio`]. The future is boxed, so that it is compiled with the library, by the
    /// profile of the library, and not into the `main` of each program.
    #[inline(never)]
    fn serve_stdio(self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
        Box::pin(self.serve_standard_streams())
    }

    async fn serve_standard_streams(self) -> Result<(), Error> {
        catch_panic::install_hook();
        runtime::check_timers()?;
        let _flush = stdio::FlushPrintsOnDrop;
        // If this future is dropped, threads still hold the server, and only this guard drops its states.
        let states = StatesGuard(Arc::clone(&self.state_owner));
        let served = self.serve_wire().await;
        states.0.release(|| ()).await;
        served
    }

    async fn serve_wire(mut self) -> Result<(), Error> {
        self.fixed.add("transport");
        self.fixed.add("bind");
        self.apply_settings_to_serve()?;
        let config = self.stdio.clone();
        if config.stdout != StdoutPolicy::Inherit {
            stdio::mute_shared_stderr();
        }
        self.log_settings();
        if cfg!(panic = "abort") {
            operator_log::warn(format_args!(
                "this program is built with `panic = \"abort\"`: a panic in a tool ends the server instead of answering its call"
            ));
        }
        self.validate()?;
        let on_terminal = std::io::stdin().is_terminal();
        let wire = stdio::claim(config.stdout)
            .map_err(|error| Error::transport("cannot set up standard input and output", error))?;
        self.warn_about_version();
        self.fit_request_state(config.max_line);
        let states = Arc::clone(&self.state_owner);
        // Text that is printed while states are made must not reach the client either.
        let start = async {
            let server = Arc::new(self.start().await?);
            if on_terminal {
                print_greeting(&server);
            }
            Ok(server)
        };
        stdio::serve(start, states, wire, &config).await
    }
}

/// Releases the states when the program drops the future of the server, and waits until they are dropped.
struct StatesGuard(Arc<StateOwner>);

impl Drop for StatesGuard {
    fn drop(&mut self) {
        self.0.release_blocking();
    }
}

/// Explains on the terminal that the server waits for a client, in case a person has started it by hand.
fn print_greeting(server: &Server) {
    let program = std::env::args_os().next().unwrap_or_else(|| "this-program".into());
    let program = program.to_string_lossy();
    let end = if cfg!(windows) { "Ctrl-Z and Enter" } else { "Ctrl-D" };
    operator_log::write_line(&format!(
        "{} {} is an MCP server: it reads JSON-RPC messages from standard input, one per line.\n\
         It has {}. Connect a client to it, or inspect it with:\n\
         \x20   npx @modelcontextprotocol/inspector {program}\n\
         To end it, press {end}.",
        server.config.name,
        server.config.version,
        counted(server.registry.load().tools.entries().len(), "tool"),
    ));
}
