//! The observation of a request for the operator of the server: its span and its metrics.
//!
//! Only observed requests have one; all others are answered without reading the clock. A request is followed from its
//! frame to the frame that answers it: in place if it is ready at once, and inside of its
//! [`PendingCall`](super::call::pending::PendingCall) otherwise, which enters the span at each poll.

use tracing::Span;

use super::response::ResponseStatus;
use crate::protocol::Outcome;
use crate::registry::ComponentHandler;
use crate::telemetry::metrics::RequestTimer;
use crate::telemetry::{Target, span};

/// A request whose span or metrics are recorded.
pub(crate) struct Instrumentation {
    pub(super) span: Span,
    pub(super) timer: Option<RequestTimer>,
}

impl Instrumentation {
    /// Makes the request's span the current span of this thread.
    pub(crate) fn enter(&self) -> tracing::span::Entered<'_> {
        self.span.enter()
    }

    /// Records the component that the request addresses.
    pub(crate) fn set_target(&self, target: Target, handler: &ComponentHandler) {
        if target == Target::Resource {
            self.span.record(target.attribute(), handler.name());
        }
        if let Some(timer) = &self.timer {
            timer.set_component(target, handler.name(), &handler.series);
        }
    }

    /// Records that the request was not ready at once.
    pub(crate) fn mark_running(&mut self) {
        if let Some(timer) = &mut self.timer {
            timer.mark_running();
        }
    }

    /// Ends the observation of a request without a task.
    pub(crate) fn record_status(&self, status: ResponseStatus) {
        match status {
            ResponseStatus::Written(outcome) => self.record_outcome(outcome),
            ResponseStatus::WrittenWithoutId(code) => self.record_outcome(Outcome::Error(code)),
            // The acknowledgement of a subscription has been sent already.
            ResponseStatus::Queued => self.record_outcome(Outcome::Ok),
            // The request has not begun yet: it is dispatched again when there is a permit for it.
            ResponseStatus::Deferred => self.discard(),
            ResponseStatus::None => self.record_outcome(Outcome::Cancelled),
        }
    }

    pub(crate) fn record_outcome(&self, outcome: Outcome) {
        if let Some(timer) = &self.timer {
            timer.stop(outcome);
        }
        span::record_outcome(&self.span, outcome);
    }

    /// Discards the timer.
    fn discard(&self) {
        if let Some(timer) = &self.timer {
            timer.discard();
        }
    }
}
