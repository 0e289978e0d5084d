//! What a handler knows of the call it answers, and what it can tell its client meanwhile.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::blocking;
use crate::changes::{Change, Hub};
use crate::error::ToolError;
use crate::outbox::Outbox;
use crate::principal::Principal;
use crate::protocol::{Level, Revision, write};
use crate::questions::Questions;
use crate::request_facts::RequestId;
use crate::siblings::Siblings;

/// The shortest time between two progress notifications of a call: 20 a second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// The values that an app was given, by type.
pub(crate) type States = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// The context of a call: who asks, in which revision, and ways to report back while it runs.
///
/// A tool takes it as `&Context` (or by value); helpers can be given it too. It is cheap to clone. What
/// is reported after the call has ended goes nowhere.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Imports a file of orders.
/// #[mcp::tool]
/// async fn import_orders(path: &str, ctx: &Context) -> Result<String, ToolError> {
///     let lines: Vec<String> = std::fs::read_to_string(path)?.lines().map(String::from).collect();
///     for (done, line) in lines.iter().enumerate() {
///         # let _ = line;
///         ctx.progress(done as f64, lines.len() as f64, "importing");
///     }
///     ctx.info(format!("imported {path}"));
///     Ok(format!("{} orders imported", lines.len()))
/// }
/// ```
#[derive(Clone)]
pub struct Context {
    pub(crate) component: Arc<Shared>,
    /// Only for tools that look at the request: the others do not pay for it.
    pub(crate) request: Option<Arc<Request>>,
    /// Where the handler stands, if another one has asked it.
    pub(crate) branch: Option<Arc<Branch>>,
}

/// Where a handler stands that another handler has asked.
#[derive(Debug)]
pub(crate) struct Branch {
    /// How many handlers wait for this one.
    pub(crate) depth: u8,
    /// What the keys of its questions and of what it remembers begin with: a component that is asked twice in one
    /// call is two handlers, which know nothing of each other.
    pub(crate) prefix: String,
    /// How many handlers it has asked.
    pub(crate) asked: AtomicU32,
}

/// What the calls of one component have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: Cow<'static, str>,
    /// The states of the app that brought the component.
    pub(crate) states: Arc<States>,
    /// What that app was mounted as, from the outermost in; empty for the app that is served.
    pub(crate) namespaces: Arc<[Box<str>]>,
}

/// The transport that a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// In process, for tests.
    Memory,
    /// Streamable HTTP.
    Http,
}

/// What a client says about itself. It is for display and logs: any client can say anything.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ClientInfo {
    /// The client's name, if it gave one.
    pub name: Option<String>,
    /// The client's version, if it gave one.
    pub version: Option<String>,
    /// The client's name for people, if it gave one.
    pub title: Option<String>,
}

impl Context {
    pub(crate) fn new(component: &Arc<Shared>, request: Option<Arc<Request>>) -> Context {
        Context { component: Arc::clone(component), request, branch: None }
    }

    /// The context of a component that this one asks.
    pub(crate) fn of_sibling(&self, component: &Arc<Shared>) -> Context {
        let root = || self.request.as_ref().map(|request| &request.siblings_asked);
        let asked = self.branch.as_ref().map(|branch| &branch.asked).or_else(root);
        let place = asked.map_or(0, |asked| asked.fetch_add(1, Ordering::Relaxed)).saturating_add(1);
        let branch = Branch {
            depth: self.depth().saturating_add(1),
            prefix: format!("{}{}_{place}/", self.prefix(), component.name),
            asked: AtomicU32::new(0),
        };
        Context { component: Arc::clone(component), request: self.request.clone(), branch: Some(Arc::new(branch)) }
    }

    /// How many handlers wait for this one.
    pub(crate) fn depth(&self) -> u8 {
        self.branch.as_ref().map_or(0, |branch| branch.depth)
    }

    /// What the keys of its questions and of what it remembers begin with.
    pub(crate) fn prefix(&self) -> &str {
        self.branch.as_ref().map_or("", |branch| &branch.prefix)
    }

    /// The value of type `T` that the app was given by [`App::state`](crate::App::state), if it was.
    ///
    /// A parameter of type [`State<T>`](crate::State) is better: a missing state is then found when the
    /// server starts.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let state = self.component.states.get(&TypeId::of::<T>())?;
        Arc::clone(state).downcast().ok()
    }

    /// The name of the tool that runs.
    pub fn tool_name(&self) -> &str {
        &self.component.name
    }

    /// Tells the client how far the call is: `done` of `total`, and in words.
    ///
    /// Nothing is sent unless the client asked for progress, and `done` is greater than the last time. At
    /// most 20 notifications a second are sent; the last one is never lost.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress>
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::Context;
    /// # fn example(ctx: &Context) {
    /// ctx.progress(3.0, 10.0, "third of ten");
    /// ctx.progress(4.0, None, None);
    /// # }
    /// ```
    pub fn progress<'a>(&self, done: f64, total: impl Into<Option<f64>>, message: impl Into<Option<&'a str>>) {
        let Some(request) = &self.request else { return };
        let total = total.into().filter(|total| total.is_finite());
        if done.is_finite() {
            request.progress(done, total, message.into());
        }
    }

    /// Goes over items and tells the client how far it is: [`Context::progress`] after each item that was
    /// worked on, with the total if the number of items is known.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Adds the sizes of files up.
    /// #[mcp::tool]
    /// fn total_size(paths: Vec<String>, ctx: &Context) -> Result<u64, ToolError> {
    ///     let mut total = 0;
    ///     for path in ctx.track(paths) {
    ///         total += std::fs::metadata(path)?.len();
    ///     }
    ///     Ok(total)
    /// }
    /// ```
    pub fn track<I: IntoIterator>(&self, items: I) -> Track<I::IntoIter> {
        let items = items.into_iter();
        let total = match items.size_hint() {
            (least, Some(most)) if least == most => Some(most as f64),
            _ => None,
        };
        Track { items, context: self.clone(), given: 0, total }
    }

    /// Sends a log message to the client: a text, or any value with a JSON form.
    ///
    /// Nothing is sent unless the client wants messages of this level: a modern client says so in each
    /// request, a legacy one by `logging/setLevel` (without that, from [`Level::Info`] on). A message that
    /// finds no room because the client does not read is dropped.
    ///
    /// This is for the client. What the operator should know is a `tracing` event.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>
    pub fn log(&self, level: Level, data: impl Serialize) {
        let Some(request) = &self.request else { return };
        if request.log.wants(level) {
            request.log_message(level, &self.component.name, &data);
        }
    }

    /// Whether the client wants log messages of a level.
    #[cfg(feature = "logging")]
    pub(crate) fn wants_log(&self, level: Level) -> bool {
        self.request.as_ref().is_some_and(|request| request.log.wants(level))
    }

    /// [`Context::log`] at [`Level::Debug`].
    pub fn debug(&self, data: impl Serialize) {
        self.log(Level::Debug, data);
    }

    /// [`Context::log`] at [`Level::Info`].
    pub fn info(&self, data: impl Serialize) {
        self.log(Level::Info, data);
    }

    /// [`Context::log`] at [`Level::Warning`].
    pub fn warning(&self, data: impl Serialize) {
        self.log(Level::Warning, data);
    }

    /// [`Context::log`] at [`Level::Error`].
    pub fn error(&self, data: impl Serialize) {
        self.log(Level::Error, data);
    }

    /// Tells the clients that have subscribed to a resource that it has changed, so that they may read it again.
    ///
    /// The URI is the one that a client reads; in an app that is mounted, the one without the namespace. It can be any: one that nobody has subscribed to costs nothing, and
    /// whether there is such a resource is not looked at. It never waits for a client: changes that follow closely
    /// on each other become one notification, and the last one is never lost. Say so after the change is made.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Marks an order as paid.
    /// #[mcp::tool]
    /// async fn pay_order(order_id: &str, ctx: &Context) -> String {
    ///     // …
    ///     ctx.notify_resource_updated(format!("orders://{order_id}"));
    ///     format!("{order_id} is paid")
    /// }
    /// ```
    pub fn notify_resource_updated(&self, uri: impl AsRef<str>) {
        if let Some(changes) = self.state::<Hub>() {
            changes.publish(Change::Resource(&self.component.full_uri(uri.as_ref())));
        }
    }

    /// Whether the call was cancelled, or timed out. An `async` tool need not ask: it is dropped at its
    /// next `await`. A `fn` tool that works in a loop should.
    pub fn is_cancelled(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.ended.load(Ordering::Acquire))
    }

    /// Waits until the call is cancelled or times out, for tasks that a tool has spawned.
    pub async fn cancelled(&self) {
        let Some(request) = &self.request else { return std::future::pending().await };
        let mut changed = std::pin::pin!(request.end.notified());
        loop {
            changed.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            changed.as_mut().await;
            changed.set(request.end.notified());
        }
    }

    /// When the call will time out.
    pub fn deadline(&self) -> Option<Instant> {
        self.request.as_ref().and_then(|request| request.deadline)
    }

    /// The revision in which the client speaks.
    pub fn revision(&self) -> Revision {
        self.request.as_ref().map_or(Revision::V2026_07_28, |request| request.revision)
    }

    /// How the request came.
    pub fn transport(&self) -> Transport {
        self.request.as_ref().map_or(Transport::Memory, |request| request.transport)
    }

    /// The request's `_meta`, with the keys that the protocol does not know; empty if there is none.
    ///
    /// For the trace that the request belongs to, see [`Context::trace_context`].
    pub fn meta(&self) -> Map<String, Value> {
        let text = self.request.as_ref().and_then(|request| request.meta.as_deref());
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What the client says about itself.
    pub fn client_info(&self) -> ClientInfo {
        let info = self.client_fact("io.modelcontextprotocol/clientInfo", |client| &client.info);
        let text = |key: &str| info.get(key).and_then(Value::as_str).map(str::to_owned);
        ClientInfo { name: text("name"), version: text("version"), title: text("title") }
    }

    /// What the client can do, as it declared: `elicitation`, `sampling`, `roots`, extensions.
    pub fn client_capabilities(&self) -> Map<String, Value> {
        let facts = self.client_fact("io.modelcontextprotocol/clientCapabilities", |client| &client.capabilities);
        match facts {
            Value::Object(capabilities) => capabilities,
            _ => Map::new(),
        }
    }

    /// Modern clients say it in each request, legacy ones said it once.
    fn client_fact(&self, key: &str, legacy: impl Fn(&ClientFacts) -> &Value) -> Value {
        let Some(request) = &self.request else { return Value::Null };
        match &request.client {
            Some(client) => legacy(client).clone(),
            None => self.meta().remove(key).unwrap_or_default(),
        }
    }

    #[doc(hidden)]
    pub async fn run_blocking<V: Send + 'static>(
        self,
        work: impl FnOnce() -> V + Send + 'static,
    ) -> Result<V, ToolError> {
        blocking::run(&self.component.name, work).await
    }

    #[doc(hidden)]
    pub async fn run_blocking_async<V, F, Fut>(self, work: F) -> Result<V, ToolError>
    where
        V: Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = V>,
    {
        blocking::run_async(&self.component.name, work).await
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("component", &self.component.name)
            .field("revision", &self.revision())
            .field("transport", &self.transport())
            .finish_non_exhaustive()
    }
}

/// Items that are worked on one after another, as [`Context::track`] gives them.
#[derive(Clone, Debug)]
#[must_use = "an iterator does nothing until it is used"]
pub struct Track<I> {
    items: I,
    context: Context,
    given: u64,
    total: Option<f64>,
}

impl<I: Iterator> Iterator for Track<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        // Who asks for the next item is done with the ones before.
        if self.given > 0 {
            self.context.progress(self.given as f64, self.total, None);
        }
        let item = self.items.next();
        self.given += u64::from(item.is_some());
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

/// What a legacy client said of itself when its session began.
#[derive(Debug, Default)]
pub(crate) struct ClientFacts {
    pub(crate) info: Value,
    pub(crate) capabilities: Value,
}

/// Which log messages a client wants.
#[derive(Clone, Debug)]
pub(crate) enum LogFilter {
    None,
    From(Level),
    /// A session's level, which may change while a call runs.
    Session(Arc<AtomicU8>),
}

impl LogFilter {
    fn wants(&self, level: Level) -> bool {
        match self {
            LogFilter::None => false,
            LogFilter::From(least) => level >= *least,
            LogFilter::Session(index) => {
                Level::from_index(index.load(Ordering::Relaxed)).is_some_and(|least| level >= least)
            }
        }
    }
}

/// A request while it is being answered.
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) principal: Option<Arc<Principal>>,
    /// The other components of the server, and how many of them the handler has asked.
    pub(crate) siblings: Arc<dyn Siblings>,
    pub(crate) siblings_asked: AtomicU32,
    pub(crate) revision: Revision,
    pub(crate) transport: Transport,
    /// The text of `_meta`.
    pub(crate) meta: Option<Box<str>>,
    /// `None` for a modern client, which says it in `meta`.
    pub(crate) client: Option<Arc<ClientFacts>>,
    /// JSON text.
    pub(crate) progress_token: Option<Box<str>>,
    pub(crate) log: LogFilter,
    pub(crate) deadline: Option<Instant>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) ended: AtomicBool,
    pub(crate) end: Notify,
    pub(crate) delivery: Mutex<Delivery>,
    pub(crate) questions: Questions,
}

/// Where notifications go: they must come before the answer, and in order.
#[derive(Debug)]
pub(crate) struct Delivery {
    phase: Phase,
    last_value: f64,
    last_sent: Option<Instant>,
    /// The newest progress that was held back.
    held: Option<Vec<u8>>,
    flush_is_due: bool,
}

#[derive(Debug)]
enum Phase {
    /// The handler is polled for the first time, by the reader, whose batch is not yet written.
    InPlace(Vec<u8>),
    /// The handler is a task.
    Running,
    /// The answer is on its way, or there will be none.
    Ended,
}

impl Delivery {
    pub(crate) fn new() -> Mutex<Delivery> {
        Mutex::new(Delivery {
            phase: Phase::InPlace(Vec::new()),
            last_value: f64::NEG_INFINITY,
            last_sent: None,
            held: None,
            flush_is_due: false,
        })
    }
}

impl Request {
    fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(self: &Arc<Self>, done: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.progress_token else { return };
        let mut delivery = self.delivery();
        if done <= delivery.last_value {
            return;
        }
        delivery.last_value = done;
        let message = message.filter(|_| self.revision >= Revision::V2025_03_26);
        let frame = progress_frame(token, done, total, message);
        let now = Instant::now();
        let wait = delivery.last_sent.and_then(|last| (last + PROGRESS_INTERVAL).checked_duration_since(now));
        let Some(wait) = wait.filter(|wait| !wait.is_zero()) else {
            delivery.last_sent = Some(now);
            // What finds no room is kept: the last one must arrive.
            delivery.held = self.deliver(&mut delivery, frame);
            return;
        };
        delivery.held = Some(frame);
        if !delivery.flush_is_due {
            // Outside a runtime the held frame goes out with the next one, or before the answer.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                delivery.flush_is_due = true;
                let request = Arc::clone(self);
                runtime.spawn(async move {
                    tokio::time::sleep(wait).await;
                    request.flush_progress();
                });
            }
        }
    }

    fn flush_progress(&self) {
        let mut delivery = self.delivery();
        delivery.flush_is_due = false;
        if let Some(frame) = delivery.held.take() {
            delivery.last_sent = Some(Instant::now());
            delivery.held = self.deliver(&mut delivery, frame);
        }
    }

    fn log_message(&self, level: Level, logger: &str, data: &impl Serialize) {
        let mut frame = br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":""#.to_vec();
        frame.extend_from_slice(level.as_str().as_bytes());
        frame.extend_from_slice(br#"","logger":"#);
        write::string(&mut frame, logger);
        frame.extend_from_slice(br#","data":"#);
        if let Err(error) = write::json(&mut frame, data) {
            return tracing::warn!(target: "fastmcp_rs", "a log message has no JSON form: {error}");
        }
        frame.extend_from_slice(b"}}\n");
        self.deliver(&mut self.delivery(), frame);
    }

    /// Sends a frame that must arrive, once there is room for it. Returns whether it is on its way: it is not if
    /// the call has ended.
    pub(crate) async fn send(&self, mut frame: Vec<u8>) -> bool {
        loop {
            {
                let mut delivery = self.delivery();
                if matches!(delivery.phase, Phase::Ended) {
                    return false;
                }
                match self.deliver(&mut delivery, frame) {
                    None => return true,
                    Some(_) if self.outbox.is_closed() => return false,
                    Some(kept) => frame = kept,
                }
            }
            self.outbox.room().await;
        }
    }

    /// Sends a frame behind what the call has sent before, also when it has ended. It only informs, so it is
    /// dropped where there is no room.
    pub(crate) fn send_if_there_is_room(&self, frame: Vec<u8>) {
        let mut delivery = self.delivery();
        if matches!(delivery.phase, Phase::Ended) {
            self.outbox.try_push(&frame);
        } else {
            self.deliver(&mut delivery, frame);
        }
    }

    /// Sends a frame, or gives it back if there is no room for it.
    fn deliver(&self, delivery: &mut Delivery, frame: Vec<u8>) -> Option<Vec<u8>> {
        match &mut delivery.phase {
            Phase::InPlace(frames) => frames.extend_from_slice(&frame),
            Phase::Running if !self.outbox.try_push(&frame) => return Some(frame),
            Phase::Running | Phase::Ended => {}
        }
        None
    }

    /// The call could not be answered at once: notifications go out by themselves from now on, after those that
    /// were made so far.
    pub(crate) fn detach(&self) {
        // All of it under the lock, or a thread of the handler's could overtake itself.
        let mut delivery = self.delivery();
        if let Phase::InPlace(frames) = &delivery.phase {
            self.outbox.push(frames);
            delivery.phase = Phase::Running;
        }
    }

    /// The call has an answer, or will have none. Returns the notifications that must precede it. When these are on
    /// their way, [`Questions::end`] must follow.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut delivery = self.delivery();
        let held = delivery.held.take();
        let mut frames = match std::mem::replace(&mut delivery.phase, Phase::Ended) {
            Phase::InPlace(frames) => frames,
            Phase::Running | Phase::Ended => Vec::new(),
        };
        frames.extend(held.into_iter().flatten());
        frames
    }

    /// The call was cancelled or timed out.
    pub(crate) fn cancel(&self) {
        self.ended.store(true, Ordering::Release);
        self.end.notify_waiters();
    }
}

fn progress_frame(token: &str, done: f64, total: Option<f64>, message: Option<&str>) -> Vec<u8> {
    let mut frame = br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#.to_vec();
    frame.extend_from_slice(token.as_bytes());
    // Finite numbers always have a JSON form.
    frame.extend_from_slice(br#","progress":"#);
    let _ = write::json(&mut frame, &done);
    if let Some(total) = total {
        frame.extend_from_slice(br#","total":"#);
        let _ = write::json(&mut frame, &total);
    }
    if let Some(message) = message {
        frame.extend_from_slice(br#","message":"#);
        write::string(&mut frame, message);
    }
    frame.extend_from_slice(b"}}\n");
    frame
}
