//! The registry of a server, which may be replaced by another while the server runs.
//!
//! Those who serve requests keep a [`View`] each: as long as nothing changes, to serve from it costs one load of
//! a number and no lock. A call that has begun goes on with the registry it began with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::Registry;

#[derive(Debug)]
pub(crate) struct Live {
    current: RwLock<Arc<Registry>>,
    /// Changes with the registry.
    version: AtomicU64,
}

/// The registry as one server of requests knows it.
#[derive(Debug)]
pub(crate) struct View {
    registry: Arc<Registry>,
    version: u64,
}

impl Live {
    pub(crate) fn new(registry: Registry) -> Live {
        Live { current: RwLock::new(Arc::new(registry)), version: AtomicU64::new(0) }
    }

    pub(crate) fn load(&self) -> Arc<Registry> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn view(&self) -> View {
        // Read first: if the registry is replaced in between, the view is only looked at once too often.
        let version = self.version.load(Ordering::Acquire);
        View { registry: self.load(), version }
    }

    /// The newest registry.
    pub(crate) fn look<'a>(&self, view: &'a mut View) -> &'a Arc<Registry> {
        if self.version.load(Ordering::Acquire) != view.version {
            *view = self.view();
        }
        &view.registry
    }
}
