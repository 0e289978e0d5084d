//! The metrics of one method or one component: outcomes and durations of its requests.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::Metrics;
use crate::protocol::write::code;
use crate::protocol::{Outcome, ProtocolMethod};
use crate::telemetry::{OTHER_METHOD, Target};

/// The upper bounds of the histogram's buckets, in nanoseconds: the bounds of the conventions, and two lower ones,
/// because most tools take less than ten milliseconds.
pub(super) const BOUNDS: [u64; 16] = [
    100_000,
    1_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
    120_000_000_000,
    300_000_000_000,
];

/// The error codes that are counted separately; all other codes share one slot.
const CODES: [i32; 9] = [
    code::PARSE_ERROR,
    code::INVALID_REQUEST,
    code::METHOD_NOT_FOUND,
    code::INVALID_PARAMS,
    code::INTERNAL_ERROR,
    code::RESOURCE_NOT_FOUND,
    code::HEADER_MISMATCH,
    code::MISSING_CLIENT_CAPABILITY,
    code::UNSUPPORTED_PROTOCOL_VERSION,
];
const OUTCOMES: usize = CODES.len() + 4;

fn outcome_index(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Ok => 0,
        Outcome::ToolError => 1,
        Outcome::Cancelled | Outcome::Unfinished => 2,
        Outcome::Error(code) => 3 + CODES.iter().position(|known| *known == code).unwrap_or(CODES.len()),
    }
}

/// Returns the `error.type` of the conventions, empty for a success.
fn error_type(slot: usize) -> String {
    match slot {
        0 => String::new(),
        1 => "tool_error".into(),
        2 => "cancelled".into(),
        _ => CODES.get(slot - 3).map_or_else(|| "_OTHER".into(), |code| code.to_string()),
    }
}

/// A histogram of durations.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// The number of values in each bucket, not cumulative; the last bucket has no upper bound.
    pub(super) buckets: [AtomicU64; BOUNDS.len() + 1],
    pub(super) nanoseconds: AtomicU64,
}

/// The metrics of one method or one component.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) method: &'static str,
    pub(super) component: Option<(Target, Box<str>)>,
    outcomes: [OnceLock<Box<Histogram>>; OUTCOMES],
    /// The number of running requests that were not answered at once.
    pub(super) running: AtomicI64,
}

/// The series of a component, once the component was requested.
#[derive(Debug, Default)]
pub(crate) struct ComponentSeries(OnceLock<Arc<Series>>);

/// Returns the position of a method in [`new_method_series`], or a number beyond it.
pub(super) fn method_index(method: Option<ProtocolMethod>) -> usize {
    method.map_or(usize::MAX, |method| method as usize)
}

/// Returns the method that addresses components of a kind.
pub(super) fn method_for(target: Target) -> ProtocolMethod {
    match target {
        Target::Tool => ProtocolMethod::CallTool,
        Target::Prompt => ProtocolMethod::GetPrompt,
        Target::Resource => ProtocolMethod::ReadResource,
    }
}

/// Creates a series per method of a request, and one for all other methods.
pub(super) fn new_method_series() -> Vec<Arc<Series>> {
    let names = ProtocolMethod::REQUESTS.iter().map(|method| method.as_str()).chain([OTHER_METHOD]);
    names.map(|name| Arc::new(Series::new(name, None))).collect()
}

impl Series {
    fn new(method: &'static str, component: Option<(Target, Box<str>)>) -> Series {
        Series { method, component, outcomes: Default::default(), running: AtomicI64::new(0) }
    }

    pub(super) fn for_component(target: Target, name: &str) -> Series {
        Series::new(method_for(target).as_str(), Some((target, name.into())))
    }

    pub(super) fn record(&self, outcome: Outcome, took: Duration) {
        let histogram = self.outcomes[outcome_index(outcome)].get_or_init(Box::default);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len());
        histogram.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        histogram.nanoseconds.fetch_add(took, Ordering::Relaxed);
    }

    /// Returns the outcomes that have occurred, each with its histogram.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (String, &Histogram)> {
        let all = self.outcomes.iter().enumerate();
        all.filter_map(|(slot, histogram)| Some((error_type(slot), &**histogram.get()?)))
    }
}

/// Measures one request.
pub(crate) struct RequestTimer {
    metrics: Metrics,
    method: Option<ProtocolMethod>,
    component: OnceLock<Arc<Series>>,
    started: Instant,
    is_running: bool,
    has_ended: AtomicBool,
}

impl RequestTimer {
    pub(crate) fn start(metrics: &Metrics, method: Option<ProtocolMethod>) -> RequestTimer {
        RequestTimer {
            metrics: metrics.clone(),
            method,
            component: OnceLock::new(),
            started: Instant::now(),
            is_running: false,
            has_ended: AtomicBool::new(false),
        }
    }

    /// Assigns the request to a component, which keeps its series in `kept`.
    pub(crate) fn set_component(&self, target: Target, name: &str, kept: &ComponentSeries) {
        let series = kept.0.get_or_init(|| self.metrics.component_series(target, name));
        let _ = self.component.set(Arc::clone(series));
    }

    /// Counts the request as running, because it was not answered at once.
    pub(crate) fn mark_running(&mut self) {
        if !std::mem::replace(&mut self.is_running, true) {
            self.series().running.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stop(&self, outcome: Outcome) {
        if !self.has_ended.swap(true, Ordering::Relaxed) {
            self.series().record(outcome, self.started.elapsed());
        }
    }

    /// Ends the measurement without counting the request.
    pub(crate) fn discard(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    fn series(&self) -> &Series {
        self.component.get().unwrap_or_else(|| self.metrics.method_series(self.method))
    }
}

impl Drop for RequestTimer {
    fn drop(&mut self) {
        // A request that is still open was dropped together with its connection.
        self.stop(Outcome::Cancelled);
        if self.is_running {
            self.series().running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
