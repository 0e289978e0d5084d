//! The span of a request.
//!
//! Each method has its own call site, which is named after the method. So filters and subscribers without OpenTelemetry
//! have good names too, and an exporter takes the full name from `otel.name`. All fields except the outcome are set
//! when the span begins, because samplers decide at that moment.

use std::borrow::Cow;
use std::net::IpAddr;

use tracing::Span;
use tracing::field::Empty;

use super::{OTHER_METHOD, Target, otel};
use crate::protocol::method::method_table;
use crate::protocol::trace_context::TraceContext;
use crate::protocol::{Outcome, ProtocolMethod};

/// The longest name sent by a peer that is recorded, in bytes: the named component need not exist.
const MAX_NAME: usize = 128;
/// The longest `tracestate` that is recorded, in bytes; the W3C asks implementations to keep at least this length.
const MAX_TRACESTATE: usize = 512;

/// Returns true if a subscriber wants the spans of requests. Without a subscriber this costs one comparison.
#[inline]
pub(crate) fn is_enabled() -> bool {
    tracing::span_enabled!(target: "fastmcp_rs", tracing::Level::INFO)
}

/// The facts of a request that are known when it begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanAttributes<'a> {
    pub(crate) method: Option<ProtocolMethod>,
    pub(crate) id: &'a str,
    pub(crate) version: Option<&'static str>,
    pub(crate) session: Option<&'a str>,
    /// The requested component: its kind, its name, and whether it exists.
    pub(crate) target: Option<(Target, &'a str, bool)>,
    /// The URI of a resource, if the author wrote it in full.
    pub(crate) uri: Option<&'a str>,
    pub(crate) transport: Option<&'static str>,
    pub(crate) http_version: Option<&'static str>,
    pub(crate) client: Option<(IpAddr, Option<u16>)>,
}

/// Begins the span of a request. `own` is the trace context in the request; `of_transport` is the trace context in the
/// transport's headers: it becomes the parent if the request has none, and a link otherwise.
pub(crate) fn start_span(
    attributes: &SpanAttributes<'_>,
    own: TraceContext,
    of_transport: Option<&TraceContext>,
) -> Span {
    let says_itself = own.traceparent.is_some();
    let trace = of_transport.map_or_else(|| own.clone(), |of_transport| own.clone().or(of_transport));
    // An enclosing span of the server has read the headers itself, and is a closer parent.
    let is_adopted = trace.traceparent.is_some() && (says_itself || Span::current().is_none());
    let named =
        |wanted| attributes.target.filter(|(target, ..)| *target == wanted).map(|(_, name, _)| truncate_name(name));
    let (tool, prompt, resource) = (named(Target::Tool), named(Target::Prompt), named(Target::Resource));
    // The name of a span must not contain names that a peer invented. By convention, it does not contain names of
    // resources.
    let known = attributes.target.filter(|(target, _, exists)| *exists && *target != Target::Resource);
    let name = match known {
        Some((_, name, _)) => format!("{} {name}", method_name(attributes.method)),
        None => method_name(attributes.method).to_owned(),
    };
    let client = attributes.client.map(|(address, port)| (address.to_canonical().to_string(), port.map(i64::from)));
    let traceparent = trace.traceparent.as_deref();
    // The exporter records it as the parent.
    let traceparent = traceparent.filter(|_| !otel::is_enabled());
    let tracestate = traceparent.and(trace.tracestate.as_deref()).filter(|state| state.len() <= MAX_TRACESTATE);
    let fields = SpanFields {
        name: &name,
        version: attributes.version,
        session: attributes.session,
        id: attributes.id.trim_matches('"'),
        operation: tool.map(|_| "execute_tool"),
        tool,
        prompt,
        resource,
        uri: attributes.uri,
        transport: attributes.transport,
        protocol: attributes.http_version.map(|_| "http"),
        http_version: attributes.http_version,
        address: client.as_ref().map(|(address, _)| address.as_str()),
        port: client.as_ref().and_then(|(_, port)| *port),
        traceparent,
        tracestate,
    };
    let span = fields.span(attributes.method);
    otel::link_parents(&span, is_adopted.then_some(&trace), of_transport.filter(|_| says_itself));
    span
}

/// Records the outcome of a request.
pub(crate) fn record_outcome(span: &Span, outcome: Outcome) {
    let Some(error_type) = error_type(outcome) else { return };
    span.record("error.type", &*error_type);
    // A client that cancels its request is not a failure of the server.
    if outcome != Outcome::Cancelled {
        span.record("otel.status_code", "ERROR");
    }
    if let Outcome::Error(_) = outcome {
        span.record("rpc.response.status_code", &*error_type);
    }
}

/// Returns the `error.type` of the conventions, or `None` for a success.
fn error_type(outcome: Outcome) -> Option<Cow<'static, str>> {
    match outcome {
        Outcome::Ok => None,
        Outcome::ToolError => Some("tool_error".into()),
        Outcome::Error(code) => Some(code.to_string().into()),
        Outcome::Cancelled | Outcome::Unfinished => Some("cancelled".into()),
    }
}

struct SpanFields<'a> {
    name: &'a str,
    version: Option<&'a str>,
    session: Option<&'a str>,
    id: &'a str,
    operation: Option<&'a str>,
    tool: Option<&'a str>,
    prompt: Option<&'a str>,
    resource: Option<&'a str>,
    uri: Option<&'a str>,
    transport: Option<&'a str>,
    protocol: Option<&'a str>,
    http_version: Option<&'a str>,
    address: Option<&'a str>,
    port: Option<i64>,
    traceparent: Option<&'a str>,
    tracestate: Option<&'a str>,
}

impl SpanFields<'_> {
    fn span(&self, method: Option<ProtocolMethod>) -> Span {
        macro_rules! span {
            ($name:literal) => {
                tracing::info_span!(
                    target: "fastmcp_rs",
                    $name,
                    otel.name = self.name,
                    otel.kind = "server",
                    otel.status_code = Empty,
                    mcp.method.name = $name,
                    mcp.protocol.version = self.version,
                    mcp.session.id = self.session,
                    mcp.resource.name = self.resource,
                    mcp.resource.uri = self.uri,
                    jsonrpc.request.id = self.id,
                    gen_ai.operation.name = self.operation,
                    gen_ai.tool.name = self.tool,
                    gen_ai.prompt.name = self.prompt,
                    rpc.response.status_code = Empty,
                    "error.type" = Empty,
                    network.transport = self.transport,
                    network.protocol.name = self.protocol,
                    network.protocol.version = self.http_version,
                    client.address = self.address,
                    client.port = self.port,
                    traceparent = self.traceparent,
                    tracestate = self.tracestate,
                )
            };
        }
        macro_rules! spans {
            (requests { $($method:ident = $name:literal,)* } $($others:tt)*) => {
                match method {
                    $(Some(ProtocolMethod::$method) => span!($name),)*
                    _ => span!("_OTHER"),
                }
            };
        }
        method_table!(spans)
    }
}

/// Returns the name of the method of a request.
fn method_name(method: Option<ProtocolMethod>) -> &'static str {
    method.filter(|method| method.is_request()).map_or(OTHER_METHOD, ProtocolMethod::as_str)
}

/// Cuts a text that a peer may have invented to a bounded length.
fn truncate_name(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_NAME)).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or_default()]
}
