//! Metrics of a running server, in the text format of Prometheus.
//!
//! A call costs two clock readings, a scan of its response and three additions: no lock, no allocation, no look-up.
//! Each method has its series from the start, and each component looks its series up once and keeps it. A series has
//! one histogram per outcome, which is created when that outcome first occurs. Values that can be read at any time,
//! such as the number of sessions, are read only when the metrics are rendered.
//!
//! The usual libraries take a lock for each value of a histogram, or bring a dozen packages; this module needs only an
//! array of counters and a page of text.
//!
//! Label values are the author's names, methods of the protocol, and codes from a fixed list. Peers cannot add values.

mod render;
mod series;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

pub(crate) use series::{RequestTimer, Series};

use super::Target;
use crate::protocol::ProtocolMethod;

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
    queued_bytes: Arc<AtomicI64>,
    sources: Mutex<Vec<Weak<dyn GaugeSource>>>,
}

/// A source of values that can be read at any time.
pub(crate) trait GaugeSource: Send + Sync {
    /// Adds the current values.
    fn read(&self, gauges: &mut GaugeValues);
}

/// The current values of all sources.
#[derive(Debug, Default)]
pub(crate) struct GaugeValues {
    pub(crate) waiting_calls: usize,
    pub(crate) http: Option<HttpGaugeValues>,
}

/// The open connections, sessions and streams of an HTTP server.
#[derive(Debug, Default)]
pub(crate) struct HttpGaugeValues {
    pub(crate) connections: usize,
    pub(crate) sessions: usize,
    pub(crate) streams: usize,
}

impl Metrics {
    /// The media type of [`Metrics::render`], for the header `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    pub(crate) fn new() -> Metrics {
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Metrics {
            inner: Arc::new(MetricsInner {
                started: started.as_secs_f64(),
                server: OnceLock::new(),
                methods: series::new_method_series(),
                components: Mutex::default(),
                responses: [const { AtomicU64::new(0) }; 500],
                refused_connections: AtomicU64::new(0),
                queued_bytes: Arc::default(),
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
    pub(crate) fn component_series(&self, target: Target, name: &str) -> Arc<Series> {
        let mut components = self.inner.components.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Counts an HTTP response with a status.
    pub(crate) fn count_response(&self, status: u16) {
        if let Some(count) = usize::from(status).checked_sub(100).and_then(|at| self.inner.responses.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a connection that was closed unread because there were too many, globally or from its address.
    pub(crate) fn count_refused_connection(&self) {
        self.inner.refused_connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the sum to which outboxes add the bytes that they hold.
    pub(crate) fn queued_bytes(&self) -> &Arc<AtomicI64> {
        &self.inner.queued_bytes
    }

    /// Reads `source` whenever the metrics are rendered, as long as it is alive.
    pub(crate) fn add_source(&self, source: Weak<dyn GaugeSource>) {
        let mut sources = self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| source.strong_count() > 0);
        sources.push(source);
    }

    fn read_gauges(&self) -> GaugeValues {
        let sources = self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut gauges = GaugeValues::default();
        for source in sources.iter().filter_map(Weak::upgrade) {
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
    use crate::telemetry::RequestOutcome;

    #[test]
    fn components_beyond_the_limit_count_for_their_method() {
        let metrics = Metrics::new();
        for at in 0..MAX_COMPONENTS {
            metrics.component_series(Target::Tool, &at.to_string());
        }
        metrics.component_series(Target::Tool, "one too many").record(RequestOutcome::Ok, Duration::ZERO);
        metrics.component_series(Target::Prompt, "another").record(RequestOutcome::Ok, Duration::ZERO);
        let text = metrics.render();
        for method in ["tools/call", "prompts/get"] {
            let labels = "gen_ai_tool_name=\"\",gen_ai_prompt_name=\"\",mcp_resource_name=\"\",error_type=\"\"";
            let line = format!("mcp_server_requests_total{{mcp_method_name=\"{method}\",{labels}}} 1\n");
            assert!(text.contains(&line), "{line}");
        }
        assert!(!text.contains("one too many"));
    }
}
