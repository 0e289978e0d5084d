//! A session that a request has found, and keeps in use.

use std::ops::Deref;
use std::sync::Arc;

use crate::transport::http::sessions::session::Session;
use crate::transport::http::sessions::usage::InUse;
// The clock of the runtime, so that tests can pause it.

/// A session that was found, and is in use as long as this lives.
#[derive(Clone)]
pub(crate) struct Lease {
    pub(crate) session: Arc<Session>,
    pub(crate) in_use: InUse,
}

impl Lease {
    /// Keeps the session in use beyond this.
    pub(crate) fn keep(&self) -> InUse {
        self.in_use.clone()
    }
}

impl Deref for Lease {
    type Target = Arc<Session>;

    fn deref(&self) -> &Arc<Session> {
        &self.session
    }
}
