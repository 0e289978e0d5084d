//! Publishes changes of a server's components to the parts that notify clients.
//!
//! Code that changes something calls [`ChangeHub::publish`]; the writers of notifications are its listeners. Neither side
//! knows the other: a handler needs neither the engine nor a list of clients. Publishing never waits for a client,
//! works on any thread, and costs one atomic load if no client is interested.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use crate::protocol::LoggingLevel;
use crate::util::sync::RwLock;

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
pub(crate) struct ListSet(u8);

impl ListSet {
    pub(crate) const NONE: ListSet = ListSet(0);

    pub(crate) fn with(self, kind: ListKind) -> ListSet {
        ListSet(self.0 | 1 << kind as u8)
    }

    pub(crate) fn contains(self, kind: ListKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn intersection(self, other: ListSet) -> ListSet {
        ListSet(self.0 & other.0)
    }
}

impl FromIterator<ListKind> for ListSet {
    fn from_iter<I: IntoIterator<Item = ListKind>>(kinds: I) -> ListSet {
        kinds.into_iter().fold(ListSet::NONE, ListSet::with)
    }
}

/// A change that listeners are notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change<'a> {
    /// Components were added, removed or described differently.
    List(ListKind),
    /// The contents of the resource at this URI have changed.
    Resource(&'a str),
    /// A log message that belongs to no call; `frame` is its notification.
    Log { level: LoggingLevel, frame: &'a [u8] },
}

/// A receiver of changes. It is called while a lock is held, so it must not wait.
pub(crate) trait ChangeListener: Send + Sync {
    fn on_change(self: Arc<Self>, change: Change<'_>);
}

/// Distributes the changes of a server to its listeners.
#[derive(Default)]
pub(crate) struct ChangeHub {
    listeners: RwLock<ChangeListeners>,
    /// The number of [`ChangeInterest`]s in lists.
    list_interests: AtomicUsize,
    /// The number of [`ChangeInterest`]s in resources.
    resource_interests: AtomicUsize,
}

#[derive(Default)]
struct ChangeListeners {
    all: Vec<Weak<dyn ChangeListener>>,
    /// The number of listeners at which dropped listeners are removed.
    limit: usize,
}

impl ChangeHub {
    /// Notifies the listeners of a change. Call it after the change is made: a client that reads from now on must see
    /// it.
    pub(crate) fn publish(&self, change: Change<'_>) {
        let interested = match change {
            // Every session of a server with a handle is interested in its lists, and only a handle logs.
            Change::List(_) | Change::Log { .. } => &self.list_interests,
            Change::Resource(_) => &self.resource_interests,
        };
        if interested.load(Ordering::Acquire) == 0 {
            return;
        }
        for listener in &self.listeners.read().all {
            if let Some(listener) = listener.upgrade() {
                listener.on_change(change);
            }
        }
    }

    /// Returns true if a client is interested in lists.
    pub(crate) fn has_list_interest(&self) -> bool {
        self.list_interests.load(Ordering::Acquire) > 0
    }

    /// Adds a listener. It is notified while it is alive and at least one [`ChangeInterest`] of the change's kind exists.
    pub(crate) fn add_listener(&self, listener: Weak<dyn ChangeListener>) {
        let mut listeners = self.listeners.write();
        if listeners.all.len() >= listeners.limit {
            listeners.all.retain(|listener| listener.strong_count() > 0);
            listeners.limit = (2 * listeners.all.len()).max(16);
        }
        listeners.all.push(listener);
    }

    /// Registers an interest in lists until the result is dropped.
    pub(crate) fn register_list_interest(self: &Arc<Self>) -> ChangeInterest {
        ChangeInterest::new(self, |hub| &hub.list_interests)
    }

    /// Registers an interest in resources until the result is dropped.
    pub(crate) fn register_resource_interest(self: &Arc<Self>) -> ChangeInterest {
        ChangeInterest::new(self, |hub| &hub.resource_interests)
    }
}

impl std::fmt::Debug for ChangeHub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ChangeHub { list_interests, resource_interests, .. } = self;
        formatter
            .debug_struct("Hub")
            .field("lists", list_interests)
            .field("resources", resource_interests)
            .finish_non_exhaustive()
    }
}

/// An interest in changes of one kind. Changes without any interest are not published.
pub(crate) struct ChangeInterest {
    hub: Arc<ChangeHub>,
    counter: fn(&ChangeHub) -> &AtomicUsize,
}

impl ChangeInterest {
    fn new(hub: &Arc<ChangeHub>, counter: fn(&ChangeHub) -> &AtomicUsize) -> ChangeInterest {
        counter(hub).fetch_add(1, Ordering::AcqRel);
        ChangeInterest { hub: Arc::clone(hub), counter }
    }
}

impl Drop for ChangeInterest {
    fn drop(&mut self) {
        (self.counter)(&self.hub).fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use crate::util::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct RecordingListener(Mutex<Vec<String>>);

    impl ChangeListener for RecordingListener {
        fn on_change(self: Arc<Self>, change: Change<'_>) {
            self.0.lock().push(format!("{change:?}"));
        }
    }

    #[test]
    fn listeners_are_notified_until_they_are_dropped() {
        let hub = Arc::new(ChangeHub::default());
        let recorder = Arc::new(RecordingListener::default());
        let weak: Weak<dyn ChangeListener> = Arc::downgrade(&(Arc::clone(&recorder) as Arc<dyn ChangeListener>));
        hub.add_listener(weak);
        hub.publish(Change::Resource("a:b"));
        hub.publish(Change::List(ListKind::Tools));
        assert!(recorder.0.lock().is_empty());

        let interest = hub.register_resource_interest();
        hub.publish(Change::Resource("a:b"));
        hub.publish(Change::List(ListKind::Tools));
        assert_eq!(*recorder.0.lock(), [r#"Resource("a:b")"#]);
        drop(interest);
        hub.publish(Change::Resource("a:b"));
        assert_eq!(recorder.0.lock().len(), 1);
    }

    #[test]
    fn dropped_listeners_do_not_accumulate() {
        let hub = ChangeHub::default();
        let stays = Arc::new(RecordingListener::default()) as Arc<dyn ChangeListener>;
        hub.add_listener(Arc::downgrade(&stays));
        for _ in 0..1000 {
            hub.add_listener(Arc::downgrade(&(Arc::new(RecordingListener::default()) as Arc<dyn ChangeListener>)));
        }
        let listeners = hub.listeners.read();
        assert!(listeners.all.len() <= 16, "{}", listeners.all.len());
        assert!(listeners.all.iter().any(|listener| listener.strong_count() > 0));
    }

    #[test]
    fn sets_of_lists_can_be_searched_and_intersected() {
        let some: ListSet = [ListKind::Tools, ListKind::Prompts].into_iter().collect();
        assert!(some.contains(ListKind::Prompts) && !some.contains(ListKind::Resources));
        assert!(some.intersection(ListSet::NONE.with(ListKind::Resources)).is_empty());
        assert_eq!(some.intersection(ListKind::ALL.into_iter().collect()), some);
    }
}
