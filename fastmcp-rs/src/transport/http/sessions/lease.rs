//! A session that a request uses.

use std::ops::Deref;
use std::sync::Arc;

use crate::transport::http::sessions::session::HttpSession;
use crate::transport::http::sessions::usage::SessionUse;

/// A session that stays in use until the lease is dropped.
#[derive(Clone)]
pub(crate) struct Lease {
    pub(crate) session: Arc<HttpSession>,
    pub(crate) in_use: SessionUse,
}

impl Lease {
    /// Returns a guard that keeps the session in use after this lease is dropped.
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
