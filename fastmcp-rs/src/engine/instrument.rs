//! The observation of a request for the operator of the server: its span and its metrics.
//!
//! Only observed requests pass through here; all others are answered without reading the clock. A request is followed
//! from its frame to the frame that answers it: in place if it is ready at once, and inside of its
//! [`PendingCall`](super::PendingCall) otherwise, which enters the span at each poll.

use serde_json::{Map, Value};
use tracing::Span;

use super::{Connection, DispatchStatus, IncomingRequest, PermitState, TransportInfo, header_match};
use crate::context::Transport;
use crate::json::object::string_value;
use crate::protocol::frame::find_meta;
use crate::protocol::id::Id;
use crate::protocol::trace_context::TraceContext;
use crate::protocol::{ProtocolMethod, Revision};
use crate::registry::{ComponentHandler, ListEntry};
use crate::telemetry::metrics::RequestTimer;
use crate::telemetry::{RequestOutcome, Target, span};

/// A request whose span or metrics are recorded.
pub(crate) struct Instrumentation {
    span: Span,
    is_tool_call: bool,
    /// Whether the request may be kept until others have ended, instead of being answered.
    can_wait: bool,
    timer: Option<RequestTimer>,
}

impl Connection {
    /// Starts to observe a request. A request that has to wait gets no span yet: it is dispatched again when there is a
    /// place for it.
    #[cold]
    pub(crate) fn instrument(&self, request: &IncomingRequest<'_>) -> Instrumentation {
        let can_wait = can_wait(request);
        let is_full = can_wait && self.in_flight.get().is_some_and(|calls| calls.is_full());
        Instrumentation::new(self, request, can_wait, is_full)
    }

    /// Records the outcome of dispatching an observed request.
    #[cold]
    pub(crate) fn finish_instrumentation(
        &self,
        mut instrumentation: Instrumentation,
        mut dispatched: DispatchStatus,
        (id, method): (Id<'_>, Option<ProtocolMethod>),
        begin: usize,
        out: &[u8],
    ) -> DispatchStatus {
        match &mut dispatched {
            DispatchStatus::Pending(call) => {
                instrumentation.mark_running();
                call.set_instrumentation(instrumentation);
            }
            DispatchStatus::Done if out.len() > begin => instrumentation.record_response(out, id.as_str()),
            // The request waits.
            DispatchStatus::Done if instrumentation.can_wait => instrumentation.discard(),
            DispatchStatus::Done => {
                // The acknowledgement of a subscription has been sent already, and so have the frames that were ready
                // before it.
                let outcome =
                    if is_answered_by_handler(method) { RequestOutcome::Cancelled } else { RequestOutcome::Ok };
                instrumentation.record_outcome(outcome);
            }
        }
        dispatched
    }

    /// Returns the trace that a request names, and the trace in the headers of its transport.
    fn traces(&self, request: &IncomingRequest<'_>) -> (TraceContext, Option<Box<TraceContext>>) {
        let meta = request.frame.meta().and_then(|_| find_meta(request.message));
        let meta: Option<Map<String, Value>> = meta.and_then(|meta| serde_json::from_str(meta).ok());
        let own = meta.map(|meta| TraceContext::from_meta(&meta)).unwrap_or_default();
        (own, request.exchange.and_then(|exchange| exchange.transport_info.trace()))
    }

    /// Sets the label of this connection's session in spans.
    #[cfg(feature = "http")]
    pub(crate) fn label_session(&self, label: &str) {
        let _ = self.session_label.set(label.into());
    }
}

/// Returns true if the request may be kept until others have ended.
fn can_wait(request: &IncomingRequest<'_>) -> bool {
    let permit_state = request.permit_state.take();
    let is_admitted = matches!(permit_state, PermitState::Held(_) | PermitState::Batch);
    request.permit_state.set(permit_state);
    !is_admitted && request.exchange.is_none() && is_answered_by_handler(request.method)
}

/// Returns true for methods whose requests a handler or a layer answers.
fn is_answered_by_handler(method: Option<ProtocolMethod>) -> bool {
    use ProtocolMethod::{Listen, Subscribe, Unsubscribe};
    !matches!(method, Some(Listen | Subscribe | Unsubscribe))
}

impl Instrumentation {
    fn new(connection: &Connection, request: &IncomingRequest<'_>, can_wait: bool, is_full: bool) -> Instrumentation {
        let is_tool_call = request.method == Some(ProtocolMethod::CallTool);
        // The clock is read first.
        let timer = connection.server.metrics.as_ref().map(|metrics| RequestTimer::start(metrics, request.method));
        let span = if !is_full && span::is_enabled() { start_request_span(connection, request) } else { Span::none() };
        Instrumentation { span, is_tool_call, can_wait, timer }
    }

    /// Records that the request was not ready at once.
    pub(crate) fn mark_running(&mut self) {
        if let Some(timer) = &mut self.timer {
            timer.mark_running();
        }
    }

    /// Discards the timer, because the request has not begun yet.
    fn discard(&self) {
        if let Some(timer) = &self.timer {
            timer.discard();
        }
    }

    /// Makes the request's span the current span of this thread.
    pub(crate) fn enter(&self) -> tracing::span::Entered<'_> {
        self.span.enter()
    }

    /// Ends the observation. The last of the frames is the response.
    pub(crate) fn record_response(&self, frames: &[u8], id: &str) {
        self.record_outcome(RequestOutcome::from_frames(frames, id, self.is_tool_call));
    }

    fn record_outcome(&self, outcome: RequestOutcome) {
        if let Some(timer) = &self.timer {
            timer.stop(outcome);
        }
        span::record_outcome(&self.span, outcome);
    }
}

impl IncomingRequest<'_> {
    /// Records the component that the request addresses.
    #[inline]
    pub(crate) fn set_target(&self, target: Target, handler: &ComponentHandler) {
        if let Some(instrumentation) = self.instrumentation {
            if target == Target::Resource {
                instrumentation.span.record(target.attribute(), handler.name());
            }
            if let Some(timer) = &instrumentation.timer {
                timer.set_component(target, handler.name(), &handler.series);
            }
        }
    }
}

fn start_request_span(connection: &Connection, request: &IncomingRequest<'_>) -> Span {
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
        version: request_revision(connection, request).map(|revision| revision.as_str()),
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
    let (own, of_transport) = connection.traces(request);
    span::start_span(&attributes, own, of_transport.as_deref())
}

/// Returns the revision of the request, or `None` if it is unknown or not negotiated yet.
fn request_revision(connection: &Connection, request: &IncomingRequest<'_>) -> Option<Revision> {
    match request.frame.meta().and_then(|meta| meta.protocol_version) {
        Some(version) => string_value(version).and_then(|version| Revision::parse(&version)),
        None => connection.session().map(|session| session.revision),
    }
}

impl TransportInfo<'_> {
    /// Returns the trace in the headers.
    pub(crate) fn trace(&self) -> Option<Box<TraceContext>> {
        self.headers.and_then(header_match::trace_context)
    }
}
