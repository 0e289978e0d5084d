//! A `tracing` layer that forwards the events of a call to its client.

use std::error::Error as StdError;
use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::context::current_call;
use crate::protocol::LoggingLevel;

/// Forwards the `tracing` events of a call to its client, as `notifications/message`.
///
/// An event belongs to a call if it is emitted while the tool, resource or prompt runs: in its body or in a helper,
/// `async` or on a thread for blocking work. Tasks and threads that a handler spawns do not belong to the call. As with
/// [`Context::log`](crate::Context::log), the client decides which events it gets: a client of 2026-07-28 sets the
/// level in the request, and gets nothing without it; earlier clients get events from `info` on until they send
/// `logging/setLevel`.
///
/// | `tracing` | client |
/// |---|---|
/// | `ERROR` | `error` |
/// | `WARN` | `warning` |
/// | `INFO` | `info` |
/// | `DEBUG`, `TRACE` | `debug`, if [`ClientLayer::max_level`] allows it |
///
/// The `logger` is the name of the component. The `data` of an event without fields is its message; otherwise it is an
/// object of the fields, with the message as `message`. Fields of spans are left out.
///
/// # Privacy
///
/// Events of fastmcp-rs itself, which contain the details that responses leave out, are never forwarded. Events of
/// **other libraries are**: a database library may log queries. By default only events of level `INFO` and above are
/// forwarded; to forward less, name your own crates with [`ClientLayer::targets`].
///
/// # Installation
///
/// Install it beside a layer for the operator, as [`Options::to_clients`](super::Options::to_clients) does, and before
/// the app runs: a server declares at its start whether it logs.
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::logging::ClientLayer;
/// use fastmcp_rs::prelude::*;
/// use tracing_subscriber::prelude::*;
///
/// #[mcp::main]
/// async fn main() -> Result<(), fastmcp_rs::Error> {
///     // For the operator: clients do not get the details of errors.
///     let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
///     tracing_subscriber::registry().with(lines).with(ClientLayer::new().targets(["my_server"])).init();
///     App::new("orders").run_stdio().await
/// }
/// ```
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is part of a subscriber"]
pub struct ClientLayer {
    max_level: tracing::Level,
    /// The targets to forward; empty for all.
    targets: Vec<String>,
}

impl ClientLayer {
    /// Forwards events of level `INFO` and above, from all crates except this one.
    pub fn new() -> ClientLayer {
        ClientLayer { max_level: tracing::Level::INFO, targets: Vec::new() }
    }

    /// Sets the most verbose level that is forwarded. Default: `INFO`.
    pub fn max_level(mut self, level: tracing::Level) -> ClientLayer {
        self.max_level = level;
        self
    }

    /// Forwards only the events of these targets, which are crates or modules: `my_server` includes
    /// `my_server::orders`.
    pub fn targets<T: Into<String>>(mut self, targets: impl IntoIterator<Item = T>) -> ClientLayer {
        self.targets = targets.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a filter, so that events that are not forwarded are not even created.
    pub(super) fn filtered<S>(self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let level = self.max_level;
        // The layer uses no spans, so none are created for it.
        let filter = filter_fn(move |metadata| metadata.is_event() && *metadata.level() <= level);
        self.with_filter(filter.with_max_level_hint(level))
    }

    fn forwards(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        *metadata.level() <= self.max_level
            && !is_in_module(target, "fastmcp_rs")
            && (self.targets.is_empty() || self.targets.iter().any(|module| is_in_module(target, module)))
    }
}

impl Default for ClientLayer {
    fn default() -> ClientLayer {
        ClientLayer::new()
    }
}

/// Returns true if a target is a module or inside of it.
fn is_in_module(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl<S: Subscriber> Layer<S> for ClientLayer {
    fn on_layer(&mut self, _: &mut S) {
        // The current call is recorded only from now on.
        current_call::enable();
    }

    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let metadata = event.metadata();
        if !self.forwards(metadata) {
            return;
        }
        let Some(call) = current_call::current() else { return };
        let level = match *metadata.level() {
            tracing::Level::ERROR => LoggingLevel::Error,
            tracing::Level::WARN => LoggingLevel::Warning,
            tracing::Level::INFO => LoggingLevel::Info,
            _ => LoggingLevel::Debug,
        };
        if call.accepts_log(level) {
            let mut fields = EventFields::default();
            event.record(&mut fields);
            call.log(level, fields.into_data());
        }
    }
}

/// The fields of an event as JSON.
#[derive(Default)]
struct EventFields(Map<String, Value>);

impl EventFields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        // The source of an event from the crate `log` is of use only to the operator.
        if !field.name().starts_with("log.") {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }

    fn into_data(mut self) -> Value {
        match self.0.remove("message") {
            Some(message) if self.0.is_empty() => message,
            Some(message) => {
                self.0.shift_insert(0, "message".to_owned(), message);
                self.0.into()
            }
            None => self.0.into(),
        }
    }
}

impl Visit for EventFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // In JSON, NaN and infinity would become `null`.
        if value.is_finite() {
            self.insert(field, value);
        } else {
            self.insert(field, value.to_string());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        self.insert(field, value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::is_in_module;

    #[test]
    fn a_target_covers_a_module_and_its_submodules() {
        assert!(is_in_module("fastmcp_rs", "fastmcp_rs") && is_in_module("fastmcp_rs::middleware", "fastmcp_rs"));
        assert!(!is_in_module("fastmcp_rs_extras", "fastmcp_rs") && !is_in_module("my", "my_server"));
    }
}
