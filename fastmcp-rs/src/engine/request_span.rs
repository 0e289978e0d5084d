//! Starts the observation of a request: its timer, and its span with the known facts.

use serde_json::{Map, Value};
use tracing::Span;

use super::instrument::Instrumentation;
use super::request::IncomingRequest;
use crate::context::Transport;
use crate::json::object::string_value;
use crate::protocol::frame::find_meta;
use crate::protocol::trace_context::TraceContext;
use crate::protocol::{ProtocolMethod, Revision};
use crate::registry::ListEntry;
use crate::telemetry::metrics::RequestTimer;
use crate::telemetry::{Target, span};

/// Starts to observe a request. A request that has to wait gets no span yet: it is dispatched again when there is a
/// permit for it.
#[cold]
pub(super) fn start_instrumentation(request: &IncomingRequest<'_>) -> Instrumentation {
    // The clock is read first.
    let timer = request.connection.server.metrics.as_ref().map(|metrics| RequestTimer::start(metrics, request.method));
    let span = if span::is_enabled() && !has_to_wait(request) { start_request_span(request) } else { Span::none() };
    Instrumentation { span, timer }
}

/// Returns true if the request will be kept until others have ended.
fn has_to_wait(request: &IncomingRequest<'_>) -> bool {
    let is_admitted = request.is_batch_member || request.holds_permit();
    !is_admitted
        && request.exchange.is_none()
        && is_answered_by_handler(request.method)
        && request.connection.in_flight_if_used().is_some_and(|calls| calls.is_full())
}

/// Returns true for methods whose requests a handler or a layer answers.
fn is_answered_by_handler(method: Option<ProtocolMethod>) -> bool {
    use ProtocolMethod::{Listen, Subscribe, Unsubscribe};
    !matches!(method, Some(Listen | Subscribe | Unsubscribe))
}

fn start_request_span(request: &IncomingRequest<'_>) -> Span {
    let connection = request.connection;
    let params = request.frame.params();
    let registry = request.registry;
    let name = params.and_then(|params| params.name).and_then(string_value);
    let uri = params.and_then(|params| params.uri).and_then(string_value);
    let target = match (request.method, &name) {
        (Some(ProtocolMethod::CallTool), Some(name)) => Some((Target::Tool, &**name, registry.tool(name).is_some())),
        (Some(ProtocolMethod::GetPrompt), Some(name)) => {
            Some((Target::Prompt, &**name, registry.prompts.find(name).is_some()))
        }
        _ => None,
    };
    // The URI of a template contains arguments, so only the URIs of plain resources are recorded.
    let resource = uri.and_then(|uri| registry.resources.find(&uri));
    let transport_info = request.exchange.map(|exchange| exchange.transport_info).unwrap_or_default();
    let attributes = span::SpanAttributes {
        method: request.method,
        id: request.id.as_str(),
        version: request_revision(request).map(|revision| revision.as_str()),
        session: connection.session_label.get().map(|label| &**label),
        target,
        uri: resource.map(|resource| resource.key()),
        transport: match connection.transport {
            Transport::Stdio => Some("pipe"),
            Transport::Http if transport_info.is_by_unix_socket => Some("unix"),
            Transport::Http => Some("tcp"),
            Transport::Memory => None,
        },
        http_version: transport_info.http_version,
        client: transport_info.client,
    };
    let (own, of_transport) = traces(request);
    span::start_span(&attributes, own, of_transport.as_deref())
}

/// Returns the revision of the request, or `None` if it is unknown or not negotiated yet.
fn request_revision(request: &IncomingRequest<'_>) -> Option<Revision> {
    match request.frame.meta().and_then(|meta| meta.protocol_version) {
        Some(version) => string_value(version).and_then(|version| Revision::parse(&version)),
        None => request.connection.session().map(|session| session.revision),
    }
}

/// Returns the trace that a request names, and the trace in the headers of its transport.
fn traces(request: &IncomingRequest<'_>) -> (TraceContext, Option<Box<TraceContext>>) {
    let meta = request.frame.meta().and_then(|_| find_meta(request.message));
    let meta: Option<Map<String, Value>> = meta.and_then(|meta| serde_json::from_str(meta).ok());
    let own = meta.map(|meta| TraceContext::from_meta(&meta)).unwrap_or_default();
    (own, request.exchange.and_then(|exchange| exchange.transport_info.trace()))
}
