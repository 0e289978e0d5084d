//! What became of an operation, and how long it took: what timing and logging have in common.

use std::fmt;
use std::time::Duration;

// The clock of the runtime, so that tests can pause it.
use tokio::time::Instant;

use super::{Next, Operation, Refusal, Reply};
use crate::context::Context;

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It has a result.
    Ok,
    /// The tool says that it has failed.
    ToolError,
    /// It was answered with the JSON-RPC error of this code.
    Error(i32),
    /// It was cancelled, or took too long.
    Cancelled,
    /// It was given up for another reason: its client is asked something and will call again, or the server ends.
    Unfinished,
}

impl fmt::Display for Outcome {
    /// One word: `ok`, `tool_error`, `error`, `cancelled` or `unfinished`.
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

/// What was seen of an operation.
pub(super) struct Seen {
    pub(super) duration: Duration,
    pub(super) outcome: Outcome,
    /// Of the result, in bytes.
    pub(super) reply_size: Option<usize>,
}

/// Goes on with an operation, and reports once what became of it, also when it is dropped.
pub(super) async fn watch(
    operation: Operation,
    next: Next,
    report: impl FnOnce(Seen) + Send,
) -> Result<Reply, Refusal> {
    let context = operation.context().clone();
    let mut watch = Watch { context, started: Instant::now(), report: Some(report) };
    let outcome = next.run(operation).await;
    let (kind, reply_size) = match &outcome {
        Ok(reply) if reply.is_error() => (Outcome::ToolError, Some(reply.json().len())),
        Ok(reply) => (Outcome::Ok, Some(reply.json().len())),
        Err(refusal) => (Outcome::Error(refusal.code()), None),
    };
    watch.end(kind, reply_size);
    outcome
}

struct Watch<F: FnOnce(Seen)> {
    context: Context,
    started: Instant,
    report: Option<F>,
}

impl<F: FnOnce(Seen)> Watch<F> {
    fn end(&mut self, outcome: Outcome, reply_size: Option<usize>) {
        if let Some(report) = self.report.take() {
            report(Seen { duration: self.started.elapsed(), outcome, reply_size });
        }
    }
}

impl<F: FnOnce(Seen)> Drop for Watch<F> {
    fn drop(&mut self) {
        let outcome = if self.context.is_cancelled() { Outcome::Cancelled } else { Outcome::Unfinished };
        self.end(outcome, None);
    }
}
