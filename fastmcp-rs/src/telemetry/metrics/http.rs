//! The metrics that only HTTP servers record.

use std::sync::atomic::Ordering;

use super::{GaugeValues, Metrics, MetricsSlot};

impl MetricsSlot {
    pub(crate) fn enable(&self) {
        self.get_or_enable();
    }
}

impl Metrics {
    /// Counts an HTTP response with a status.
    pub(crate) fn count_response(&self, status: u16) {
        if let Some(count) = usize::from(status).checked_sub(100).and_then(|at| self.inner.responses.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a connection that was closed unread because there were too many, globally or from its address.
    pub(crate) fn count_refused_connection(&self) {
        self.inner.refused_connections.fetch_add(1, Ordering::Relaxed);
    }
}

impl GaugeValues {
    /// Adds the open connections, sessions and streams of an HTTP server.
    pub(crate) fn add_http(&mut self, connections: usize, sessions: usize, streams: usize) {
        let http = self.http.get_or_insert_default();
        http.connections += connections;
        http.sessions += sessions;
        http.streams += streams;
    }
}
