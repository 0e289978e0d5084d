//! The subscriptions whose notifications go to one outbox.
//!
//! A feed knows an outbox and ids, and not the transport behind them: a pipe has one feed for all subscriptions of its
//! client, and a transport with one stream per subscription has one feed per stream.
//!
//! Changes are kept as a set, never as a queue, and leave the set as soon as the outbox has room. So a client that does
//! not read costs a bounded amount of memory, however much changes in the meantime, and gets the last change when it
//! reads again. For the same reason, changes in quick succession become one notification.
//!
//! Everything happens under one lock, and the outbox's lock is taken inside of it: nothing of a subscription is sent
//! before its acknowledgement or after its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
// The clock of the runtime, which tests can pause.
use tokio::time::Instant;

use crate::context::change_hub::{Change, Hub, Interest, ListKind, Listener, Lists};
use crate::json::encode;
use crate::outgoing::queue::Outbox;
use crate::protocol::id::{Id, Key};
use crate::protocol::write;

/// The maximum number of subscriptions of one feed, the session's not counted.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 64;
/// The maximum number of URIs of one subscription, and their maximum total length in bytes.
pub(crate) const MAX_URIS: usize = 1000;
pub(crate) const MAX_URI_BYTES: usize = 64 << 10;

/// The minimum time between two rounds of notifications.
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct Feed {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    /// Set when the feed is registered with the hub: the runtime on which delayed changes are sent, if there is one.
    attached: OnceLock<Option<Handle>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    subscriptions: Vec<Subscription>,
    last_sent: Option<Instant>,
    /// Whether a task is waiting to send the changes.
    flush_is_due: bool,
    has_ended: bool,
}

/// The changes that a client subscribes to.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) lists: Lists,
    pub(crate) uris: Vec<Arc<str>>,
}

/// The reason why a subscription is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The server is shutting down.
    Ended,
    TooManySubscriptions,
    TooManyUris,
}

impl Feed {
    pub(crate) fn new(hub: &Arc<Hub>, outbox: &Arc<Outbox>) -> Arc<Feed> {
        Arc::new(Feed {
            hub: Arc::clone(hub),
            outbox: Arc::clone(outbox),
            attached: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers the feed with the hub. Most connections never need that.
    fn attach(self: &Arc<Self>) {
        self.attached.get_or_init(|| {
            let listener: Arc<dyn Listener> = Arc::clone(self) as _;
            self.hub.listen(Arc::downgrade(&listener));
            Handle::try_current().ok()
        });
    }

    /// Opens a subscription with its own id. `acknowledge` sends the frames that must come first.
    pub(crate) fn open(
        self: &Arc<Self>,
        id: Id<'_>,
        wanted: Wanted,
        acknowledge: impl FnOnce(),
    ) -> Result<(), Refused> {
        self.attach();
        let mut subscription = Subscription::new(Some(Stream { id: id.as_str().into(), key: id.key() }));
        subscription.is_open = true;
        // A client that has read the acknowledgement relies on notifications, so the interest is registered before.
        subscription.want(&self.hub, wanted);
        let mut state = self.lock();
        if state.has_ended {
            return Err(Refused::Ended);
        }
        if state.subscriptions.iter().filter(|other| other.stream.is_some()).count() >= MAX_SUBSCRIPTIONS {
            return Err(Refused::TooManySubscriptions);
        }
        acknowledge();
        state.subscriptions.push(subscription);
        Ok(())
    }

    /// Ends a subscription: no more notifications are sent for it.
    pub(crate) fn close(&self, key: &Key) {
        let mut state = self.lock();
        state.subscriptions.retain(|subscription| subscription.stream.as_ref().is_none_or(|stream| stream.key != *key));
    }

    /// Opens the subscription of a session, which has no id. Nothing is sent before [`Feed::begin_session`].
    pub(crate) fn open_session(self: &Arc<Self>, lists: Lists) {
        let mut subscription = Subscription::new(None);
        if !lists.is_empty() {
            self.attach();
            subscription.want(&self.hub, Wanted { lists, uris: Vec::new() });
        }
        let mut state = self.lock();
        if !state.has_ended {
            // Most sessions have no other subscription, and a server may have thousands of sessions.
            state.subscriptions.reserve_exact(1);
            state.subscriptions.push(subscription);
        }
    }

    /// Starts to send notifications to the session's client, which is ready. If the session may get any, `send_earlier`
    /// first sends the frames that must precede them.
    pub(crate) fn begin_session(self: &Arc<Self>, send_earlier: impl FnOnce()) {
        let mut state = self.lock();
        let Some(session) = state.session().filter(|session| !session.is_open) else { return };
        session.is_open = true;
        if !session.lists.is_empty() || !session.uris.is_empty() {
            send_earlier();
        }
        self.send(&mut state);
    }

    /// Adds a URI to the subscription of a session. `answer` sends the response, which must come first.
    pub(crate) fn subscribe(self: &Arc<Self>, uri: &str, answer: impl FnOnce()) -> Result<(), Refused> {
        self.attach();
        let mut state = self.lock();
        let Some(session) = state.session() else { return Err(Refused::Ended) };
        if !session.uris.contains_key(uri) {
            let bytes: usize = session.uris.keys().map(|uri| uri.len()).sum();
            if session.uris.len() >= MAX_URIS || bytes + uri.len() > MAX_URI_BYTES {
                return Err(Refused::TooManyUris);
            }
            session.want(&self.hub, Wanted { lists: Lists::NONE, uris: vec![uri.into()] });
        }
        answer();
        Ok(())
    }

    /// Removes a URI from the subscription of a session.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        let mut state = self.lock();
        let Some(session) = state.session() else { return };
        if session.uris.remove(uri) == Some(true) {
            session.changed_uris.retain(|changed| &**changed != uri);
        }
        if session.uris.is_empty() {
            session.interest_in_resources = None;
        }
    }

    /// Ends all subscriptions because the server shuts down: sends the remaining changes, as far as there is room, and
    /// then the frames that end each subscription, which `last_words` writes.
    pub(crate) fn end(&self, last_words: impl Fn(&mut Vec<u8>, &str)) {
        let mut state = self.lock();
        self.flush(&mut state);
        let mut frames = Vec::new();
        for stream in state.subscriptions.drain(..).filter_map(|subscription| subscription.stream) {
            last_words(&mut frames, &stream.id);
        }
        state.has_ended = true;
        self.outbox.push(&frames);
    }

    /// Sends the changes: now, or a little later if notifications were sent just before.
    fn send(self: &Arc<Self>, state: &mut State) {
        if state.flush_is_due {
            return;
        }
        let since = state.last_sent.map(|last| last.elapsed());
        let wait = since.and_then(|since| PAUSE.checked_sub(since)).filter(|wait| !wait.is_zero());
        if wait.is_none() && self.flush(state) {
            return;
        }
        let Some(Some(runtime)) = self.attached.get() else {
            self.flush(state);
            return;
        };
        state.flush_is_due = true;
        let feed = Arc::clone(self);
        runtime.spawn(async move {
            tokio::time::sleep(wait.unwrap_or_default()).await;
            loop {
                feed.outbox.room().await;
                let mut state = feed.lock();
                if feed.flush(&mut state) {
                    state.flush_is_due = false;
                    return;
                }
            }
        });
    }

    /// Sends the changes for which there is room. Returns true if nothing is left to send.
    fn flush(&self, state: &mut State) -> bool {
        let mut frames = Vec::new();
        for subscription in state.subscriptions.iter_mut().filter(|subscription| subscription.is_due()) {
            frames.clear();
            subscription.write(&mut frames);
            if !self.outbox.try_push(&frames) {
                if self.outbox.is_closed() {
                    // The outbox has no reader any more.
                    state.subscriptions.clear();
                    state.has_ended = true;
                    return true;
                }
                return false;
            }
            subscription.forget_changes();
            state.last_sent = Some(Instant::now());
        }
        true
    }
}

impl Listener for Feed {
    fn changed(self: Arc<Self>, change: Change<'_>) {
        let mut state = self.lock();
        let mut is_due = false;
        for subscription in &mut state.subscriptions {
            subscription.note(change);
            is_due |= subscription.is_due();
        }
        if is_due {
            self.send(&mut state);
        }
    }
}

impl State {
    fn session(&mut self) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.stream.is_none())
    }
}

/// The id of a subscription.
struct Stream {
    /// JSON text, as the client wrote it.
    id: Box<str>,
    key: Key,
}

struct Subscription {
    /// `None` for the session of a legacy client, whose notifications carry no id.
    stream: Option<Stream>,
    /// Whether notifications may be sent yet.
    is_open: bool,
    lists: Lists,
    changed_lists: Lists,
    /// The URIs, each with a flag that is true if it is in `changed_uris`.
    uris: HashMap<Arc<str>, bool>,
    /// The changed URIs, in the order of their first change.
    changed_uris: Vec<Arc<str>>,
    interest_in_lists: Option<Interest>,
    interest_in_resources: Option<Interest>,
}

impl Subscription {
    fn new(stream: Option<Stream>) -> Subscription {
        Subscription {
            stream,
            is_open: false,
            lists: Lists::NONE,
            changed_lists: Lists::NONE,
            uris: HashMap::new(),
            changed_uris: Vec::new(),
            interest_in_lists: None,
            interest_in_resources: None,
        }
    }

    fn want(&mut self, hub: &Arc<Hub>, wanted: Wanted) {
        let Wanted { lists, uris } = wanted;
        if !lists.is_empty() {
            self.lists = lists;
            self.interest_in_lists.get_or_insert_with(|| hub.interest_in_lists());
        }
        if !uris.is_empty() {
            self.uris.extend(uris.into_iter().map(|uri| (uri, false)));
            self.interest_in_resources.get_or_insert_with(|| hub.interest_in_resources());
        }
    }

    fn note(&mut self, change: Change<'_>) {
        match change {
            Change::List(kind) if self.lists.contains(kind) => self.changed_lists = self.changed_lists.with(kind),
            Change::List(_) => {}
            Change::Resource(uri) => {
                // The key is shared with the list of changes.
                if let Some((uri, false)) = self.uris.get_key_value(uri) {
                    let uri = Arc::clone(uri);
                    self.changed_uris.push(Arc::clone(&uri));
                    self.uris.insert(uri, true);
                }
            }
        }
    }

    fn is_due(&self) -> bool {
        self.is_open && !(self.changed_lists.is_empty() && self.changed_uris.is_empty())
    }

    /// Writes a notification for each change.
    fn write(&self, out: &mut Vec<u8>) {
        for kind in ListKind::ALL.into_iter().filter(|kind| self.changed_lists.contains(*kind)) {
            out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/"#);
            out.extend_from_slice(match kind {
                ListKind::Tools => b"tools",
                ListKind::Resources => b"resources",
                ListKind::Prompts => b"prompts",
            });
            out.extend_from_slice(br#"/list_changed""#);
            if let Some(stream) = &self.stream {
                out.extend_from_slice(br#","params":{"#);
                write_meta(out, &stream.id);
                out.push(b'}');
            }
            out.extend_from_slice(b"}\n");
        }
        for uri in &self.changed_uris {
            out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"#);
            if let Some(stream) = &self.stream {
                write_meta(out, &stream.id);
                out.push(b',');
            }
            out.extend_from_slice(br#""uri":"#);
            encode::string(out, uri);
            out.extend_from_slice(b"}}\n");
        }
    }

    fn forget_changes(&mut self) {
        self.changed_lists = Lists::NONE;
        for uri in self.changed_uris.drain(..) {
            self.uris.insert(uri, false);
        }
    }
}

/// Appends the `_meta` member that names the subscription of a notification.
pub(crate) fn write_meta(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(br#""_meta":{"io.modelcontextprotocol/subscriptionId":"#);
    write::append_id(out, id);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::*;

    struct Setup {
        hub: Arc<Hub>,
        outbox: Arc<Outbox>,
        feed: Arc<Feed>,
    }

    impl Setup {
        fn new() -> Setup {
            let (hub, outbox) = (Arc::default(), Arc::default());
            let feed = Feed::new(&hub, &outbox);
            Setup { hub, outbox, feed }
        }

        fn open(&self, id: &str, lists: &[ListKind], uris: &[&str]) -> Result<(), Refused> {
            let id: Box<RawValue> = serde_json::from_str(id).unwrap();
            let wanted = Wanted {
                lists: lists.iter().copied().collect(),
                uris: uris.iter().map(|uri| Arc::from(*uri)).collect(),
            };
            self.feed.open(Id::parse((&*id).into()).unwrap(), wanted, || self.outbox.push(b"\"open\"\n"))
        }

        fn change(&self, uri: &str) {
            self.hub.publish(Change::Resource(uri));
        }

        /// Returns the frames in the outbox, abbreviated.
        fn told(&self) -> Vec<String> {
            let bytes = self.outbox.take_now().unwrap_or_default();
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
        tokio::time::sleep(PAUSE * 3).await;
    }

    #[test]
    fn each_subscription_gets_the_changes_of_its_filter() {
        run(async {
            let setup = Setup::new();
            setup.change("a:1");
            setup.open("1", &[ListKind::Tools], &["a:1"]).unwrap();
            setup.open("\"1\"", &[ListKind::Tools, ListKind::Prompts], &["a:2"]).unwrap();
            setup.feed.open_session(ListKind::ALL.into_iter().collect());
            setup.feed.begin_session(|| setup.outbox.push(b"\"begun\"\n"));
            assert_eq!(setup.told(), ["\"open\"", "\"open\"", "\"begun\""]);
            for (change, expected) in [
                (Change::List(ListKind::Tools), &["tools 1", "tools \"1\"", "tools null"][..]),
                (Change::List(ListKind::Prompts), &["prompts \"1\"", "prompts null"]),
                (Change::List(ListKind::Resources), &["resources null"]),
            ] {
                setup.hub.publish(change);
                let told = setup.told();
                let of = |who: &&str| format!("{} ", who.replace(' ', "/list_changed "));
                assert_eq!(told, expected.iter().map(of).collect::<Vec<_>>());
                pause().await;
            }
            for (uri, id) in [("a:1", "1"), ("a:2", "\"1\"")] {
                setup.change(uri);
                assert_eq!(setup.told(), [format!("resources/updated {id} {uri}")]);
                pause().await;
            }
            setup.change("a:3");
            assert!(setup.told().is_empty());
            pause().await;
            assert!(setup.told().is_empty());
        });
    }

    #[test]
    fn a_burst_of_changes_is_notified_at_once_and_once_more() {
        run(async {
            let setup = Setup::new();
            setup.open("1", &[ListKind::Tools], &["a:1", "a:2"]).unwrap();
            setup.told();
            for _ in 0..1000 {
                setup.change("a:2");
                setup.change("a:1");
                setup.hub.publish(Change::List(ListKind::Tools));
            }
            assert_eq!(setup.told(), ["resources/updated 1 a:2"]);
            pause().await;
            let rest = ["tools/list_changed 1 ", "resources/updated 1 a:1", "resources/updated 1 a:2"];
            assert_eq!(setup.told(), rest);
            pause().await;
            assert!(setup.told().is_empty());
        });
    }

    #[test]
    fn a_session_gets_changes_from_before_its_start() {
        run(async {
            let setup = Setup::new();
            setup.feed.open_session(Lists::NONE.with(ListKind::Tools));
            setup.feed.subscribe("a:1", || setup.outbox.push(b"\"answer\"\n")).unwrap();
            setup.feed.subscribe("a:2", || {}).unwrap();
            for _ in 0..3 {
                setup.hub.publish(Change::List(ListKind::Tools));
                setup.hub.publish(Change::List(ListKind::Prompts));
                setup.change("a:1");
                setup.change("a:2");
            }
            setup.feed.unsubscribe("a:2");
            pause().await;
            assert_eq!(setup.told(), ["\"answer\""]);
            setup.feed.begin_session(|| setup.outbox.push(b"\"before\"\n"));
            assert_eq!(setup.told(), ["\"before\"", "tools/list_changed null ", "resources/updated null a:1"]);
            setup.feed.begin_session(|| panic!("it has begun"));
        });
    }

    #[test]
    fn no_notification_follows_the_end() {
        run(async {
            let setup = Setup::new();
            for id in ["1", "2", "3"] {
                setup.open(id, &[], &["a:1"]).unwrap();
            }
            setup.told();
            // The second change is held back.
            setup.change("a:1");
            setup.change("a:1");
            assert_eq!(setup.told().len(), 3);
            setup.feed.close(&Key::Integer(2));
            pause().await;
            assert_eq!(setup.told(), ["resources/updated 1 a:1", "resources/updated 3 a:1"]);
            setup.feed.close(&Key::Integer(2));
            pause().await;
            setup.change("a:1");
            setup.change("a:1");
            setup.feed.end(|out, id| out.extend_from_slice(format!("\"end {id}\"\n").as_bytes()));
            let both = ["resources/updated 1 a:1", "resources/updated 3 a:1"];
            assert_eq!(setup.told(), [&both[..], &both, &["\"end 1\"", "\"end 3\""]].concat());
            setup.change("a:1");
            pause().await;
            assert!(setup.told().is_empty());
            assert_eq!(setup.open("4", &[], &[]), Err(Refused::Ended));
            assert_eq!(setup.feed.subscribe("a:1", || {}), Err(Refused::Ended));
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
                tokio::time::sleep(PAUSE + Duration::from_millis(1)).await;
                most = most.max(setup.outbox.waiting());
            }
            assert!((8 << 20..9 << 20).contains(&most), "{most} bytes wait");
            // Now the client reads. Every resource has changed since the notifications that it reads first.
            setup.told();
            pause().await;
            let mut told = setup.told();
            told.sort();
            let mut expected: Vec<String> = uris.iter().map(|uri| format!("resources/updated 1 {uri}")).collect();
            expected.sort();
            assert_eq!(told, expected);
            pause().await;
            assert!(setup.told().is_empty());
        });
    }

    #[test]
    fn a_closed_client_is_forgotten() {
        run(async {
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.outbox.close();
            setup.change("a:1");
            assert!(setup.feed.lock().subscriptions.is_empty());
            assert_eq!(setup.open("2", &[], &["a:1"]), Err(Refused::Ended));
            pause().await;
            assert_eq!(Arc::strong_count(&setup.feed), 1, "no task is left");
            // The same while a task waits for room.
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.outbox.push(&vec![b'x'; 9 << 20]);
            setup.change("a:1");
            pause().await;
            setup.outbox.close();
            pause().await;
            assert_eq!(Arc::strong_count(&setup.feed), 1, "no task is left");
        });
    }

    #[test]
    fn changes_are_notified_from_any_thread_and_without_a_runtime() {
        let setup = Setup::new();
        setup.open("1", &[], &["a:1"]).unwrap();
        setup.told();
        let hub = Arc::clone(&setup.hub);
        std::thread::spawn(move || (0..3).for_each(|_| hub.publish(Change::Resource("a:1")))).join().unwrap();
        assert_eq!(setup.told().len(), 3, "nobody could send it later");

        run(async {
            let setup = Setup::new();
            setup.open("1", &[], &["a:1"]).unwrap();
            setup.told();
            let hub = Arc::clone(&setup.hub);
            std::thread::spawn(move || (0..3).for_each(|_| hub.publish(Change::Resource("a:1")))).join().unwrap();
            assert_eq!(setup.told().len(), 1);
            pause().await;
            assert_eq!(setup.told().len(), 1);
        });
    }

    /// Waits long enough for a change to be made in the meantime, if that were possible, and sends a frame.
    fn slowly(outbox: &Outbox) {
        std::thread::sleep(Duration::from_millis(2));
        outbox.push(b"\"first\"\n");
    }

    #[test]
    fn no_change_overtakes_the_acknowledgement() {
        for round in 0..60 {
            let setup = Setup::new();
            if round % 3 > 0 {
                setup.feed.open_session(Lists::NONE.with(ListKind::Tools));
            }
            if round % 3 == 1 {
                setup.feed.begin_session(|| {});
            }
            let is_done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_done.load(Ordering::Acquire) {
                        setup.change("a:1");
                        setup.hub.publish(Change::List(ListKind::Prompts));
                    }
                });
                let outbox = &*setup.outbox;
                match round % 3 {
                    0 => {
                        let wanted = Wanted { lists: Lists::NONE, uris: vec!["a:1".into()] };
                        let id: Box<RawValue> = serde_json::from_str("1").unwrap();
                        setup.feed.open(Id::parse((&*id).into()).unwrap(), wanted, || slowly(outbox)).unwrap();
                    }
                    1 => setup.feed.subscribe("a:1", || slowly(outbox)).unwrap(),
                    _ => {
                        setup.feed.subscribe("a:1", || {}).unwrap();
                        setup.feed.begin_session(|| slowly(outbox));
                    }
                }
                let mut told = setup.told();
                while told.len() < 2 {
                    told.extend(setup.told());
                }
                is_done.store(true, Ordering::Release);
                assert_eq!(told[0], "\"first\"", "round {round}");
            });
        }
    }

    #[test]
    fn subscriptions_and_their_uris_are_bounded() {
        let setup = Setup::new();
        for id in 0..MAX_SUBSCRIPTIONS {
            setup.open(&id.to_string(), &[], &["a:1"]).unwrap();
        }
        setup.feed.open_session(Lists::NONE);
        assert_eq!(setup.open("1000", &[], &[]), Err(Refused::TooManySubscriptions));
        setup.feed.close(&Key::Integer(3));
        setup.open("1000", &[], &[]).unwrap();

        let subscribe = |uri: &str| setup.feed.subscribe(uri, || {});
        for number in 0..MAX_URIS {
            subscribe(&format!("a:{number}")).unwrap();
        }
        subscribe("a:7").unwrap();
        assert_eq!(subscribe("a:more"), Err(Refused::TooManyUris));
        (0..MAX_URIS).for_each(|number| setup.feed.unsubscribe(&format!("a:{number}")));
        subscribe(&"x".repeat(MAX_URI_BYTES)).unwrap();
        assert_eq!(subscribe("y"), Err(Refused::TooManyUris));
    }
}
