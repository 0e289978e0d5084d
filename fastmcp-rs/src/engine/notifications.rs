//! The subscriptions whose notifications go to one outgoing queue.
//!
//! A feed knows an outgoing queue and ids, and not the transport behind them: a pipe has one feed for all subscriptions
//! of its client, and a transport with one stream per subscription has one feed per stream.
//!
//! Changes are kept as a set, never as a list, and leave the set as soon as the queue has room. So a client that does
//! not read costs a bounded amount of memory, however much changes in the meantime, and gets the last change when it
//! reads again. For the same reason, changes in quick succession become one notification.
//!
//! Everything happens under one lock, and the queue's lock is taken inside of it: nothing of a subscription is sent
//! before its acknowledgement or after its end.

mod subscription;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub(crate) use subscription::write_meta;
use subscription::{FeedSubscription, SubscriptionId};
use tokio::runtime::Handle;
// The clock of the runtime, which tests can pause.
use tokio::time::Instant;

use crate::context::LogFilter;
use crate::context::change_hub::{Change, ChangeHub, ChangeListener, ListSet};
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::id::{Id, IdKey};
use crate::util::sync::Mutex;

/// The maximum number of subscriptions of one feed, the session's not counted.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 64;
/// The maximum number of URIs of one subscription, and their maximum total length in bytes.
pub(crate) const MAX_URIS: usize = 1000;
pub(crate) const MAX_URI_BYTES: usize = 64 << 10;

/// The minimum time between two rounds of notifications.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

pub(crate) struct NotificationFeed {
    hub: Arc<ChangeHub>,
    outgoing: Arc<OutgoingQueue>,
    /// Set when the feed is registered with the hub: the runtime on which delayed changes are sent, if there is one.
    listener_runtime: OnceLock<Option<Handle>>,
    state: Mutex<FeedState>,
}

#[derive(Default)]
struct FeedState {
    subscriptions: Vec<FeedSubscription>,
    last_sent: Option<Instant>,
    /// Whether a task is waiting to send the changes.
    flush_is_due: bool,
    has_ended: bool,
}

/// The changes that a client subscribes to.
#[derive(Debug, Default)]
pub(crate) struct SubscriptionTargets {
    pub(crate) lists: ListSet,
    pub(crate) uris: Vec<Arc<str>>,
}

/// The reason why a subscription is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SubscribeError {
    /// The server is shutting down.
    Ended,
    TooManySubscriptions,
    TooManyUris,
}

impl NotificationFeed {
    pub(crate) fn new(hub: &Arc<ChangeHub>, outgoing: &Arc<OutgoingQueue>) -> Arc<NotificationFeed> {
        Arc::new(NotificationFeed {
            hub: Arc::clone(hub),
            outgoing: Arc::clone(outgoing),
            listener_runtime: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Registers the feed with the hub. Most connections never need that.
    fn listen_for_changes(self: &Arc<Self>) {
        self.listener_runtime.get_or_init(|| {
            let listener: Arc<dyn ChangeListener> = Arc::clone(self) as _;
            self.hub.add_listener(Arc::downgrade(&listener));
            Handle::try_current().ok()
        });
    }

    /// Opens a subscription with its own id. `acknowledge` sends the frames that must come first.
    pub(crate) fn open_subscription(
        self: &Arc<Self>,
        id: Id<'_>,
        targets: SubscriptionTargets,
        acknowledge: impl FnOnce(),
    ) -> Result<(), SubscribeError> {
        self.listen_for_changes();
        let mut subscription = FeedSubscription::new(Some(SubscriptionId { id: id.as_str().into(), key: id.key() }));
        subscription.is_open = true;
        // A client that has read the acknowledgement relies on notifications, so the interest is registered before.
        subscription.add_targets(&self.hub, targets);
        let mut state = self.state.lock();
        if state.has_ended {
            return Err(SubscribeError::Ended);
        }
        if state.subscriptions.iter().filter(|other| other.subscription_id.is_some()).count() >= MAX_SUBSCRIPTIONS {
            return Err(SubscribeError::TooManySubscriptions);
        }
        acknowledge();
        state.subscriptions.push(subscription);
        Ok(())
    }

    /// Ends a subscription: no more notifications are sent for it.
    pub(crate) fn close_subscription(&self, key: &IdKey) {
        let mut state = self.state.lock();
        state.subscriptions.retain(|subscription| {
            subscription.subscription_id.as_ref().is_none_or(|subscription_id| subscription_id.key != *key)
        });
    }

    /// Opens the subscription of a session, which has no id, with the log messages that its client wants. Nothing is sent
    /// before [`NotificationFeed::start_session`].
    pub(crate) fn open_session(self: &Arc<Self>, lists: ListSet, log: LogFilter) {
        let mut subscription = FeedSubscription { log, ..FeedSubscription::new(None) };
        if !lists.is_empty() {
            self.listen_for_changes();
            subscription.add_targets(&self.hub, SubscriptionTargets { lists, uris: Vec::new() });
        }
        let mut state = self.state.lock();
        if !state.has_ended {
            // Most sessions have no other subscription, and a server may have thousands of sessions.
            state.subscriptions.reserve_exact(1);
            state.subscriptions.push(subscription);
        }
    }

    /// Starts to send notifications to the session's client, which is ready. If the session may get any, `send_earlier`
    /// first sends the frames that must precede them.
    pub(crate) fn start_session(self: &Arc<Self>, send_earlier: impl FnOnce()) {
        let mut state = self.state.lock();
        let Some(session) = state.session().filter(|session| !session.is_open) else { return };
        session.is_open = true;
        if !session.lists.is_empty() || !session.uris.is_empty() {
            send_earlier();
        }
        self.send_changes(&mut state);
    }

    /// Adds a URI to the subscription of a session. `answer` sends the response, which must come first.
    pub(crate) fn subscribe(self: &Arc<Self>, uri: &str, answer: impl FnOnce()) -> Result<(), SubscribeError> {
        self.listen_for_changes();
        let mut state = self.state.lock();
        let Some(session) = state.session() else { return Err(SubscribeError::Ended) };
        if !session.uris.contains_key(uri) {
            let bytes: usize = session.uris.keys().map(|uri| uri.len()).sum();
            if session.uris.len() >= MAX_URIS || bytes + uri.len() > MAX_URI_BYTES {
                return Err(SubscribeError::TooManyUris);
            }
            session.add_targets(&self.hub, SubscriptionTargets { lists: ListSet::NONE, uris: vec![uri.into()] });
        }
        answer();
        Ok(())
    }

    /// Removes a URI from the subscription of a session.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        let mut state = self.state.lock();
        let Some(session) = state.session() else { return };
        if session.uris.remove(uri) == Some(true) {
            session.changed_uris.retain(|changed| &**changed != uri);
        }
        if session.uris.is_empty() {
            session.resource_interest = None;
        }
    }

    /// Ends all subscriptions because the server shuts down: sends the remaining changes, as far as there is room, and
    /// then the frames that end each subscription, which `last_words` writes.
    #[cfg(any(feature = "http", feature = "stdio", test))]
    pub(crate) fn close_all(&self, last_words: impl Fn(&mut Vec<u8>, &str)) {
        let mut state = self.state.lock();
        self.flush_changes(&mut state);
        let mut frames = Vec::new();
        for subscription_id in state.subscriptions.drain(..).filter_map(|subscription| subscription.subscription_id) {
            last_words(&mut frames, &subscription_id.id);
        }
        state.has_ended = true;
        self.outgoing.push(&frames);
    }

    /// Sends the changes: now, or a little later if notifications were sent just before.
    fn send_changes(self: &Arc<Self>, state: &mut FeedState) {
        if state.flush_is_due {
            return;
        }
        let since = state.last_sent.map(|last| last.elapsed());
        let wait = since.and_then(|since| MIN_INTERVAL.checked_sub(since)).filter(|wait| !wait.is_zero());
        if wait.is_none() && self.flush_changes(state) {
            return;
        }
        let Some(Some(runtime)) = self.listener_runtime.get() else {
            self.flush_changes(state);
            return;
        };
        state.flush_is_due = true;
        let feed = Arc::clone(self);
        runtime.spawn(async move {
            tokio::time::sleep(wait.unwrap_or_default()).await;
            loop {
                feed.outgoing.wait_for_capacity().await;
                let mut state = feed.state.lock();
                if feed.flush_changes(&mut state) {
                    state.flush_is_due = false;
                    return;
                }
            }
        });
    }

    /// Sends the changes for which there is room. Returns true if nothing is left to send.
    fn flush_changes(&self, state: &mut FeedState) -> bool {
        let mut frames = Vec::new();
        for subscription in state.subscriptions.iter_mut().filter(|subscription| subscription.has_unsent_changes()) {
            frames.clear();
            subscription.write_notifications(&mut frames);
            if !self.outgoing.try_push(&frames) {
                if self.outgoing.is_closed() {
                    // The queue has no reader any more.
                    state.subscriptions.clear();
                    state.has_ended = true;
                    return true;
                }
                return false;
            }
            subscription.clear_changes();
            state.last_sent = Some(Instant::now());
        }
        true
    }
}

impl ChangeListener for NotificationFeed {
    fn on_change(self: Arc<Self>, change: Change<'_>) {
        let mut state = self.state.lock();
        if let Change::Log { level, frame } = change {
            // Only informative, so it is dropped if there is no room.
            if state.session().is_some_and(|session| session.is_open && session.log.accepts(level)) {
                self.outgoing.try_push(frame);
            }
            return;
        }
        let mut is_due = false;
        for subscription in &mut state.subscriptions {
            subscription.record_change(change);
            is_due |= subscription.has_unsent_changes();
        }
        if is_due {
            self.send_changes(&mut state);
        }
    }
}

impl FeedState {
    fn session(&mut self) -> Option<&mut FeedSubscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.subscription_id.is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;
    use crate::context::change_hub::ListKind;

    struct Setup {
        hub: Arc<ChangeHub>,
        outgoing: Arc<OutgoingQueue>,
        feed: Arc<NotificationFeed>,
    }

    impl Setup {
        fn new() -> Setup {
            let (hub, outgoing) = (Arc::default(), Arc::default());
            let feed = NotificationFeed::new(&hub, &outgoing);
            Setup { hub, outgoing, feed }
        }

        fn open(&self, id: &str, lists: &[ListKind], uris: &[&str]) -> Result<(), SubscribeError> {
            let id: Box<RawValue> = serde_json::from_str(id).unwrap();
            let targets = SubscriptionTargets {
                lists: lists.iter().copied().collect(),
                uris: uris.iter().map(|uri| Arc::from(*uri)).collect(),
            };
            self.feed
                .open_subscription(Id::parse((&*id).into()).unwrap(), targets, || self.outgoing.push(b"\"open\"\n"))
        }

        fn change(&self, uri: &str) {
            self.hub.publish(Change::Resource(uri));
        }

        /// Returns the frames in the queue, abbreviated.
        fn notifications(&self) -> Vec<String> {
            let bytes = self.outgoing.take_for_test();
            let lines = bytes.split_inclusive(|&byte| byte == b'\n');
            lines
                .map(|line| {
                    let frame: Value = serde_json::from_slice(line).unwrap();
                    let Some(method) = frame["method"].as_str() else { return frame.to_string() };
                    let params = &frame["params"];
                    let id = &params["_meta"]["io.modelcontextprotocol/subscriptionId"];
                    let uri = params["uri"].as_str().unwrap_or_default();
                    format!("{} {id} {uri}", method.strip_prefix("notifications/").unwrap())
                })
                .collect()
        }
    }

    fn run<F: Future<Output = ()>>(work: F) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(work);
    }

    async fn pause() {
        tokio::time::sleep(MIN_INTERVAL * 3).await;
    }

    #[test]
    fn each_subscription_gets_the_changes_of_its_filter() {
        run(async {
            let setup = Setup::new();
            setup.change("a:1");
            setup.open("1", &[ListKind::Tools], &["a:1"]).unwrap();
            setup.open("\"1\"", &[ListKind::Tools, ListKind::Prompts], &["a:2"]).unwrap();
            setup.feed.open_session(ListKind::ALL.into_iter().collect(), LogFilter::None);
            setup.feed.start_session(|| setup.outgoing.push(b"\"begun\"\n"));
            assert_eq!(setup.notifications(), ["\"open\"", "\"open\"", "\"begun\""]);
            for (change, expected) in [
                (Change::List(ListKind::Tools), &["tools 1", "tools \"1\"", "tools null"][..]),
                (Change::List(ListKind::Prompts), &["prompts \"1\"", "prompts null"]),
                (Change::List(ListKind::Resources), &["resources null"]),
            ] {
                setup.hub.publish(change);
                let notifications = setup.notifications();
                let of = |who: &&str| format!("{} ", who.replace(' ', "/list_changed "));
                assert_eq!(notifications, expected.iter().map(of).collect::<Vec<_>>());
                pause().await;
            }
            for (uri, id) in [("a:1", "1"), ("a:2", "\"1\"")] {
                setup.change(uri);
                assert_eq!(setup.notifications(), [format!("resources/updated {id} {uri}")]);
                pause().await;
            }
            setup.change("a:3");
            assert!(setup.notifications().is_empty());
            pause().await;
            assert!(setup.notifications().is_empty());
        });
    }

    #[test]
    fn a_burst_of_changes_is_notified_at_once_and_once_more() {
        run(async {
            let setup = Setup::new();
            setup.open("1", &[ListKind::Tools], &["a:1", "a:2"]).unwrap();
            setup.notifications();
            for _ in 0..1000 {
                setup.change("a:2");
                setup.change("a:1");
                setup.hub.publish(Change::List(ListKind::Tools));
            }
            assert_eq!(setup.notifications(), ["resources/updated 1 a:2"]);
            pause().await;
            let rest = ["tools/list_changed 1 ", "resources/updated 1 a:1", "resources/updated 1 a:2"];
            assert_eq!(setup.notifications(), rest);
            pause().await;
            assert!(setup.notifications().is_empty());
        });
    }

    #[test]
    fn a_session_gets_changes_from_before_its_start() {
        run(async {
            let setup = Setup::new();
            setup.feed.open_session(ListSet::NONE.with(ListKind::Tools), LogFilter::None);
            setup.feed.subscribe("a:1", || setup.outgoing.push(b"\"answer\"\n")).unwrap();
            setup.feed.subscribe("a:2", || {}).unwrap();
            for _ in 0..3 {
                setup.hub.publish(Change::List(ListKind::Tools));
                setup.hub.publish(Change::List(ListKind::Prompts));
                setup.change("a:1");
                setup.change("a:2");
            }
            setup.feed.unsubscribe("a:2");
            pause().await;
            assert_eq!(setup.notifications(), ["\"answer\""]);
            setup.feed.start_session(|| setup.outgoing.push(b"\"before\"\n"));
            assert_eq!(setup.notifications(), ["\"before\"", "tools/list_changed null ", "resources/updated null a:1"]);
            setup.feed.start_session(|| panic!("it has begun"));
        });
    }

    #[test]
    fn no_notification_follows_the_end() {
        run(async {
            let setup = Setup::new();
            for id in ["1", "2", "3"] {
                setup.open(id, &[], &["a:1"]).unwrap();
            }
            setup.notifications();
            // The second change is held back.
            setup.change("a:1");
            setup.change("a:1");
            assert_eq!(setup.notifications().len(), 3);
            setup.feed.close_subscription(&IdKey::Integer(2));
            pause().await;
            assert_eq!(setup.notifications(), ["resources/updated 1 a:1", "resources/updated 3 a:1"]);
            setup.feed.close_subscription(&IdKey::Integer(2));
            pause().await;
            setup.change("a:1");
            setup.change("a:1");
            setup.feed.close_all(|out, id| out.extend_from_slice(format!("\"end {id}\"\n").as_bytes()));
            let both = ["resources/updated 1 a:1", "resources/updated 3 a:1"];
            assert_eq!(setup.notifications(), [&both[..], &both, &["\"end 1\"", "\"end 3\""]].concat());
            setup.change("a:1");
            pause().await;
            assert!(setup.notifications().is_empty());
            assert_eq!(setup.open("4", &[], &[]), Err(SubscribeError::Ended));
            assert_eq!(setup.feed.subscribe("a:1", || {}), Err(SubscribeError::Ended));
        });
    }

    #[test]
    fn a_client_that_reads_late_gets_every_change() {
        run(async {
            let setup = Setup::new();
            let uris: Vec<String> = (0..MAX_URIS).map(|number| format!("a:{number}")).collect();
            setup.open("1", &[], &uris.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let mut most = 0;
            // 200,000 changes, while the client does not read.
            for _ in 0..200 {
                uris.iter().for_each(|uri| setup.change(uri));
                tokio::time::sleep(MIN_INTERVAL + Duration::from_millis(1)).await;
                most = most.max(setup.outgoing.queued_bytes());
            }
            assert!((8 << 20..9 << 20).contains(&most), "{most} bytes wait");
            // Now the client reads. Every resource has changed since the notifications that it reads first.
            setup.notifications();
            pause().await;
            let mut notifications = setup.notifications();
            notifications.sort();
            let mut expected: Vec<String> = uris.iter().map(|uri| format!("resources/updated 1 {uri}")).collect();
            expected.sort();
            assert_eq!(notifications, expected);
            pause().await;
            assert!(setup.notifications().is_empty());
        });
    }

    #[test]
    fn a_closed_client_is_forgotten() {
        run(async {
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.outgoing.close();
            setup.change("a:1");
            assert!(setup.feed.state.lock().subscriptions.is_empty());
            assert_eq!(setup.open("2", &[], &["a:1"]), Err(SubscribeError::Ended));
            pause().await;
            assert_eq!(Arc::strong_count(&setup.feed), 1, "no task is left");
            // The same while a task waits for room.
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.outgoing.push(&vec![b'x'; 9 << 20]);
            setup.change("a:1");
            pause().await;
            setup.outgoing.close();
            pause().await;
            assert_eq!(Arc::strong_count(&setup.feed), 1, "no task is left");
        });
    }

    #[test]
    fn changes_are_notified_from_any_thread_and_without_a_runtime() {
        let setup = Setup::new();
        setup.open("1", &[], &["a:1"]).unwrap();
        setup.notifications();
        let hub = Arc::clone(&setup.hub);
        std::thread::spawn(move || (0..3).for_each(|_| hub.publish(Change::Resource("a:1")))).join().unwrap();
        assert_eq!(setup.notifications().len(), 3, "nobody could send it later");

        run(async {
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.notifications();
            let hub = Arc::clone(&setup.hub);
            std::thread::spawn(move || (0..3).for_each(|_| hub.publish(Change::Resource("a:1")))).join().unwrap();
            assert_eq!(setup.notifications().len(), 1);
            pause().await;
            assert_eq!(setup.notifications().len(), 1);
        });
    }

    /// Waits long enough for a change to be made in the meantime, if that were possible, and sends a frame.
    fn slowly(outgoing: &OutgoingQueue) {
        std::thread::sleep(Duration::from_millis(2));
        outgoing.push(b"\"first\"\n");
    }

    #[test]
    fn no_change_overtakes_the_acknowledgement() {
        for round in 0..60 {
            let setup = Setup::new();
            if round % 3 > 0 {
                setup.feed.open_session(ListSet::NONE.with(ListKind::Tools), LogFilter::None);
            }
            if round % 3 == 1 {
                setup.feed.start_session(|| {});
            }
            let is_done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_done.load(Ordering::Acquire) {
                        setup.change("a:1");
                        setup.hub.publish(Change::List(ListKind::Prompts));
                    }
                });
                let outgoing = &*setup.outgoing;
                match round % 3 {
                    0 => {
                        let targets = SubscriptionTargets { lists: ListSet::NONE, uris: vec!["a:1".into()] };
                        let id: Box<RawValue> = serde_json::from_str("1").unwrap();
                        setup
                            .feed
                            .open_subscription(Id::parse((&*id).into()).unwrap(), targets, || slowly(outgoing))
                            .unwrap();
                    }
                    1 => setup.feed.subscribe("a:1", || slowly(outgoing)).unwrap(),
                    _ => {
                        setup.feed.subscribe("a:1", || {}).unwrap();
                        setup.feed.start_session(|| slowly(outgoing));
                    }
                }
                let mut notifications = setup.notifications();
                while notifications.len() < 2 {
                    notifications.extend(setup.notifications());
                }
                is_done.store(true, Ordering::Release);
                assert_eq!(notifications[0], "\"first\"", "round {round}");
            });
        }
    }

    #[test]
    fn subscriptions_and_their_uris_are_bounded() {
        let setup = Setup::new();
        for id in 0..MAX_SUBSCRIPTIONS {
            setup.open(&id.to_string(), &[], &["a:1"]).unwrap();
        }
        setup.feed.open_session(ListSet::NONE, LogFilter::None);
        assert_eq!(setup.open("1000", &[], &[]), Err(SubscribeError::TooManySubscriptions));
        setup.feed.close_subscription(&IdKey::Integer(3));
        setup.open("1000", &[], &[]).unwrap();

        let subscribe = |uri: &str| setup.feed.subscribe(uri, || {});
        for number in 0..MAX_URIS {
            subscribe(&format!("a:{number}")).unwrap();
        }
        subscribe("a:7").unwrap();
        assert_eq!(subscribe("a:more"), Err(SubscribeError::TooManyUris));
        (0..MAX_URIS).for_each(|number| setup.feed.unsubscribe(&format!("a:{number}")));
        subscribe(&"x".repeat(MAX_URI_BYTES)).unwrap();
        assert_eq!(subscribe("y"), Err(SubscribeError::TooManyUris));
    }
}
