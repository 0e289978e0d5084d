//! Sends the spans of requests, and the spans inside of them, to an OpenTelemetry collector.
//!
//! OTLP is sent as protobuf over HTTP. The exporter has its own thread and a bounded queue, so its HTTP client may
//! block: the client needs few packages, uses rustls, and needs no runtime. An unreachable collector costs spans and an
//! occasional line in the log; it never delays a call.
//!
//! Variables: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::protocol::trace_context::TraceContext;
use crate::util::operator_log;

/// The time limit for sending the last spans before a server returns.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// The default time limit for a collector's response.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a collector's response that are read.
const MAX_RESPONSE: u64 = 1 << 20;

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Returns true if the variables name a collector and do not turn traces off.
fn is_configured() -> bool {
    is_allowed()
        && ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
            .iter()
            .any(|name| read_variable(name).is_some())
}

fn is_allowed() -> bool {
    !read_variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        && read_variable("OTEL_TRACES_EXPORTER").is_none_or(|value| value != "none")
}

/// Reads a variable. An empty variable counts as absent, as the specification requires.
fn read_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the layer that sends spans, or `None` if spans are turned off or the exporter cannot be created.
pub(crate) fn layer<S>() -> Option<impl Layer<S> + Send + Sync + 'static>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    if !is_allowed() {
        return None;
    }
    if PROVIDER.get().is_none() {
        match build_provider() {
            Ok(provider) => drop(PROVIDER.set(provider)),
            Err(error) => {
                operator_log::warn(format_args!(
                    "traces are not sent, because the exporter cannot be created: {error}"
                ));
                return None;
            }
        }
    }
    let tracer = PROVIDER.get()?.tracer("fastmcp_rs");
    // Operators of a server look for the work of its tools; the place in the source adds nothing to that.
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Some(layer.with_filter(LevelFilter::INFO))
}

/// Adds the layer that sends spans to a subscriber, if `traces` or else the variables ask for it.
pub(crate) fn add_layer<S>(subscriber: S, traces: Option<bool>) -> impl Subscriber + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    subscriber.with(if traces.unwrap_or_else(is_configured) { layer() } else { None })
}

fn build_provider() -> Result<SdkTracerProvider, Box<dyn std::error::Error>> {
    if let Some(protocol) =
        read_variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or(read_variable("OTEL_EXPORTER_OTLP_PROTOCOL"))
    {
        if protocol != "http/protobuf" {
            operator_log::warn(format_args!("traces are sent as http/protobuf: {protocol:?} is not supported"));
        }
    }
    let timeout = read_variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or(read_variable("OTEL_EXPORTER_OTLP_TIMEOUT"));
    let timeout = timeout.and_then(|timeout| timeout.parse().ok()).map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(OtlpClient::new(timeout))
        .with_protocol(Protocol::HttpBinary)
        .build()?;
    let mut resource = Resource::builder();
    let has_name = read_variable("OTEL_SERVICE_NAME").is_some()
        || read_variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| attributes.contains("service.name="));
    if let (false, Some(program)) = (has_name, program_name()) {
        resource = resource.with_service_name(program);
    }
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
}

/// Returns the name of the program, which is more useful than the default, an unknown service.
fn program_name() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(program.file_stem()?.to_str()?.to_owned())
}

/// Returns true if spans are sent.
pub(crate) fn is_enabled() -> bool {
    PROVIDER.get().is_some()
}

/// Sends the remaining spans, for at most [`FLUSH_TIMEOUT`].
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // Flushing blocks, and on a thread of the runtime it would wait for that runtime.
    let flushing = std::thread::Builder::new().name("mcp-traces".into()).spawn(move || {
        let _ = provider.force_flush();
        let _ = sender.send(());
    });
    if flushing.is_ok() {
        let _ = tokio::time::timeout(FLUSH_TIMEOUT, receiver).await;
    }
}

/// Sets the parent of a request's span, and links the span of its transport.
pub(super) fn link_parents(span: &Span, trace: Option<&TraceContext>, linked: Option<&TraceContext>) {
    if span.is_disabled() {
        return;
    }
    if let Some(trace) = trace {
        // This fails if no subscriber sends spans.
        let _ = span.set_parent(context(trace));
    }
    if let Some(linked) = linked.map(context) {
        span.add_link(linked.span().span_context().clone());
    }
}

fn context(trace: &TraceContext) -> Context {
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), trace);
    BaggagePropagator::new().extract_with_context(&parent, trace)
}

impl Extractor for TraceContext {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent.as_deref(),
            "tracestate" => self.tracestate.as_deref(),
            "baggage" => self.baggage.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate", "baggage"]
    }
}

/// The HTTP client that sends spans, on the exporter's thread.
#[derive(Debug)]
struct OtlpClient {
    agent: ureq::Agent,
    failures: AtomicU64,
}

impl OtlpClient {
    fn new(timeout: Duration) -> OtlpClient {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .user_agent(concat!("fastmcp-rs/", env!("CARGO_PKG_VERSION")))
            .build();
        OtlpClient { agent: config.into(), failures: AtomicU64::new(0) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let response = self.agent.run(Request::from_parts(parts, &body[..]))?;
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }

    /// Logs a failure if the number of failures so far is a power of two, so that a collector that is down for a day
    /// does not fill the log.
    fn log_failure(&self, problem: &dyn std::fmt::Display) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures.is_power_of_two() {
            operator_log::warn(format_args!("cannot send traces ({failures} failures so far): {problem}"));
        }
    }
}

#[async_trait]
impl HttpClient for OtlpClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = self.send(request);
        match &answered {
            Ok(response) if !response.status().is_success() => {
                self.log_failure(&format_args!("the collector responded with {}", response.status()));
            }
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(error) => self.log_failure(error),
        }
        answered
    }
}
