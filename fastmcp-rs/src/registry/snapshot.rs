//! The current registry of a server, which edits replace while the server runs.
//!
//! Each reader of messages keeps a [`RegistrySnapshot`]: while nothing changes, access costs one atomic load and no
//! lock. A call that has begun continues with the registry of its beginning.
//!
//! An edit only increments the version. The registry of that version is built on the next access, so a program may add
//! ten thousand tools one by one.

use std::sync::Arc;

use super::tree::ComponentTree;
use super::{ListConfig, Registry, VisibilityPace};
use crate::util::sync::RwLock;

#[derive(Debug)]
pub(crate) struct RegistryCache {
    root: Arc<ComponentTree>,
    config: ListConfig,
    visibility_pace: Arc<VisibilityPace>,
    current: RwLock<RegistrySnapshot>,
}

/// A snapshot of the registry, kept by a reader of messages.
#[derive(Clone, Debug)]
pub(crate) struct RegistrySnapshot {
    pub(super) registry: Arc<Registry>,
    pub(super) version: u64,
}

impl RegistryCache {
    pub(crate) fn new(root: Arc<ComponentTree>, config: ListConfig) -> RegistryCache {
        let visibility_pace = Arc::default();
        let current = RwLock::new(RegistrySnapshot::new(&root, config, &visibility_pace));
        RegistryCache { root, config, visibility_pace, current }
    }

    pub(crate) fn load(&self) -> Arc<Registry> {
        self.snapshot().registry
    }

    pub(crate) fn snapshot(&self) -> RegistrySnapshot {
        let current = self.current.read();
        if current.version == self.root.version() {
            return current.clone();
        }
        drop(current);
        let mut current = self.current.write();
        // Another thread may have built it in the meantime.
        if current.version == self.root.version() {
            return current.clone();
        }
        let before =
            std::mem::replace(&mut *current, RegistrySnapshot::new(&self.root, self.config, &self.visibility_pace));
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
        self.snapshot();
    }

    /// Returns the newest registry, and updates `snapshot` if it is outdated.
    pub(crate) fn refresh<'a>(&self, snapshot: &'a mut RegistrySnapshot) -> &'a Arc<Registry> {
        if self.root.version() != snapshot.version {
            *snapshot = self.snapshot();
        }
        &snapshot.registry
    }
}

/// Clears the scope of an app that is no longer served. This breaks a cycle: states may hold a handle, and so the scope
/// that holds the states.
impl Drop for RegistryCache {
    fn drop(&mut self) {
        self.root.clear();
    }
}

impl RegistrySnapshot {
    fn new(root: &ComponentTree, config: ListConfig, visibility_pace: &Arc<VisibilityPace>) -> RegistrySnapshot {
        root.read_locked(|| RegistrySnapshot {
            version: root.version(),
            registry: Arc::new(Registry::new(root, config, visibility_pace)),
        })
    }
}
