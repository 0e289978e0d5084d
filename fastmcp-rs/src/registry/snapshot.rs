//! The current registry of a server, which edits replace while the server runs.
//!
//! Each reader of messages keeps a [`View`]: while nothing changes, access costs one atomic load and no lock. A call
//! that has begun continues with the registry of its beginning.
//!
//! An edit only increments the version. The registry of that version is built on the next access, so a program may add
//! ten thousand tools one by one.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::tree::Scope;
use super::{DecisionPace, ListConfig, Registry};

#[derive(Debug)]
pub(crate) struct Live {
    root: Arc<Scope>,
    config: ListConfig,
    decisions: Arc<DecisionPace>,
    current: RwLock<View>,
}

/// A snapshot of the registry, kept by a reader of messages.
#[derive(Clone, Debug)]
pub(crate) struct View {
    registry: Arc<Registry>,
    version: u64,
}

/// A view that does not keep its registry, for one who waits: what is served no more can be dropped meanwhile.
#[cfg_attr(not(feature = "stdio"), allow(dead_code))]
#[derive(Debug)]
pub(crate) struct RestingView {
    registry: Weak<Registry>,
    version: u64,
}

#[cfg_attr(not(feature = "stdio"), allow(dead_code))]
impl RestingView {
    pub(crate) fn of(view: &View) -> RestingView {
        RestingView { registry: Arc::downgrade(&view.registry), version: view.version }
    }

    /// Lets go of a view until it is needed again.
    pub(crate) fn rest(&mut self, view: View) {
        if view.version != self.version {
            *self = RestingView::of(&view);
        }
    }
}

impl Live {
    pub(crate) fn new(root: Arc<Scope>, config: ListConfig) -> Live {
        let decisions = Arc::default();
        let current = RwLock::new(View::of(&root, config, &decisions));
        Live { root, config, decisions, current }
    }

    pub(crate) fn load(&self) -> Arc<Registry> {
        self.view().registry
    }

    pub(crate) fn view(&self) -> View {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        if current.version == self.root.version() {
            return current.clone();
        }
        drop(current);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have built it in the meantime.
        if current.version == self.root.version() {
            return current.clone();
        }
        let before = std::mem::replace(&mut *current, View::of(&self.root, self.config, &self.decisions));
        let newest = current.clone();
        drop(current);
        // This may drop removed components and so run user code, which must not happen under the lock.
        drop(before);
        newest
    }

    /// Drops all components: from now on there are none.
    pub(crate) fn close(&self) {
        self.root.clear();
        // Replaces the registry that was served last.
        self.view();
    }

    /// The view that rested, or the newest one if its registry is gone.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn wake(&self, resting: &RestingView) -> View {
        match resting.registry.upgrade() {
            Some(registry) => View { registry, version: resting.version },
            None => self.view(),
        }
    }

    /// Returns the newest registry, and updates `view` if it is outdated.
    pub(crate) fn look<'a>(&self, view: &'a mut View) -> &'a Arc<Registry> {
        if self.root.version() != view.version {
            *view = self.view();
        }
        &view.registry
    }
}

/// Clears the scope of an app that is no longer served. This breaks a cycle: states may hold a handle, and so the scope
/// that holds the states.
impl Drop for Live {
    fn drop(&mut self) {
        self.root.clear();
    }
}

impl View {
    fn of(root: &Scope, config: ListConfig, decisions: &Arc<DecisionPace>) -> View {
        root.still(|| View { version: root.version(), registry: Arc::new(Registry::new(root, config, decisions)) })
    }
}
