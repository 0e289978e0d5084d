//! Ends a session of the transport of 2024-11-05 together with its stream.

use std::sync::Arc;

use crate::transport::http::sessions::Sessions;

/// Ends a session when its stream is dropped.
pub(crate) struct EndSession {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) id: String,
}

impl Drop for EndSession {
    fn drop(&mut self) {
        self.sessions.remove(&self.id);
    }
}
