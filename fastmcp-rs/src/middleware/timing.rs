//! Measures the duration of operations.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::observation::observe;
use super::{Layer, Method, Next, Operation, OperationError, Outcome, Response};

/// Measures the duration of each operation, including all layers inside of this one.
///
/// [`Timing::new`] emits a `tracing` event of level `DEBUG` for each; [`Timing::with`] calls a function, for example
/// one that feeds a histogram.
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware::{Measurement, Timing};
/// use fastmcp_rs::prelude::*;
///
/// let app = App::empty("timed").layer(Timing::with(|measured: &Measurement<'_>| {
///     println!("{} {}: {:?}", measured.method.as_str(), measured.component, measured.duration);
/// }));
/// # let _ = app;
/// ```
#[must_use = "a layer does nothing until it is added to an app"]
pub struct Timing {
    report: Box<dyn Fn(&Measurement<'_>) + Send + Sync>,
}

/// The measured duration of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Measurement<'a> {
    /// The method of the operation.
    pub method: Method,
    /// The component's name. Clients cannot add names, so the number of values is bounded.
    pub component: &'a str,
    /// The time from entering this layer to leaving it.
    pub duration: Duration,
    /// The outcome of the operation.
    pub outcome: Outcome,
}

impl Timing {
    /// Reports to `tracing`: events of level `DEBUG` and target `fastmcp_rs::middleware`, with the fields `method`,
    /// `component`, `duration_ms` and `outcome`.
    pub fn new() -> Timing {
        Timing::with(|measured| {
            tracing::debug!(
                target: "fastmcp_rs::middleware",
                method = measured.method.as_str(),
                component = measured.component,
                duration_ms = milliseconds(measured.duration),
                outcome = %measured.outcome,
                "measured"
            );
        })
    }

    /// Reports to a function, which is called once per operation, even if the operation is cancelled.
    pub fn with(report: impl Fn(&Measurement<'_>) + Send + Sync + 'static) -> Timing {
        Timing { report: Box::new(report) }
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing::new()
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Timing").finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Layer for Timing {
    fn handle(
        &self,
        operation: Operation,
        next: Next,
    ) -> impl Future<Output = Result<Response, OperationError>> + Send {
        let (method, context) = (operation.method(), operation.context().clone());
        observe(operation, next, move |observation| {
            let component = context.component_name();
            (self.report)(&Measurement {
                method,
                component,
                duration: observation.duration,
                outcome: observation.outcome,
            });
        })
    }
}

/// Converts to milliseconds with three decimals, because a call takes microseconds.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
