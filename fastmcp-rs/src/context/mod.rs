//! What a handler knows of the call it answers, and what it can tell its client meanwhile.

mod request;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::blocking;
use crate::changes::{Change, Hub};
use crate::error::ToolError;
use crate::protocol::{Level, Revision};
use crate::states::{self, States};

pub(crate) use request::{ClientFacts, Delivery, LogFilter, Request};

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

    /// The value of type `T` that the app was given by [`App::state`](crate::App::state), if it was. A task that outlives
    /// the server finds none.
    ///
    /// A parameter of type [`State<T>`](crate::State) is better: a missing state is then found when the
    /// server starts.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        states::find(&self.component.states)
    }

    /// The name of the tool that runs.
    pub fn tool_name(&self) -> &str {
        &self.component.name
    }

    /// Tells the client how far the call is: `done` of `total`, and in words.
    ///
    /// Nothing is sent unless the client asked for progress, and `done` is greater than the last time. At
    /// most 20 notifications a second are sent; the last one is never lost. NaN and infinity are not sent, and the
    /// operator's log has the first of them.
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
        let total = total.into();
        let shown = total.filter(|total| total.is_finite());
        if !done.is_finite() || shown.is_some() != total.is_some() {
            request.warn_of_progress(&self.component.name, done, total);
        }
        if done.is_finite() {
            request.progress(done, shown, message.into());
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
    /// finds no room because the client does not read is dropped, and so is one without a JSON form, such as a float that
    /// is NaN: the operator's log has its place.
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

    /// Lets go of the connection on which the client waits for this call, for the client to come back: a long call then
    /// holds none. What the call sends, and its answer, is kept for when it does, which is after 3 seconds.
    ///
    /// Only clients of 2025-11-25 on HTTP, with a session, know to come back; for others nothing happens. To a
    /// client of 2026-07-28 the end of a connection is the end of its call.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports>
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Waits for a report that somebody writes.
    /// #[mcp::tool]
    /// async fn report(ctx: &Context) -> &'static str {
    ///     ctx.close_stream();
    ///     tokio::time::sleep(Duration::from_secs(30)).await;
    ///     "It is written."
    /// }
    /// ```
    pub fn close_stream(&self) {
        let Some(request) = &self.request else { return };
        let comes_back = request.revision >= Revision::V2025_11_25 && !request.revision.is_modern();
        if comes_back && request.transport == Transport::Http {
            request.outbox.hang_up();
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
    fn client_fact(&self, key: &str, legacy: impl Fn(&ClientFacts) -> &Option<Box<str>>) -> Value {
        let Some(request) = &self.request else { return Value::Null };
        match &request.client {
            Some(client) => {
                let text = legacy(client).as_deref();
                text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
            }
            None => self.meta().remove(key).unwrap_or_default(),
        }
    }

    /// What the transport keeps for the arguments of the call, which a thread has even if the call ends before.
    fn retained(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.request.as_ref()?.retained.as_ref()?.upgrade()
    }

    #[doc(hidden)]
    pub async fn run_blocking<V: Send + 'static>(
        self,
        work: impl FnOnce() -> V + Send + 'static,
    ) -> Result<V, ToolError> {
        let retained = self.retained();
        let work = move || {
            let value = work();
            drop(retained);
            value
        };
        blocking::run(&self.component.name, work).await
    }

    #[doc(hidden)]
    pub async fn run_blocking_async<V, F, Fut>(self, work: F) -> Result<V, ToolError>
    where
        V: Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = V>,
    {
        let retained = self.retained();
        let work = move || {
            let work = work();
            async move {
                let value = work.await;
                drop(retained);
                value
            }
        };
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
