//! A ready-made `tracing` subscriber for servers, and a layer that forwards the events of a call to its client.

mod client_layer;
mod stderr_writer;

use std::io::IsTerminal;

pub use client_layer::ClientLayer;
use stderr_writer::StderrWriter;
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt};

use crate::telemetry::otel;
use crate::util::operator_log;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Plain on a terminal, JSON elsewhere. The default.
    #[default]
    Auto,
    /// One line of text per event.
    Plain,
    /// One JSON object per line.
    Json,
}

/// Options of [`init_with`].
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::logging::{self, ClientLayer, Format, Options};
///
/// logging::init_with(Options::new().format(Format::Plain).to_clients(ClientLayer::new()));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until they are passed to `init_with`"]
pub struct Options {
    pub(crate) format: OptionValue<Format>,
    clients: Option<ClientLayer>,
    pub(crate) requests: OptionValue<bool>,
    traces: Option<bool>,
    /// The operator's filter, and whether it takes precedence over `RUST_LOG`.
    #[cfg(feature = "settings")]
    filter: Option<(String, bool)>,
}

/// An option that the program sets in its code, and with the feature `settings` its operator as well.
#[derive(Clone, Debug, Default)]
pub(crate) struct OptionValue<T> {
    code: Option<T>,
    #[cfg(feature = "settings")]
    operator: Option<OperatorValue<T>>,
}

#[cfg(feature = "settings")]
#[derive(Clone, Debug)]
struct OperatorValue<T> {
    value: T,
    /// Whether the value replaces that of the code.
    is_overriding: bool,
    /// The line to log if the value has no effect.
    warning: String,
}

impl<T: Default> OptionValue<T> {
    #[cfg(feature = "settings")]
    pub(crate) fn set_by_operator(&mut self, value: T, is_overriding: bool, warning: String) {
        self.operator = Some(OperatorValue { value, is_overriding, warning });
    }

    /// Returns the value that applies, and a warning if the operator's value does not.
    fn resolve(self) -> (T, Option<String>) {
        #[cfg(feature = "settings")]
        if let Some(OperatorValue { value, is_overriding, warning }) = self.operator {
            if is_overriding || self.code.is_none() {
                return (value, None);
            }
            return (self.code.unwrap_or_default(), Some(warning));
        }
        (self.code.unwrap_or_default(), None)
    }
}

impl Options {
    /// Creates the default options: plain lines on a terminal, JSON elsewhere, nothing for clients.
    pub fn new() -> Options {
        Options::default()
    }

    /// Sets the format of the lines on standard error.
    pub fn format(mut self, format: Format) -> Options {
        self.format.code = Some(format);
        self
    }

    /// Sets whether each line has the facts of its request: method, tool, id and others. Default: false, because each
    /// request then has a span, which costs some microseconds.
    pub fn requests(mut self, show: bool) -> Options {
        self.requests.code = Some(show);
        self
    }

    /// Sets whether spans are sent to an OpenTelemetry collector. By default they are sent if one of the variables
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set; `true` sends them even without
    /// these variables, to `http://localhost:4318`.
    #[cfg(feature = "otel")]
    pub fn traces(mut self, send: bool) -> Options {
        self.traces = Some(send);
        self
    }

    /// Forwards the events of a call to its client too. `RUST_LOG` does not affect which events are forwarded.
    pub fn to_clients(mut self, layer: ClientLayer) -> Options {
        self.clients = Some(layer);
        self
    }

    /// Sets the filter of the operator. The variable `RUST_LOG` takes precedence over a filter that is not preferred.
    #[cfg(feature = "settings")]
    pub(crate) fn set_filter(&mut self, filter: String, is_preferred: bool) {
        self.filter = Some((filter, is_preferred));
    }

    fn filter(&self) -> EnvFilter {
        let from_variable = EnvFilter::try_from_default_env();
        #[cfg(feature = "settings")]
        if let Some((filter, is_preferred)) = &self.filter {
            // A variable that is empty or unreadable is as good as none.
            let has_variable = std::env::var("RUST_LOG").is_ok_and(|text| !text.trim().is_empty());
            if *is_preferred || !has_variable || from_variable.is_err() {
                return EnvFilter::new(filter);
            }
        }
        from_variable.unwrap_or_else(|_| EnvFilter::new("info"))
    }
}

impl From<Format> for Options {
    fn from(format: Format) -> Options {
        Options::new().format(format)
    }
}

/// Returns a layer that sends spans of level `INFO` and above, with the events inside of them, to an OpenTelemetry
/// collector. Use it in a subscriber of your own instead of [`init`].
///
/// The variables `OTEL_…` configure it, such as `OTEL_EXPORTER_OTLP_ENDPOINT` (default: `http://localhost:4318`) and
/// `OTEL_SERVICE_NAME` (default: the name of the program). Returns `None` if the variables turn traces off
/// (`OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER=none`) or are invalid, which is logged. Remaining spans are sent when
/// [`App::run_stdio`](crate::App::run_stdio) or [`App::run_http`](crate::App::run_http) returns.
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::logging::otel_layer;
/// use tracing_subscriber::prelude::*;
///
/// let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
/// tracing_subscriber::registry().with(lines).with(otel_layer()).init();
/// ```
#[cfg(feature = "otel")]
pub fn otel_layer<S>() -> Option<impl tracing_subscriber::Layer<S> + Send + Sync + 'static>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span> + Send + Sync,
{
    otel::layer()
}

/// Returns true for the span of a request.
fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == "fastmcp_rs"
}

/// Writes `tracing` events to standard error, without ever waiting for a reader.
///
/// Events of level `INFO` and above are written; the environment variable `RUST_LOG` changes that, as in
/// `RUST_LOG=debug` or `RUST_LOG=my_server=trace`. If standard error is not read and the queue is full, lines are
/// dropped and counted. With the feature `otel`, spans are sent to a collector if `OTEL_EXPORTER_OTLP_ENDPOINT` names
/// one. If a subscriber is already installed, for example by an earlier call, this changes nothing.
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
    init_with(Options::new());
}

/// Does the same as [`init`], with a [`Format`] or [`Options`].
pub fn init_with(options: impl Into<Options>) {
    let options = options.into();
    let filter = options.filter();
    let (format, format_warning) = options.format.resolve();
    let (requests, requests_warning) = options.requests.resolve();
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Plain => false,
        Format::Json => true,
    };
    let lines = fmt::layer().with_writer(move || StderrWriter { is_json: json }).with_ansi(terminal);
    let filter = filter.and(filter_fn(move |metadata| requests || !is_request(metadata)));
    // Each layer has its own filter: an event that the operator does not want may still be for the client.
    let lines = if json { lines.json().with_filter(filter).boxed() } else { lines.with_filter(filter).boxed() };
    let clients = options.clients.map(ClientLayer::filtered);
    let subscriber = tracing_subscriber::registry().with(lines).with(clients);
    // If another subscriber is installed, it stays.
    let _ = otel::add_layer(subscriber, options.traces).try_init();
    for warning in [format_warning, requests_warning].into_iter().flatten() {
        operator_log::warn(format_args!("{warning}"));
    }
}
