//! A snapshot that does not keep its registry, for a reader that waits: removed components can be dropped meanwhile.

use std::sync::{Arc, Weak};

use super::Registry;
use super::snapshot::{RegistryCache, RegistrySnapshot};

#[derive(Debug)]
pub(crate) struct WeakRegistrySnapshot {
    registry: Weak<Registry>,
    version: u64,
}

impl WeakRegistrySnapshot {
    pub(crate) fn new(snapshot: &RegistrySnapshot) -> WeakRegistrySnapshot {
        WeakRegistrySnapshot { registry: Arc::downgrade(&snapshot.registry), version: snapshot.version }
    }

    /// Releases a snapshot until it is needed again.
    pub(crate) fn update(&mut self, snapshot: RegistrySnapshot) {
        if snapshot.version != self.version {
            *self = WeakRegistrySnapshot::new(&snapshot);
        }
    }
}

impl RegistryCache {
    /// Returns the snapshot that was released, or the newest one if its registry is gone.
    pub(crate) fn upgrade_snapshot(&self, resting: &WeakRegistrySnapshot) -> RegistrySnapshot {
        match resting.registry.upgrade() {
            Some(registry) => RegistrySnapshot { registry, version: resting.version },
            None => self.snapshot(),
        }
    }
}
