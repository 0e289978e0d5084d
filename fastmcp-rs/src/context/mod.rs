//! The context of a call: the facts of its request, and everything that a handler can send to its client.
//!
//! A handler takes [`&Context`](Context). The other types here are those that its methods return.
//!
//! # Example
//!
//! ```
//! use fastmcp_rs::context::Transport;
//! use fastmcp_rs::prelude::*;
//!
//! /// Describes the caller.
//! #[mcp::tool]
//! async fn who_am_i(ctx: &Context) -> String {
//!     let client = ctx.client_info().name.unwrap_or_else(|| "a client without a name".into());
//!     let place = if ctx.transport() == Transport::Http { "from elsewhere" } else { "on this machine" };
//!     format!("You use {client} {place}, and speak revision {} of MCP.", ctx.revision().as_str())
//! }
//! ```
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic>

// The room knows the outgoing queue and requests to the client, but no component and no engine: the engine implements
// its trait for nested calls. Look here for a method of `Context`.

pub(crate) mod blocking;
pub(crate) mod change_hub;
pub(crate) mod client_requests;
pub(crate) mod current_call;
pub(crate) mod nested_calls;
mod progress;
mod request;
pub(crate) mod request_id;
pub(crate) mod states;
pub(crate) mod transport_facts;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

pub use client_requests::ClientRequest;
use progress::sealed::Message;
pub use progress::{ProgressMessage, ProgressNumber, ProgressTotal};
pub(crate) use request::{CallRequest, Delivery, LogFilter, log_frame};
pub use request_id::RequestId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::context::change_hub::{Change, ChangeHub};
use crate::context::states::States;
pub(crate) use crate::protocol::client_facts::ClientDeclaration;
pub use crate::protocol::trace_context::TraceContext;
use crate::protocol::{Feature, LoggingLevel, Revision};

/// The context of a call: the principal, the revision and other facts of the request, and the means to report progress
/// and log messages while the call runs.
///
/// A tool takes it as `&Context` or by value, and can pass it to helper functions. It is cheap to clone, and a task may
/// keep it after the call has ended: it still notifies clients of changes, and in a session it still logs. Progress
/// that is reported after the end is dropped.
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
///         ctx.progress(done, lines.len(), "importing");
///     }
///     ctx.info(format!("imported {path}"));
///     Ok(format!("{} orders imported", lines.len()))
/// }
/// ```
#[derive(Clone)]
pub struct Context {
    pub(crate) component: Arc<ComponentEnv>,
    /// Present only for handlers that use the request; the others do not pay for it.
    pub(crate) request: Option<Arc<CallRequest>>,
    /// The position in the chain of calls, if another handler called this one.
    pub(crate) nesting: Option<Arc<Nesting>>,
}

/// The position of a handler in a chain of handlers that call each other.
#[derive(Debug)]
pub(crate) struct Nesting {
    /// The number of handlers that wait for this one.
    pub(crate) depth: u8,
    /// The prefix of the keys of its client requests and of its remembered values. A component that is called twice in
    /// one call runs as two handlers with separate keys.
    pub(crate) key_prefix: String,
    /// The number of handlers that it has called.
    pub(crate) nested_call_count: AtomicU32,
}

/// The data shared by all calls of one component.
#[derive(Debug)]
pub(crate) struct ComponentEnv {
    pub(crate) name: Cow<'static, str>,
    /// The states of the app that the component belongs to.
    pub(crate) states: Arc<States>,
    /// The namespaces under which that app is mounted, outermost first; empty for the app that is served.
    pub(crate) namespaces: Arc<[Box<str>]>,
}

/// The transport of a request.
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

/// The client's description of itself. Use it for display and logs only: a client can claim anything.
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
    pub(crate) fn new(component: &Arc<ComponentEnv>, request: Option<Arc<CallRequest>>) -> Context {
        Context { component: Arc::clone(component), request, nesting: None }
    }

    /// Creates the context of a component that this handler calls.
    pub(crate) fn for_nested_call(&self, component: &Arc<ComponentEnv>) -> Context {
        let root = || self.request.as_ref().map(|request| &request.nested_call_count);
        let nested_call_count = self.nesting.as_ref().map(|nesting| &nesting.nested_call_count).or_else(root);
        let place = nested_call_count
            .map_or(0, |nested_call_count| nested_call_count.fetch_add(1, Ordering::Relaxed))
            .saturating_add(1);
        let nesting = Nesting {
            depth: self.depth().saturating_add(1),
            key_prefix: format!("{}{}_{place}/", self.key_prefix(), component.name),
            nested_call_count: AtomicU32::new(0),
        };
        Context { component: Arc::clone(component), request: self.request.clone(), nesting: Some(Arc::new(nesting)) }
    }

    /// Returns the number of handlers that wait for this one.
    pub(crate) fn depth(&self) -> u8 {
        self.nesting.as_ref().map_or(0, |nesting| nesting.depth)
    }

    /// Returns the prefix of the keys of client requests and remembered values.
    pub(crate) fn key_prefix(&self) -> &str {
        self.nesting.as_ref().map_or("", |nesting| &nesting.key_prefix)
    }

    /// Returns the state of type `T`, if the app has one ([`App::state`](crate::App::state)). A task that outlives the
    /// server finds none.
    ///
    /// Prefer a parameter of type [`State<T>`](crate::State): a missing state is then an error when the server starts.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        states::find(&self.component.states)
    }

    /// Returns the name of the running tool, resource or prompt.
    pub fn component_name(&self) -> &str {
        &self.component.name
    }

    /// Reports the progress of the call to the client: `done` of `total`, and a message.
    ///
    /// Numbers may be of any integer or float type. A report without a total or a message has `None` in its place. An
    /// `Option` as the total has the type of `done` inside, and as the message a `&str`.
    ///
    /// A notification is sent only if the client asked for progress and `done` is greater than before. At most 20
    /// notifications per second are sent; the last one always arrives. NaN and infinite values are not sent; the first
    /// one of a call is logged for the operator. Clients before 2025-03-26 do not get the message.
    ///
    /// `format_args!(…)` as the message is formatted only if the client asked for progress.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress>
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::Context;
    /// # fn example(ctx: &Context, files: &[String]) {
    /// ctx.progress(3, 10, "third of ten");
    /// ctx.progress(4, None, None);
    /// for (done, file) in files.iter().enumerate() {
    ///     ctx.progress(done, files.len(), format!("reading {file}"));
    /// }
    /// ctx.progress(0.75, 1, None);
    /// # }
    /// ```
    pub fn progress<N: ProgressNumber>(&self, done: N, total: impl ProgressTotal<N>, message: impl ProgressMessage) {
        self.report_progress(done.to_f64(), total.to_total(), &message);
    }

    fn report_progress(&self, done: f64, total: Option<f64>, message: &dyn Message) {
        let Some(request) = self.request.as_ref().filter(|request| request.progress_token.is_some()) else { return };
        let shown = total.filter(|total| total.is_finite());
        if !done.is_finite() || shown.is_some() != total.is_some() {
            request.warn_about_progress(&self.component.name, done, total);
        }
        if done.is_finite() {
            request.send_progress(done, shown, message.text().as_deref());
        }
    }

    /// Iterates over items and reports progress: [`Context::progress`] after each item, with the total if the number of
    /// items is known.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Adds up the sizes of files.
    /// #[mcp::tool]
    /// fn total_size(paths: Vec<String>, ctx: &Context) -> Result<u64, ToolError> {
    ///     let mut total = 0;
    ///     for path in ctx.track(paths) {
    ///         total += std::fs::metadata(path)?.len();
    ///     }
    ///     Ok(total)
    /// }
    /// ```
    pub fn track<I: IntoIterator>(&self, items: I) -> ProgressIter<I::IntoIter> {
        let items = items.into_iter();
        let total = match items.size_hint() {
            (least, Some(most)) if least == most => Some(most as f64),
            _ => None,
        };
        ProgressIter { items, context: self.clone(), given: 0, total }
    }

    /// Sends a log message to the client: a text, or any value with a JSON form.
    ///
    /// The message is sent only if the client wants its level: a modern client sets the level in each request, a legacy
    /// client by `logging/setLevel` (the default is [`LoggingLevel::Info`]). If the client does not read and the queue
    /// is full, the message is dropped. A value without a JSON form, such as a float that is NaN, is not sent; this is
    /// logged for the operator.
    ///
    /// After the call has ended, messages go to the client's session, unless the call was cancelled or has timed out. A
    /// client of 2026-07-28 gets none any more, because its log messages belong to a request.
    ///
    /// For messages to the operator, use `tracing` events. For all clients, see
    /// [`AppHandle::log`](crate::AppHandle::log).
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>
    pub fn log(&self, level: LoggingLevel, data: impl Serialize) {
        let Some(request) = &self.request else { return };
        if request.log.accepts(level) {
            request.log_message(level, &self.component.name, &data);
        }
    }

    /// Returns true if the client wants log messages of a level.
    #[cfg(feature = "logging")]
    pub(crate) fn accepts_log(&self, level: LoggingLevel) -> bool {
        self.request.as_ref().is_some_and(|request| request.log.accepts(level))
    }

    /// Calls [`Context::log`] with [`LoggingLevel::Debug`].
    pub fn debug(&self, data: impl Serialize) {
        self.log(LoggingLevel::Debug, data);
    }

    /// Calls [`Context::log`] with [`LoggingLevel::Info`].
    pub fn info(&self, data: impl Serialize) {
        self.log(LoggingLevel::Info, data);
    }

    /// Calls [`Context::log`] with [`LoggingLevel::Warning`].
    pub fn warning(&self, data: impl Serialize) {
        self.log(LoggingLevel::Warning, data);
    }

    /// Calls [`Context::log`] with [`LoggingLevel::Error`].
    pub fn error(&self, data: impl Serialize) {
        self.log(LoggingLevel::Error, data);
    }

    /// Notifies the clients that have subscribed to a resource that it has changed, so that they can read it again.
    ///
    /// `uri` is the URI that a client reads; in a mounted app, it is the URI without the namespace. The URI is not
    /// checked, and costs nothing if no client has subscribed to it. This never waits for a client: changes in quick
    /// succession become one notification, and the last change is never lost. Call it after the change is made; the call
    /// may have ended by then.
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
        if let Some(changes) = self.state::<ChangeHub>() {
            changes.publish(Change::Resource(&self.component.full_uri(uri.as_ref())));
        }
    }

    /// Returns true if the call was cancelled or timed out. An `async` tool need not check it, because it is dropped at
    /// its next `await`. A `fn` tool that works in a loop should.
    pub fn is_cancelled(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_cancelled.load(Ordering::Acquire))
    }

    /// Waits until the call is cancelled or times out. Use it in tasks that a tool has spawned.
    pub async fn cancelled(&self) {
        let Some(request) = &self.request else { return std::future::pending().await };
        let mut changed = std::pin::pin!(request.cancel_notify.notified());
        loop {
            changed.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            changed.as_mut().await;
            changed.set(request.cancel_notify.notified());
        }
    }

    /// Closes the connection on which the client waits for this call, so that a long call holds none. The client
    /// reconnects after 3 seconds and gets the notifications and the result that were kept for it.
    ///
    /// Only clients of 2025-11-25 over HTTP, with a session, reconnect; for other clients this does nothing. To a
    /// client of 2026-07-28, closing the connection ends the call.
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
    /// /// Waits for a report.
    /// #[mcp::tool]
    /// async fn report(ctx: &Context) -> &'static str {
    ///     ctx.close_stream();
    ///     tokio::time::sleep(Duration::from_secs(30)).await;
    ///     "It is written."
    /// }
    /// ```
    pub fn close_stream(&self) {
        let Some(request) = &self.request else { return };
        let comes_back = request.revision.has(Feature::StreamPolling);
        if comes_back && request.transport == Transport::Http {
            request.outgoing.request_disconnect();
        }
    }

    /// Returns the time at which the call times out, if it has a timeout.
    pub fn deadline(&self) -> Option<Instant> {
        self.request.as_ref().and_then(|request| request.deadline)
    }

    /// Returns the client's revision of the protocol.
    pub fn revision(&self) -> Revision {
        self.request.as_ref().map_or(Revision::LATEST, |request| request.revision)
    }

    /// Returns the transport of the request.
    pub fn transport(&self) -> Transport {
        self.request.as_ref().map_or(Transport::Memory, |request| request.transport)
    }

    /// Returns the request's `_meta`, including keys that the protocol does not define; empty if there is none.
    ///
    /// For the trace that the request belongs to, see [`Context::trace_context`].
    pub fn meta(&self) -> Map<String, Value> {
        let text = self.request.as_ref().and_then(|request| request.meta.as_deref());
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Returns the client's description of itself.
    pub fn client_info(&self) -> ClientInfo {
        let info = self.client_declaration("io.modelcontextprotocol/clientInfo", |client| &client.info);
        let text = |key: &str| info.get(key).and_then(Value::as_str).map(str::to_owned);
        ClientInfo { name: text("name"), version: text("version"), title: text("title") }
    }

    /// Returns the capabilities that the client declared: `elicitation`, `sampling`, `roots`, extensions.
    pub fn client_capabilities(&self) -> Map<String, Value> {
        let facts =
            self.client_declaration("io.modelcontextprotocol/clientCapabilities", |client| &client.capabilities);
        match facts {
            Value::Object(capabilities) => capabilities,
            _ => Map::new(),
        }
    }

    /// Reads a fact that modern clients send in each request, and legacy clients once in the handshake.
    fn client_declaration(&self, key: &str, legacy: impl Fn(&ClientDeclaration) -> &Option<Box<str>>) -> Value {
        let Some(request) = &self.request else { return Value::Null };
        match &request.client {
            Some(client) => {
                let text = legacy(client).as_deref();
                text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
            }
            None => self.meta().remove(key).unwrap_or_default(),
        }
    }

    /// Returns the memory permit that the transport holds for the arguments of the call. A thread that still uses the
    /// arguments keeps it, even if the call has ended.
    fn arguments_guard(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.request.as_ref()?.retained.as_ref()?.upgrade()
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

/// An iterator that reports progress, created by [`Context::track`].
#[derive(Clone, Debug)]
#[must_use = "an iterator does nothing until it is used"]
pub struct ProgressIter<I> {
    items: I,
    context: Context,
    given: u64,
    total: Option<f64>,
}

impl<I: Iterator> Iterator for ProgressIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        // The caller is done with the earlier items when it asks for the next.
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
