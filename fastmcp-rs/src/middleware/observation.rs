//! Observes the outcome and the duration of an operation, for [`Timing`](super::Timing) and
//! [`StructuredLogging`](super::StructuredLogging).

use std::time::Duration;

// The runtime's clock, which tests can pause.
use tokio::time::Instant;

use super::{Next, Operation, OperationError, Response};
use crate::context::Context;
use crate::protocol::Outcome;

/// The observed outcome, duration and size of an operation.
pub(super) struct Observation {
    pub(super) duration: Duration,
    pub(super) outcome: Outcome,
    /// The size of the result in bytes.
    pub(super) reply_size: Option<usize>,
}

/// Continues with an operation, and reports its outcome exactly once, even if the future is dropped.
pub(super) async fn observe(
    operation: Operation,
    next: Next,
    report: impl FnOnce(Observation) + Send,
) -> Result<Response, OperationError> {
    let context = operation.context().clone();
    let mut guard = ObservationGuard { context, started: Instant::now(), report: Some(report) };
    let outcome = next.run(operation).await;
    let (kind, reply_size) = match &outcome {
        Ok(reply) => (reply.outcome(), Some(reply.json().len())),
        Err(refusal) => (Outcome::Error(refusal.code()), None),
    };
    guard.report_outcome(kind, reply_size);
    outcome
}

struct ObservationGuard<F: FnOnce(Observation)> {
    context: Context,
    started: Instant,
    report: Option<F>,
}

impl<F: FnOnce(Observation)> ObservationGuard<F> {
    fn report_outcome(&mut self, outcome: Outcome, reply_size: Option<usize>) {
        if let Some(report) = self.report.take() {
            report(Observation { duration: self.started.elapsed(), outcome, reply_size });
        }
    }
}

impl<F: FnOnce(Observation)> Drop for ObservationGuard<F> {
    fn drop(&mut self) {
        let outcome = if self.context.is_cancelled() { Outcome::Cancelled } else { Outcome::Unfinished };
        self.report_outcome(outcome, None);
    }
}
