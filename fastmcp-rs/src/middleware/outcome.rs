//! Observes the outcome and the duration of an operation, for [`Timing`](super::Timing) and
//! [`StructuredLogging`](super::StructuredLogging).

use std::fmt;
use std::time::Duration;

// The runtime's clock, which tests can pause.
use tokio::time::Instant;

use super::{Next, Operation, OperationError, Response};
use crate::context::Context;

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The operation has a result.
    Ok,
    /// The tool returned a failed result.
    ToolError,
    /// The operation ended with the JSON-RPC error of this code.
    Error(i32),
    /// The operation was cancelled or timed out.
    Cancelled,
    /// The operation was dropped for another reason: the client is asked first and will repeat the call, or the server
    /// shuts down.
    Unfinished,
}

impl fmt::Display for Outcome {
    /// Writes one word: `ok`, `tool_error`, `error`, `cancelled` or `unfinished`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Outcome::Ok => "ok",
            Outcome::ToolError => "tool_error",
            Outcome::Error(_) => "error",
            Outcome::Cancelled => "cancelled",
            Outcome::Unfinished => "unfinished",
        })
    }
}

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
        Ok(reply) if reply.is_error() => (Outcome::ToolError, Some(reply.json().len())),
        Ok(reply) => (Outcome::Ok, Some(reply.json().len())),
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
