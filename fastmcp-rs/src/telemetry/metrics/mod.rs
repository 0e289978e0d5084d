//! Metrics of a running server, in the text format of Prometheus.
//!
//! A call costs two clock readings and three additions: no lock, no allocation, no look-up.
//! Each method has its series from the start, and each component looks its series up once and keeps it. A series has
//! one histogram per outcome, which is created when that outcome first occurs. Values that can be read at any time,
//! such as the number of sessions, are read only when the metrics are rendered.
//!
//! The usual libraries take a lock for each value of a histogram, or bring a dozen packages; this module needs only an
//! array of counters and a page of text.
//!
//! Label values are the author's names, methods of the protocol, and codes from a fixed list. Peers cannot add values.
//!
//! Without the feature `metrics`, `noop.rs` takes the place of this file, with the same functions and without any state.

#[cfg(feature = "http")]
mod http;
mod render;
mod series;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

use series::Series;
pub(crate) use series::{ComponentSeries, RequestTimer};

use super::Target;
use crate::outgoing::depth::QueueDepth;
use crate::protocol::ProtocolMethod;
use crate::util::sync::Mutex;

/// The most components with a series of their own; further components are counted in the series of their method.
const MAX_COMPONENTS: usize = 10_000;

/// The metrics of a server, from [`App::metrics`](crate::App::metrics). It is cheap to clone.
///
/// # Example
///
/// ```
/// use fastmcp_rs::App;
///
/// let app = App::empty("orders");
/// let metrics = app.metrics();
/// // Serve the app, and answer Prometheus wherever it asks:
/// let text = metrics.render();
/// assert!(text.contains("# TYPE mcp_server_operation_duration_seconds histogram"));
/// ```
#[derive(Clone)]
pub struct Metrics {
    pub(crate) inner: Arc<MetricsInner>,
}

/// A component by its kind and its name.
type ComponentKey = (Target, Box<str>);

pub(crate) struct MetricsInner {
    started: f64,
    /// The name and the version of the server, once known.
    server: OnceLock<(Box<str>, Box<str>)>,
    /// The series of requests that address no component with a series of its own.
    methods: Vec<Arc<Series>>,
    components: Mutex<HashMap<ComponentKey, Arc<Series>>>,
    /// The number of HTTP responses per status, from 100 on.
    responses: [AtomicU64; 500],
    refused_connections: AtomicU64,
    /// The bytes of frames that wait for their peers to read.
    queued_bytes: QueueDepth,
    sources: Mutex<Vec<Arc<dyn GaugeSource>>>,
}

/// The metrics of an app, once they are enabled.
#[derive(Default)]
pub(crate) struct MetricsSlot(OnceLock<Metrics>);

impl MetricsSlot {
    pub(crate) fn get_or_enable(&self) -> &Metrics {
        self.0.get_or_init(Metrics::new)
    }

    pub(crate) fn into_inner(self) -> Option<Metrics> {
        self.0.into_inner()
    }
}

/// A source of values that can be read at any time.
trait GaugeSource: Send + Sync {
    fn is_alive(&self) -> bool;

    /// Adds the current values.
    fn read(&self, gauges: &mut GaugeValues);
}

/// An object whose values a function reads.
struct GaugeReader<T> {
    source: Weak<T>,
    read: fn(&T, &mut GaugeValues),
}

impl<T: Send + Sync> GaugeSource for GaugeReader<T> {
    fn is_alive(&self) -> bool {
        self.source.strong_count() > 0
    }

    fn read(&self, gauges: &mut GaugeValues) {
        if let Some(source) = self.source.upgrade() {
            (self.read)(&source, gauges);
        }
    }
}

/// The current values of all sources.
#[derive(Debug, Default)]
pub(crate) struct GaugeValues {
    waiting_calls: usize,
    http: Option<HttpGaugeValues>,
}

impl GaugeValues {
    /// Adds requests that wait for others to end.
    pub(crate) fn add_waiting_calls(&mut self, calls: usize) {
        self.waiting_calls += calls;
    }
}

/// The open connections, sessions and streams of an HTTP server.
#[derive(Debug, Default)]
struct HttpGaugeValues {
    connections: usize,
    sessions: usize,
    streams: usize,
}

impl Metrics {
    /// The media type of [`Metrics::render`], for the header `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    fn new() -> Metrics {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Metrics {
            inner: Arc::new(MetricsInner {
                started: started.as_secs_f64(),
                server: OnceLock::new(),
                methods: series::new_method_series(),
                components: Mutex::default(),
                responses: [const { AtomicU64::new(0) }; 500],
                refused_connections: AtomicU64::new(0),
                queued_bytes: QueueDepth::default(),
                sources: Mutex::default(),
            }),
        }
    }

    /// Renders all metrics in version 0.0.4 of the Prometheus text format.
    pub fn render(&self) -> String {
        self.to_string()
    }

    /// Sets the name and the version of the server.
    pub(crate) fn set_server(&self, name: &str, version: &str) {
        let _ = self.inner.server.set((name.into(), version.into()));
    }

    /// Returns the series of a component. Callers keep it, because this takes a lock.
    fn component_series(&self, target: Target, name: &str) -> Arc<Series> {
        let mut components = self.inner.components.lock();
        let component = (target, Box::from(name));
        if let Some(series) = components.get(&component) {
            return Arc::clone(series);
        }
        if components.len() >= MAX_COMPONENTS {
            return Arc::clone(self.method_series(Some(series::method_for(target))));
        }
        let series = Arc::new(Series::for_component(target, name));
        components.insert(component, Arc::clone(&series));
        series
    }

    fn method_series(&self, method: Option<ProtocolMethod>) -> &Arc<Series> {
        // The list has one more entry than there are methods.
        &self.inner.methods[series::method_index(method).min(self.inner.methods.len() - 1)]
    }

    /// Returns the sum to which outgoing queues add the bytes that they hold.
    pub(crate) fn queue_depth(&self) -> &QueueDepth {
        &self.inner.queued_bytes
    }

    /// Calls `read` with `source` whenever the metrics are rendered, as long as `source` is alive.
    pub(crate) fn add_source<T: Send + Sync + 'static>(&self, source: &Arc<T>, read: fn(&T, &mut GaugeValues)) {
        let mut sources = self.inner.sources.lock();
        sources.retain(|source| source.is_alive());
        sources.push(Arc::new(GaugeReader { source: Arc::downgrade(source), read }));
    }

    fn read_gauges(&self) -> GaugeValues {
        let sources = self.inner.sources.lock().clone();
        let mut gauges = GaugeValues::default();
        for source in sources {
            source.read(&mut gauges);
        }
        gauges
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        render::render(self, formatter)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_COMPONENTS, Metrics, Target};
    use crate::protocol::Outcome;

    #[test]
    fn components_beyond_the_limit_count_for_their_method() {
        let metrics = Metrics::new();
        for at in 0..MAX_COMPONENTS {
            metrics.component_series(Target::Tool, &at.to_string());
        }
        metrics.component_series(Target::Tool, "one too many").record(Outcome::Ok, Duration::ZERO);
        metrics.component_series(Target::Prompt, "another").record(Outcome::Ok, Duration::ZERO);
        let text = metrics.render();
        for method in ["tools/call", "prompts/get"] {
            let labels = "gen_ai_tool_name=\"\",gen_ai_prompt_name=\"\",mcp_resource_name=\"\",error_type=\"\"";
            let line = format!("mcp_server_requests_total{{mcp_method_name=\"{method}\",{labels}}} 1\n");
            assert!(text.contains(&line), "{line}");
        }
        assert!(!text.contains("one too many"));
    }
}
