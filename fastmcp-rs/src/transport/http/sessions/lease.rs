//! A session that a request has found, and keeps in use.

use std::ops::Deref;
use std::sync::Arc;

use crate::transport::http::sessions::session::HttpSession;
use crate::transport::http::sessions::usage::SessionUse;
// The clock of the runtime, so that tests can pause it.

/// A session that was found, and is in use as long as this lives.
#[derive(Clone)]
pub(crate) struct Lease {
    pub(crate) session: Arc<HttpSession>,
    pub(crate) in_use: SessionUse,
}

impl Lease {
    /// Keeps the session in use beyond this.
    pub(crate) fn mark_in_use(&self) -> SessionUse {
        self.in_use.clone()
    }
}

impl Deref for Lease {
    type Target = Arc<HttpSession>;

    fn deref(&self) -> &Arc<HttpSession> {
        &self.session
    }
}
