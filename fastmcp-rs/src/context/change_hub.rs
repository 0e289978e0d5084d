//! Publishes changes of a server's components to the parts that notify clients.
//!
//! Code that changes something calls [`Hub::publish`]; the writers of notifications are its listeners. Neither side
//! knows the other: a handler needs neither the engine nor a list of clients. Publishing never waits for a client,
//! works on any thread, and costs one atomic load if no client is interested.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

/// A list of components. Listeners get changes of resources and of resource templates as one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    Tools,
    Resources,
    Prompts,
}

impl ListKind {
    pub(crate) const ALL: [ListKind; 3] = [ListKind::Tools, ListKind::Resources, ListKind::Prompts];
}

/// A set of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists(u8);

impl Lists {
    pub(crate) const NONE: Lists = Lists(0);

    pub(crate) fn with(self, kind: ListKind) -> Lists {
        Lists(self.0 | 1 << kind as u8)
    }

    pub(crate) fn contains(self, kind: ListKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn and(self, other: Lists) -> Lists {
        Lists(self.0 & other.0)
    }
}

impl FromIterator<ListKind> for Lists {
    fn from_iter<I: IntoIterator<Item = ListKind>>(kinds: I) -> Lists {
        kinds.into_iter().fold(Lists::NONE, Lists::with)
    }
}

/// A change that listeners are notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    /// Components were added, removed or described differently.
    List(ListKind),
    /// The contents of the resource at this URI have changed.
    Resource(&'a str),
}

/// A receiver of changes. It is called while a lock is held, so it must not wait.
pub(crate) trait Listener: Send + Sync {
    fn changed(self: Arc<Self>, change: Change<'_>);
}

/// Distributes the changes of a server to its listeners.
#[derive(Default)]
pub(crate) struct Hub {
    listeners: RwLock<Listeners>,
    /// The number of [`Interest`]s in lists.
    lists: AtomicUsize,
    /// The number of [`Interest`]s in resources.
    resources: AtomicUsize,
}

#[derive(Default)]
struct Listeners {
    all: Vec<Weak<dyn Listener>>,
    /// The number of listeners at which dropped listeners are removed.
    limit: usize,
}

impl Hub {
    /// Notifies the listeners of a change. Call it after the change is made: a client that reads from now on must see
    /// it.
    pub(crate) fn publish(&self, change: Change<'_>) {
        let interested = match change {
            Change::List(_) => &self.lists,
            Change::Resource(_) => &self.resources,
        };
        if interested.load(Ordering::Acquire) == 0 {
            return;
        }
        for listener in &self.listeners.read().unwrap_or_else(PoisonError::into_inner).all {
            if let Some(listener) = listener.upgrade() {
                listener.changed(change);
            }
        }
    }

    /// Adds a listener. It is notified while it is alive and at least one [`Interest`] of the change's kind exists.
    pub(crate) fn listen(&self, listener: Weak<dyn Listener>) {
        let mut listeners = self.listeners.write().unwrap_or_else(PoisonError::into_inner);
        if listeners.all.len() >= listeners.limit {
            listeners.all.retain(|listener| listener.strong_count() > 0);
            listeners.limit = (2 * listeners.all.len()).max(16);
        }
        listeners.all.push(listener);
    }

    /// Registers an interest in lists until the result is dropped.
    pub(crate) fn interest_in_lists(self: &Arc<Self>) -> Interest {
        Interest::new(self, |hub| &hub.lists)
    }

    /// Registers an interest in resources until the result is dropped.
    pub(crate) fn interest_in_resources(self: &Arc<Self>) -> Interest {
        Interest::new(self, |hub| &hub.resources)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Hub { lists, resources, .. } = self;
        formatter.debug_struct("Hub").field("lists", lists).field("resources", resources).finish_non_exhaustive()
    }
}

/// An interest in changes of one kind. Changes without any interest are not published.
pub(crate) struct Interest {
    hub: Arc<Hub>,
    counter: fn(&Hub) -> &AtomicUsize,
}

impl Interest {
    fn new(hub: &Arc<Hub>, counter: fn(&Hub) -> &AtomicUsize) -> Interest {
        counter(hub).fetch_add(1, Ordering::AcqRel);
        Interest { hub: Arc::clone(hub), counter }
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        (self.counter)(&self.hub).fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Ear(Mutex<Vec<String>>);

    impl Listener for Ear {
        fn changed(self: Arc<Self>, change: Change<'_>) {
            self.0.lock().unwrap().push(format!("{change:?}"));
        }
    }

    #[test]
    fn listeners_are_notified_until_they_are_dropped() {
        let hub = Arc::new(Hub::default());
        let ear = Arc::new(Ear::default());
        let weak: Weak<dyn Listener> = Arc::downgrade(&(Arc::clone(&ear) as Arc<dyn Listener>));
        hub.listen(weak);
        hub.publish(Change::Resource("a:b"));
        hub.publish(Change::List(ListKind::Tools));
        assert!(ear.0.lock().unwrap().is_empty());

        let interest = hub.interest_in_resources();
        hub.publish(Change::Resource("a:b"));
        hub.publish(Change::List(ListKind::Tools));
        assert_eq!(*ear.0.lock().unwrap(), [r#"Resource("a:b")"#]);
        drop(interest);
        hub.publish(Change::Resource("a:b"));
        assert_eq!(ear.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn dropped_listeners_do_not_accumulate() {
        let hub = Hub::default();
        let stays = Arc::new(Ear::default()) as Arc<dyn Listener>;
        hub.listen(Arc::downgrade(&stays));
        for _ in 0..1000 {
            hub.listen(Arc::downgrade(&(Arc::new(Ear::default()) as Arc<dyn Listener>)));
        }
        let listeners = hub.listeners.read().unwrap();
        assert!(listeners.all.len() <= 16, "{}", listeners.all.len());
        assert!(listeners.all.iter().any(|listener| listener.strong_count() > 0));
    }

    #[test]
    fn sets_of_lists_can_be_searched_and_intersected() {
        let some: Lists = [ListKind::Tools, ListKind::Prompts].into_iter().collect();
        assert!(some.contains(ListKind::Prompts) && !some.contains(ListKind::Resources));
        assert!(some.and(Lists::NONE.with(ListKind::Resources)).is_empty());
        assert_eq!(some.and(ListKind::ALL.into_iter().collect()), some);
    }
}
