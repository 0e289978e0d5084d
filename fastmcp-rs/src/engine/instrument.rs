//! The observation of a request for the operator of the server: its span and its metrics.
//!
//! Only observed requests pass through here; all others are answered without reading the clock. A request is followed
//! from its frame to the frame that answers it: in place if it is ready at once, and inside of its
//! [`PendingCall`](super::PendingCall) otherwise, which enters the span at each poll.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tracing::Span;

use super::header_match::Mirrored;
use super::{Admitted, Carrier, Client, Connection, Dispatched, Request};
use crate::context::Transport;
use crate::json::object::text;
use crate::protocol::Revision;
use crate::protocol::frame::meta_text;
use crate::protocol::id::Id;
use crate::protocol::trace_context::TraceContext;
use crate::registry::{Handler, Listed};
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::{Reading, Source, Timer};
use crate::telemetry::{Outcome, Target, span};

/// A request whose span or metrics are recorded.
pub(crate) struct Observed {
    span: Span,
    is_tool_call: bool,
    /// Whether the request may be kept until others have ended, instead of being answered.
    can_wait: bool,
    #[cfg(feature = "metrics")]
    timer: Option<Timer>,
}

impl Connection {
    /// Starts to observe a request. A request that has to wait gets no span yet: it is dispatched again when there is a
    /// place for it.
    #[cold]
    pub(crate) fn observe(&self, request: &Request<'_>) -> Observed {
        let can_wait = can_wait(request);
        let is_full = can_wait && self.in_flight.get().is_some_and(|calls| calls.is_full());
        Observed::new(self, request, can_wait, is_full)
    }

    /// Records the outcome of dispatching an observed request.
    #[cold]
    pub(crate) fn observed(
        &self,
        mut observed: Observed,
        mut dispatched: Dispatched,
        (id, method): (Id<'_>, &str),
        begin: usize,
        out: &[u8],
    ) -> Dispatched {
        match &mut dispatched {
            Dispatched::Pending(call) => {
                observed.goes_on();
                call.observe(observed);
            }
            Dispatched::Done if out.len() > begin => observed.end(out, id.as_str()),
            // The request waits.
            Dispatched::Done if observed.can_wait => observed.forget(),
            Dispatched::Done => {
                // The acknowledgement of a subscription has been sent already, and so have the frames that were ready
                // before it.
                let outcome = if answers_by_a_handler(method) { Outcome::Cancelled } else { Outcome::Ok };
                observed.end_with(outcome);
            }
        }
        dispatched
    }

    /// Returns the trace that a request names, and the trace in the headers of its transport.
    fn traces(&self, request: &Request<'_>) -> (TraceContext, Option<Box<TraceContext>>) {
        let meta = request.frame.meta().and_then(|_| meta_text(request.message));
        let meta: Option<Map<String, Value>> = meta.and_then(|meta| serde_json::from_str(meta).ok());
        let own = meta.map(|meta| TraceContext::of_meta(&meta)).unwrap_or_default();
        (own, request.exchange.and_then(|exchange| exchange.carrier.trace()))
    }

    /// Sets the label of this connection's session in spans.
    #[cfg(feature = "http")]
    pub(crate) fn label_session(&self, label: &str) {
        let _ = self.session_label.set(label.into());
    }
}

#[cfg(feature = "metrics")]
impl Source for Connection {
    fn read(&self, reading: &mut Reading) {
        reading.waiting_calls += self.in_flight.get().map_or(0, |calls| calls.waiting());
    }
}

/// Returns true if the request may be kept until others have ended.
fn can_wait(request: &Request<'_>) -> bool {
    let admitted = request.admitted.take();
    let is_admitted = matches!(admitted, Admitted::Reserved(_) | Admitted::Member);
    request.admitted.set(admitted);
    !is_admitted && request.exchange.is_none() && answers_by_a_handler(request.method)
}

/// Returns true for methods whose requests a handler or a layer answers.
fn answers_by_a_handler(method: &str) -> bool {
    !matches!(method, "subscriptions/listen" | "resources/subscribe" | "resources/unsubscribe")
}

impl Observed {
    fn new(connection: &Connection, request: &Request<'_>, can_wait: bool, is_full: bool) -> Observed {
        let is_tool_call = request.method == "tools/call";
        // The clock is read first.
        #[cfg(feature = "metrics")]
        let timer = connection.server.metrics.as_ref().map(|metrics| Timer::start(metrics, request.method));
        let span = if !is_full && span::is_wanted() { begin_span(connection, request) } else { Span::none() };
        Observed {
            span,
            is_tool_call,
            can_wait,
            #[cfg(feature = "metrics")]
            timer,
        }
    }

    /// Records that the request was not ready at once.
    pub(crate) fn goes_on(&mut self) {
        #[cfg(feature = "metrics")]
        if let Some(timer) = &mut self.timer {
            timer.goes_on();
        }
    }

    /// Discards the timer, because the request has not begun yet.
    fn forget(&self) {
        #[cfg(feature = "metrics")]
        if let Some(timer) = &self.timer {
            timer.forget();
        }
    }

    /// Makes the request's span the current span of this thread.
    pub(crate) fn enter(&self) -> tracing::span::Entered<'_> {
        self.span.enter()
    }

    /// Ends the observation. The last of the frames is the response.
    pub(crate) fn end(&self, frames: &[u8], id: &str) {
        self.end_with(Outcome::of(frames, id, self.is_tool_call));
    }

    fn end_with(&self, outcome: Outcome) {
        #[cfg(feature = "metrics")]
        if let Some(timer) = &self.timer {
            timer.end(outcome);
        }
        span::end(&self.span, outcome);
    }
}

impl Request<'_> {
    /// Records the component that the request addresses.
    #[inline]
    pub(crate) fn is_for(&self, target: Target, handler: &Handler) {
        if let Some(observed) = self.observed {
            if target == Target::Resource {
                observed.span.record(target.attribute(), handler.name());
            }
            #[cfg(feature = "metrics")]
            if let Some(timer) = &observed.timer {
                timer.is_for(target, handler.name(), &handler.series);
            }
        }
    }
}

fn begin_span(connection: &Connection, request: &Request<'_>) -> Span {
    let params = request.frame.params();
    let registry = request.registry;
    let name = params.and_then(|params| params.name).and_then(text);
    let uri = params.and_then(|params| params.uri).and_then(text);
    let target = match (request.method, &name) {
        ("tools/call", Some(name)) => Some((Target::Tool, &**name, registry.tool(name).is_some())),
        ("prompts/get", Some(name)) => Some((Target::Prompt, &**name, registry.prompts.find(name).is_some())),
        _ => None,
    };
    // The URI of a template contains arguments, so only the URIs of plain resources are recorded.
    let resource = uri.and_then(|uri| registry.resources.find(&uri));
    let carrier = request.exchange.map(|exchange| exchange.carrier).unwrap_or_default();
    let facts = span::Facts {
        method: request.method,
        id: request.id.as_str(),
        version: revision(connection, request).map(|revision| revision.as_str()),
        session: connection.session_label.get().map(|label| &**label),
        target,
        uri: resource.map(|resource| resource.key()),
        transport: match (connection.transport, carrier.client) {
            (Transport::Stdio, _) => Some("pipe"),
            (Transport::Http, Client::OnThisMachine | Client::Forwarded { by_socket: true, .. }) => Some("unix"),
            (Transport::Http, _) => Some("tcp"),
            (Transport::Memory, _) => None,
        },
        http_version: carrier.http_version,
        client: match carrier.client {
            Client::At(address) => Some((address.ip(), Some(address.port()))),
            Client::Forwarded { address, .. } => address.map(|address| (address, None)),
            Client::Unknown | Client::OnThisMachine => None,
        },
    };
    let (own, of_transport) = connection.traces(request);
    span::begin(&facts, own, of_transport.as_deref())
}

/// Returns the revision of the request, or `None` if it is unknown or not negotiated yet.
fn revision(connection: &Connection, request: &Request<'_>) -> Option<Revision> {
    match request.frame.meta().and_then(|meta| meta.protocol_version) {
        Some(version) => text(version).and_then(|version| Revision::parse(&version)),
        None => connection.session().map(|session| session.revision),
    }
}

impl Carrier<'_> {
    /// Returns the trace in the headers.
    pub(crate) fn trace(&self) -> Option<Box<TraceContext>> {
        let headers = self.headers?;
        let trace = TraceContext::read(|name| match headers.value(name) {
            Mirrored::Value(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
            Mirrored::Absent | Mirrored::Twice => None,
        });
        (!trace.is_empty()).then(|| Box::new(trace))
    }
}
