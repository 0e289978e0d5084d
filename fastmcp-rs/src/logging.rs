//! A ready `tracing` subscriber that suits a server on standard input and output.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::operator::Stderr;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Plain on a terminal, JSON elsewhere. The default.
    #[default]
    Auto,
    /// A line for people.
    Plain,
    /// A JSON object a line.
    Json,
}

/// Sends `tracing` events to standard error, without ever waiting for it to be read.
///
/// Events of level `INFO` and above are shown; the environment variable `RUST_LOG` changes that, as in
/// `RUST_LOG=debug` or `RUST_LOG=my_server=trace`. Lines that find no room, because nobody reads standard
/// error, are dropped and counted. A second call, or a subscriber that is already there, changes nothing.
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::main]
/// async fn main() -> Result<(), fastmcp_rs::Error> {
///     fastmcp_rs::logging::init();
///     App::new("orders").run_stdio().await
/// }
/// ```
pub fn init() {
    init_with(Format::Auto);
}

/// [`init`] with a choice of format.
pub fn init_with(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Stderr).with_ansi(terminal);
    let json = match format {
        Format::Auto => !terminal,
        Format::Plain => false,
        Format::Json => true,
    };
    // Somebody else's subscriber stays.
    let _ = if json { subscriber.json().try_init() } else { subscriber.try_init() };
}
