//! The metrics of a build without the feature `metrics`: nothing is measured and nothing is stored.
//!
//! The types and functions are those of `telemetry/metrics/mod.rs` and `telemetry/metrics/http.rs`, so that callers need
//! no `cfg`. No value of [`Metrics`] exists: an `Option` of it has no size, and the compiler removes the code that would
//! use one.

use std::sync::Arc;

use super::Target;
use crate::outgoing::depth::QueueDepth;
use crate::protocol::{Outcome, ProtocolMethod};

#[derive(Clone)]
pub(crate) enum Metrics {}

impl Metrics {
    pub(crate) fn set_server(&self, _name: &str, _version: &str) {
        match *self {}
    }

    pub(crate) fn add_source<T>(&self, _source: &Arc<T>, _read: fn(&T, &mut GaugeValues)) {
        match *self {}
    }

    pub(crate) fn queue_depth(&self) -> &QueueDepth {
        match *self {}
    }
}

#[derive(Default)]
pub(crate) struct MetricsSlot(());

impl MetricsSlot {
    pub(crate) fn into_inner(self) -> Option<Metrics> {
        None
    }
}

#[derive(Debug, Default)]
pub(crate) struct ComponentSeries(());

pub(crate) enum RequestTimer {}

impl RequestTimer {
    pub(crate) fn start(metrics: &Metrics, _method: Option<ProtocolMethod>) -> RequestTimer {
        match *metrics {}
    }

    pub(crate) fn set_component(&self, _target: Target, _name: &str, _kept: &ComponentSeries) {
        match *self {}
    }

    pub(crate) fn mark_running(&mut self) {
        match *self {}
    }

    pub(crate) fn stop(&self, _outcome: Outcome) {
        match *self {}
    }

    pub(crate) fn discard(&self) {
        match *self {}
    }
}

pub(crate) enum GaugeValues {}

impl GaugeValues {
    pub(crate) fn add_waiting_calls(&mut self, _calls: usize) {
        match *self {}
    }
}

/// The functions that only HTTP servers call.
#[cfg(feature = "http")]
mod http {
    use super::{GaugeValues, Metrics, MetricsSlot};

    impl Metrics {
        pub(crate) const CONTENT_TYPE: &'static str = "";

        pub(crate) fn render(&self) -> String {
            match *self {}
        }

        pub(crate) fn count_response(&self, _status: u16) {
            match *self {}
        }

        pub(crate) fn count_refused_connection(&self) {
            match *self {}
        }
    }

    impl MetricsSlot {
        pub(crate) fn enable(&self) {}
    }

    impl GaugeValues {
        pub(crate) fn add_http(&mut self, _connections: usize, _sessions: usize, _streams: usize) {
            match *self {}
        }
    }
}
