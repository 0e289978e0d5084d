//! The configuration of a server by its author, and its start and end.
//!
//! [`App`] collects components, states and settings; `start` checks them, makes the states and builds an engine
//! [`Server`](crate::engine::Server). The room may use every room below it except `testing`. Look here for a setting of
//! [`App`], for mounting, for states and shutdown hooks, and for `run_stdio` and `run_http`.

mod handle;
mod lifecycle;
pub(crate) mod main_runtime;
mod mount;
#[cfg(feature = "http")]
mod run_http;
#[cfg(feature = "stdio")]
mod run_stdio;

use std::any::type_name;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use handle::AppHandle;
use lifecycle::{ShutdownFunction, StateConstructor, duplicate_state_message};
pub use lifecycle::{ShutdownHook, StateFactory};

use crate::component::client_arguments::IgnoredArguments;
use crate::component::component_set::ComponentSet;
use crate::component::definition::Location;
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::icon::Icon;
use crate::component::prompt::{Prompt, RegisteredPrompt};
use crate::component::resource::{RegisteredResource, Resource};
use crate::component::tool::{RegisteredTool, Tool};
use crate::context::Context;
use crate::context::states::{OwnedState, StateOwner, States};
use crate::engine::{self, ServerConfig};
use crate::error::Error;
#[cfg(feature = "testing")]
use crate::json::encode::ObjectWriter;
use crate::middleware::{ErasedLayer, Layer, LayerChain};
use crate::protocol::CacheScope;
#[cfg(feature = "testing")]
use crate::protocol::Revision;
use crate::protocol::cache::CacheHints;
#[cfg(feature = "testing")]
use crate::registry::ToolEntry;
use crate::registry::{
    Component, ComponentTree, ListConfig, ListEntry, Registration, RegistryCache, VisibilityFn, sort_indices,
};
use crate::schema::publish::SchemaStyle;
use crate::schema::{lint, precision};
use crate::sealing::{self, Sealer, SealingKey};
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Metrics;

/// The builder of an MCP server.
///
/// [`App::new`] takes every tool of the program. Add the states and settings that the tools need, then call one of the
/// `run` methods.
///
/// # Example
///
/// ```no_run
/// use fastmcp_rs::prelude::*;
///
/// /// Adds two numbers.
/// #[mcp::tool]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// #[mcp::main]
/// async fn main() -> Result<(), fastmcp_rs::Error> {
///     App::new("calculator").run_stdio().await
/// }
/// ```
#[must_use = "an app does nothing until it runs"]
pub struct App {
    pub(crate) config: ServerConfig,
    version_is_set: bool,
    /// The components of the app.
    tree: Arc<ComponentTree>,
    states: States,
    /// The owner of the states, including those of mounted apps.
    state_owner: Arc<StateOwner>,
    state_constructors: Vec<StateConstructor>,
    shutdown_tasks: Vec<ShutdownFunction>,
    visibility: Option<VisibilityFn>,
    /// The mounted apps, with their namespaces.
    mounted: Vec<(Box<str>, App)>,
    pub(crate) sealing_keys: Vec<SealingKey>,
    /// The middleware around each operation, the outermost first.
    layers: Vec<Arc<dyn ErasedLayer>>,
    problems: Vec<String>,
    /// The metrics, once [`App::metrics`] has enabled them.
    #[cfg(feature = "metrics")]
    metrics: OnceLock<Metrics>,
    #[cfg(feature = "stdio")]
    pub(crate) stdio: crate::transport::stdio::StdioConfig,
    #[cfg(feature = "http")]
    pub(crate) http: run_http::HttpSettings,
}

impl App {
    /// Creates an app with every tool, resource and prompt of the program, in any module or crate.
    ///
    /// The program must name a library crate of tools, or the linker leaves the crate out: `use my_tools as _;`.
    pub fn new(name: impl Into<String>) -> App {
        App::from_registrations(name.into(), registered_components(|_| true))
    }

    /// Creates an app with the tools, resources and prompts of a module and its submodules.
    ///
    /// # Example
    ///
    /// ```
    ///
    /// mod orders {
    ///     use fastmcp_rs::prelude::*;
    ///
    ///     /// Counts the orders.
    ///     #[mcp::tool]
    ///     pub fn count_orders() -> u64 {
    ///         3
    ///     }
    /// }
    ///
    /// let app = App::from_module("orders", concat!(module_path!(), "::orders"));
    /// assert_eq!(app.tool_names(), ["count_orders"]);
    /// ```
    pub fn from_module(name: impl Into<String>, module_path: &str) -> App {
        let inside =
            |path: &str| path.strip_prefix(module_path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        App::from_registrations(name.into(), registered_components(|location| inside(location.module_path)))
    }

    /// Creates an app without components, for components that are registered with [`App::tool`], [`App::resource`],
    /// [`App::prompt`] and [`App::server`].
    pub fn empty(name: impl Into<String>) -> App {
        App::from_registrations(name.into(), Vec::new())
    }

    fn from_registrations(name: String, components: Vec<Registration>) -> App {
        let app = App {
            config: ServerConfig {
                name,
                version: String::new(),
                title: None,
                description: None,
                website_url: None,
                icons: Vec::new(),
                instructions: None,
                timeout: Duration::from_secs(60),
                strict_arguments: false,
                ignored_arguments: IgnoredArguments::default(),
                show_errors: false,
                announce_server: true,
                lists: ListConfig::default(),
                resource_cache: CacheHints::default(),
                request_state_ttl: Duration::from_secs(600),
                max_request_state: sealing::DEFAULT_MAX_TEXT,
            },
            version_is_set: false,
            tree: Arc::default(),
            states: States::default(),
            state_owner: Arc::default(),
            state_constructors: Vec::new(),
            shutdown_tasks: Vec::new(),
            visibility: None,
            mounted: Vec::new(),
            sealing_keys: Vec::new(),
            layers: Vec::new(),
            problems: Vec::new(),
            #[cfg(feature = "metrics")]
            metrics: OnceLock::new(),
            #[cfg(feature = "stdio")]
            stdio: crate::transport::stdio::StdioConfig::default(),
            #[cfg(feature = "http")]
            http: run_http::HttpSettings::default(),
        };
        components.into_iter().fold(app, App::add)
    }

    fn add(mut self, component: Registration) -> App {
        if let Err(problems) = self.tree.add_component(component) {
            self.problems.extend(problems);
        }
        self
    }

    /// Adds a tool by the name of its function.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Doubles a number.
    /// #[mcp::tool]
    /// fn double(number: i64) -> i64 {
    ///     number * 2
    /// }
    ///
    /// let app = App::empty("numbers").tool::<double>();
    /// assert_eq!(app.tool_names(), ["double"]);
    /// ```
    pub fn tool<T: Tool>(self) -> App {
        self.add(Registration::tool(T::DEFINITION))
    }

    /// Adds a resource by the name of its function.
    pub fn resource<R: Resource>(self) -> App {
        self.add(Registration::resource(R::DEFINITION))
    }

    /// Adds a prompt by the name of its function.
    pub fn prompt<P: Prompt>(self) -> App {
        self.add(Registration::prompt(P::DEFINITION))
    }

    /// Adds a tool that was created at run time.
    #[track_caller]
    pub fn add_tool(self, tool: DynamicTool) -> App {
        self.add(Registration::dynamic_tool(tool))
    }

    /// Adds a resource that was created at run time.
    #[track_caller]
    pub fn add_resource(self, resource: DynamicResource) -> App {
        self.add(Registration::dynamic_resource(resource))
    }

    /// Adds a prompt that was created at run time.
    #[track_caller]
    pub fn add_prompt(self, prompt: DynamicPrompt) -> App {
        self.add(Registration::dynamic_prompt(prompt))
    }

    /// Returns a handle that adds, removes, enables and disables components, before and while the app is served.
    ///
    /// The app then declares that it has tools, resources and prompts, even if it has none, and that their lists may
    /// change. See [`AppHandle`].
    pub fn handle(&self) -> AppHandle {
        self.tree.make_dynamic();
        AppHandle { tree: Arc::clone(&self.tree) }
    }

    /// Enables metrics and returns a handle to them: requests per tool by outcome and duration, queue lengths, and open
    /// connections. A second call returns the same metrics.
    ///
    /// On HTTP, [`HttpConfig::metrics`](crate::HttpConfig::metrics) serves them, too. An app that is mounted in another
    /// app has no metrics of its own: use those of the app that is served.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    ///
    /// let app = App::empty("orders");
    /// let metrics = app.metrics();
    /// // The metrics of an app on standard input and output can be exported by other means.
    /// std::thread::spawn(move || eprintln!("{metrics}"));
    /// ```
    #[cfg(feature = "metrics")]
    pub fn metrics(&self) -> Metrics {
        self.metrics.get_or_init(Metrics::new).clone()
    }

    /// Sets the visibility function: a component for which it returns `false` is not listed, and requests for it are
    /// answered as if it did not exist.
    ///
    /// The function runs for each list, call, read, get, completion and subscription, so it should be quick. It can
    /// inspect the component and the request: the client, its `_meta`, the principal. Progress and log messages that it
    /// sends through the context are discarded. If it panics, the component is hidden, and the panic is logged once per
    /// minute. Clients are told not to share a list of which they see only a part, nor a resource that is hidden from
    /// some clients.
    ///
    /// While the function is slow, only the requests that it decides on wait for it. Until 8 requests in a row were
    /// decided within 100 µs each, and for the next 1,000 requests after a decision that took more than 10 ms, it runs
    /// on the threads for blocking functions, or on a worker whose other tasks move to other workers; on HTTP the
    /// latter needs a multi-threaded tokio runtime. There is no time limit: if the function never returns, the request
    /// is never answered.
    ///
    /// For the components of a mounted app, both that app's function and this function decide. A second call replaces
    /// the function of the first.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::empty("orders").visible_if(|component, ctx| {
    ///     !component.has_tag("admin") || ctx.meta().get("com.example/role").is_some_and(|role| role == "admin")
    /// });
    /// # assert!(app.check().is_ok());
    /// ```
    pub fn visible_if(mut self, function: impl Fn(&Component<'_>, &Context) -> bool + Send + Sync + 'static) -> App {
        self.visibility = Some(Arc::new(function));
        self
    }

    /// Adds the tools, resources and prompts of a type that has [`#[mcp::server]`](macro@crate::mcp::server).
    ///
    /// The value that the methods take as `&self` is a state like others: pass it to [`App::state`].
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// struct Greeter {
    ///     greeting: String,
    /// }
    ///
    /// #[mcp::server]
    /// impl Greeter {
    ///     /// Greets a person.
    ///     #[tool]
    ///     async fn greet(&self, name: &str) -> String {
    ///         format!("{}, {name}!", self.greeting)
    ///     }
    /// }
    ///
    /// let app = App::empty("greeter").server::<Greeter>().state(Greeter { greeting: "Hello".into() });
    /// assert_eq!(app.tool_names(), ["greet"]);
    /// assert!(app.check().is_ok());
    /// ```
    pub fn server<S: ComponentSet>(self) -> App {
        let tools = S::TOOLS.iter().copied().map(Registration::tool);
        let resources = S::RESOURCES.iter().copied().map(Registration::resource);
        let prompts = S::PROMPTS.iter().copied().map(Registration::prompt);
        tools.chain(resources).chain(prompts).fold(self, App::add)
    }

    /// Returns the sorted names of the app's tools, including those of mounted apps.
    pub fn tool_names(&self) -> Vec<String> {
        self.tree.tool_names()
    }

    /// Adds a value that tools take as [`State<T>`](crate::State), by its type.
    ///
    /// Two values of one type are a start-up error: wrap one of them in a type of its own.
    ///
    /// All states are dropped before the `run` method returns, whatever ends the server, after [`App::on_shutdown`]: in
    /// the reverse order of their making. A value passed to this method counts as made at that moment, and the state of
    /// a mounted app as made when the app is mounted. So buffers are flushed. The destructors run on a thread that may
    /// block and has the tokio runtime, and together they have five seconds; a panic in a destructor is logged. A state
    /// that a task or a thread of the program still holds is dropped when that ends, and a warning names its type.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> App {
        if self.state_owner.add(&mut self.states, OwnedState::new(value)) {
            self.problems.push(duplicate_state_message(type_name::<T>()));
        }
        self
    }

    /// Adds middleware around every operation: calls, reads, lists. The first middleware added is the outermost; see
    /// [`middleware`](crate::middleware).
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::middleware::{RateLimit, StructuredLogging};
    /// use fastmcp_rs::prelude::*;
    ///
    /// // Requests that the rate limit refuses are logged, too.
    /// let app = App::empty("x").layer(StructuredLogging::new()).layer(RateLimit::per_second(10.0));
    /// # let _ = app;
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> App {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Sets the server's version. Default: the version of the crate whose `main` has
    /// [`#[mcp::main]`](macro@crate::mcp::main). With another `main`, such as one with `#[tokio::main]`, the version is
    /// unknown: a warning is logged at start, and clients get the version 0.0.0.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::App;
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").version(env!("CARGO_PKG_VERSION")).run_stdio().await
    /// }
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> App {
        self.config.version = version.into();
        self.version_is_set = true;
        self
    }

    /// Sets the server's name for people. Clients before 2025-06-18 do not get it.
    pub fn title(mut self, title: impl Into<String>) -> App {
        self.config.title = Some(title.into());
        self
    }

    /// Sets the description of the server, for people. Clients before 2025-11-25 do not get it.
    pub fn description(mut self, description: impl Into<String>) -> App {
        self.config.description = Some(description.into());
        self
    }

    /// Sets the URL of the server's website. Clients before 2025-11-25 do not get it.
    pub fn website_url(mut self, url: impl Into<String>) -> App {
        self.config.website_url = Some(url.into());
        self
    }

    /// Adds an icon of the server, for people. There may be several; clients before 2025-11-25 do not get them.
    ///
    /// Modern clients get them when they discover the server, and not with every response.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic#icons>
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::Icon;
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::empty("orders").icon(Icon::new("https://example.com/orders.png").size("48x48"));
    /// assert!(app.check().is_ok());
    /// ```
    pub fn icon(mut self, icon: Icon) -> App {
        self.config.icons.push(icon);
        self
    }

    /// Sets whether the schemas of all tools omit `additionalProperties: false`. Default: false.
    ///
    /// Some vendors' converters, among them that of google-genai, reject every tool whose schema contains it. Unknown
    /// arguments are still rejected.
    pub fn open_schemas(mut self, yes: bool) -> App {
        self.config.lists.style.closes_objects = !yes;
        self
    }

    /// Sets whether tools that return a number or a `bool` send it as structured content beside its text, with an
    /// output schema. Default: true, because some clients read the text as structured content, and reject it if it is
    /// not an object.
    ///
    /// Before 2026-07-28 the content is `{"result": 3}`, and so is the text. A tool's own `structured` takes
    /// precedence.
    pub fn structured_numbers(mut self, yes: bool) -> App {
        self.config.lists.style.structures_numbers = yes;
        self
    }

    /// Sets whether tools that return a text send it as structured content, too. Default: false, because every client
    /// shows a text unchanged, and several show a structured result in place of it.
    pub fn structured_texts(mut self, yes: bool) -> App {
        self.config.lists.style.structures_texts = yes;
        self
    }

    /// Sets whether clients of 2026-07-28 get structured results that are not objects (lists, numbers, `null` for
    /// `None`) inside `{"result": …}`, as clients of 2025-06-18 and 2025-11-25 always do. Default: false.
    ///
    /// Some proxies for 2026-07-28, among them FastMCP 4.1.7, reject unwrapped results of these kinds. The output
    /// schema, the text and the mark `_meta.fastmcp.wrap_result` are then those of the wrapped result. A tool's own
    /// `wrapped` takes precedence.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Lists the open orders.
    /// #[mcp::tool]
    /// fn open_orders() -> Vec<u32> {
    ///     vec![101, 102]
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = App::empty("orders").tool::<open_orders>().wrapped_results(true);
    /// let reply = app.test_client().await?.call("open_orders", ()).await?;
    /// assert_eq!(reply.text(), r#"{"result":[101,102]}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrapped_results(mut self, yes: bool) -> App {
        self.config.lists.style.wraps_results = yes;
        self
    }

    /// Sets whether a tool's result with resource links and without a text gets a final text block that names the
    /// links: one line per link with its name, its URI and its description. Default: true, because several clients show
    /// a model only texts.
    ///
    /// A result that has a text is sent unchanged. A tool's own `link_text` takes precedence.
    pub fn link_texts(mut self, yes: bool) -> App {
        self.config.lists.style.describes_links = yes;
        self
    }

    /// Sets whether the descriptions of tools' arguments repeat limits and enum values, because several clients remove
    /// the schema keywords for them before a model sees the schema. Default: false.
    ///
    /// Limits are written in words, such as "Allowed: 1 to 10.", after the argument's own doc comment.
    pub fn describe_limits(mut self, yes: bool) -> App {
        self.config.lists.style.repeats_limits = yes;
        self
    }

    /// Sets whether arguments that a tool does not have are ignored, and their names logged at debug level. Default:
    /// false, which rejects the call.
    ///
    /// This applies to arguments themselves, not to the members inside of them, which are rejected unless their type
    /// has `#[mcp::model(allow_unknown_fields)]`. For a few names that a client adds to every call, use
    /// [`App::ignore_arguments`].
    pub fn ignore_unknown_arguments(mut self, yes: bool) -> App {
        self.config.ignored_arguments.everything = yes;
        self
    }

    /// Ignores arguments of these names in calls of tools that do not have them, in addition to those that are known to
    /// come from clients rather than from models.
    ///
    /// Always ignored are `wait_for_previous` (Gemini CLI) and `toolCallId` (n8n), and in a call with `toolCallId` also
    /// `sessionId`, `action`, `chatInput` and `tool`. Ignored arguments are logged at debug level.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::new("orders").ignore_arguments(["security_risk", "summary"]);
    /// # let _ = app;
    /// ```
    pub fn ignore_arguments(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> App {
        self.config.ignored_arguments.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets instructions for a model on the use of the server as a whole. Clients may add them to the model's prompt.
    pub fn instructions(mut self, instructions: impl Into<String>) -> App {
        self.config.instructions = Some(instructions.into());
        self
    }

    /// Sets the time limit of a call, unless its tool sets `timeout = "…"`. Default: 60 seconds.
    ///
    /// A call that exceeds the limit is dropped, and its result tells the model so. A blocking tool cannot be dropped:
    /// the call is answered, and the tool's thread continues until the tool returns.
    pub fn timeout(mut self, timeout: Duration) -> App {
        self.config.timeout = timeout;
        self
    }

    /// Sets whether numbers, booleans, lists and objects that arrive inside a string are rejected. Default: false.
    ///
    /// Models sometimes write `"10"` for `10`; by default that is accepted where a string would be rejected. A whole
    /// number written as `1.0` is an integer in JSON Schema, and always accepted.
    pub fn strict_arguments(mut self, yes: bool) -> App {
        self.config.strict_arguments = yes;
        self
    }

    /// Sets whether the model reads the text of every error and panic, for development. Default: false.
    ///
    /// By default only the text of [`ToolError::new`](crate::ToolError::new) reaches the model: other texts may reveal
    /// paths, queries and host names.
    pub fn show_errors(mut self, yes: bool) -> App {
        self.config.show_errors = yes;
        self
    }

    /// Sets whether the `_meta` of each modern response omits the server's name and version. Default: false.
    pub fn hide_server_info(mut self, yes: bool) -> App {
        self.config.announce_server = !yes;
        self
    }

    /// Sets the time for which modern clients may cache lists, and the scope in which they may share them. Default: no
    /// caching. For the contents of resources, see [`App::cache_resources`].
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
    pub fn cache_lists(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.lists.cache = CacheHints { ttl, scope };
        self
    }

    /// Sets the time for which modern clients may cache the contents of resources, and the scope in which they may
    /// share them. Default: no caching.
    ///
    /// [`CacheScope::Public`] is a promise that the contents are the same for every reader.
    pub fn cache_resources(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.resource_cache = CacheHints { ttl, scope };
        self
    }

    /// Sets the lifetime of the `requestState` that travels with client requests to a modern client: the time in which
    /// the client has to send their results with its next request. Default: 10 minutes.
    ///
    /// After this time the request state no longer opens, and the call must start again from the beginning.
    pub fn request_state_ttl(mut self, ttl: Duration) -> App {
        self.config.request_state_ttl = ttl;
        self
    }

    /// Sets the limit of the `requestState` that travels with the questions to a modern client, in bytes. Default:
    /// 512 KiB; at least 1 KiB.
    ///
    /// The request state contains the answers so far, the values of [`Context::remember`] and about 60 bytes per open
    /// question, sealed and encoded as Base64: 4 bytes for 3. It returns with the next request, so it is never longer
    /// than half of the longest message that the transport reads: [`App::max_line`], or
    /// [`HttpConfig::max_body`](crate::HttpConfig::max_body). A call that needs more ends with error -32603, which
    /// names this limit, and the log names the function.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    ///
    /// let app = App::empty("surveys").max_request_state(1 << 20);
    /// # assert!(app.check().is_ok());
    /// ```
    pub fn max_request_state(mut self, bytes: usize) -> App {
        self.config.max_request_state = bytes;
        self
    }

    /// Sets the keys that seal the request state of modern clients, and on HTTP the sessions of older clients. By
    /// default, each process makes its own key for request state, and sessions end with their process.
    ///
    /// With keys that outlive the process, for example from its environment, a client's `Mcp-Session-Id` contains its
    /// session, so that any process with the key restores it, even after a restart. The page on HTTP lists the restored
    /// parts, and [`HttpConfig::session_lifetime`](crate::HttpConfig::session_lifetime) limits the time.
    ///
    /// The first key seals, and all keys open. To replace a key, put the new key behind the old key in every process,
    /// then in front of it, and remove the old key when the [`App::request_state_ttl`] and the lifetime of sessions are
    /// over. Processes that serve the same clients need the same keys and the same name in [`App::new`]: a server with
    /// another name opens nothing, even with the same key.
    pub fn sealing_keys(mut self, keys: impl IntoIterator<Item = SealingKey>) -> App {
        self.sealing_keys = keys.into_iter().collect();
        self
    }

    /// Sets the maximum number of entries per page of a list. Default: 1,000; minimum: 1.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>
    pub fn page_size(mut self, entries: usize) -> App {
        self.config.lists.page_size = entries.max(1);
        self
    }

    /// Runs the checks of the `run` methods without serving, for example in a unit test.
    ///
    /// # Errors
    ///
    /// Fails if two components have the same name or URI, a component requires a state that the app does not have, a
    /// default or an example does not fit its parameter, or a constraint does not fit its type. The error lists all
    /// problems.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Doubles a number.
    /// #[mcp::tool]
    /// fn double(number: i64) -> i64 {
    ///     number * 2
    /// }
    ///
    /// let error = App::empty("numbers").tool::<double>().tool::<double>().check().unwrap_err();
    /// assert!(error.to_string().contains("`double`"), "{error}");
    /// assert!(error.to_string().contains("registered twice"), "{error}");
    /// ```
    pub fn check(mut self) -> Result<(), Error> {
        self.validate()
    }

    /// Checks the app and the apps that are mounted in it.
    pub(crate) fn validate(&mut self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if self.config.name.trim().is_empty() {
            problems.push("the server has no name: give `App::new` one".into());
        }
        let icons = self.config.icons.iter().flat_map(Icon::problems);
        problems.extend(icons.map(|problem| format!("an icon of the server: {problem}")));
        self.collect_problems(&[], &mut problems);
        problems.extend(self.tree.find_conflicts());
        if problems.is_empty() { Ok(()) } else { Err(Error::configuration(problems)) }
    }

    /// Lowers the limit of `requestState` to half of the longest message that a transport reads: it has to return in
    /// one message, with the arguments and the next answers.
    #[cfg(any(feature = "stdio", feature = "http"))]
    fn fit_request_state(&mut self, max_message: usize) {
        self.config.max_request_state = self.config.max_request_state.min(max_message / 2);
    }

    /// Makes the states, and creates the server.
    pub(crate) async fn start(mut self) -> Result<engine::Server, Error> {
        self.validate()?;
        if !self.version_is_set {
            self.config.version = PROGRAM_VERSION.get().copied().unwrap_or(UNKNOWN_VERSION).to_owned();
        }
        let counts = self.tree.component_counts();
        tracing::debug!(target: "fastmcp_rs", "tools, resources, prompts registered: {counts:?}");
        if counts == [0; 3] && !self.tree.is_dynamic() {
            crate::util::operator_log::warn(format_args!(
                "`{}` offers nothing: put `#[mcp::tool]` on a function; for tools of a library crate, add `use that_crate as _;`",
                self.config.name
            ));
        }
        let mut shutdown_tasks = Vec::new();
        let (changes, owner) = (Arc::clone(self.tree.changes()), Arc::clone(&self.state_owner));
        self.activate(Vec::new(), LayerChain::default(), Vec::new(), &changes, &owner, &mut shutdown_tasks).await?;
        let components = RegistryCache::new(Arc::clone(&self.tree), self.config.lists);
        warn_about_tools(&components, self.config.lists.style);
        let mut sealer = Sealer::new(&self.sealing_keys);
        sealer.set_max_text(self.config.max_request_state);
        #[cfg_attr(not(feature = "metrics"), allow(unused_mut))]
        let mut server = engine::Server::new(self.config, components, sealer, changes, owner, shutdown_tasks);
        #[cfg(feature = "metrics")]
        if let Some(metrics) = self.metrics.into_inner() {
            metrics.set_server(&server.config.name, &server.config.version);
            server.metrics = Some(metrics);
        }
        Ok(server)
    }

    /// Returns the app's tools as the newest revision lists them, even if other checks of the app fail: a lock file of
    /// the tools needs no state.
    #[cfg(feature = "testing")]
    pub(crate) fn listed_tools(self) -> Vec<serde_json::Value> {
        self.activate_without_states(Vec::new());
        let registry = RegistryCache::new(Arc::clone(&self.tree), self.config.lists).load();
        let style = self.config.lists.style;
        let json = |tool: &Arc<ToolEntry>| {
            let mut json = Vec::new();
            ObjectWriter::append(&mut json, |object| tool.write(object, Revision::V2026_07_28, style));
            serde_json::from_slice(&json).unwrap_or_default()
        };
        registry.tools.entries().iter().map(json).collect()
    }

    /// Logs a warning if the version is unknown. Tests do not need a version.
    #[cfg(any(feature = "stdio", feature = "http"))]
    fn warn_about_version(&self) {
        if !self.version_is_set && PROGRAM_VERSION.get().is_none() {
            crate::util::operator_log::warn(format_args!(
                "the version of `{}` is not known, and clients are told {UNKNOWN_VERSION}: put `#[mcp::main]` on `main`, or add `.version(env!(\"CARGO_PKG_VERSION\"))`",
                self.config.name
            ));
        }
    }
}

/// Returns the components that registered themselves at the selected places. `inventory` guarantees no order, so this
/// function sorts them.
fn registered_components(is_wanted: impl Fn(&Location) -> bool) -> Vec<Registration> {
    let tools = inventory::iter::<RegisteredTool>().map(|tool| tool.0);
    let tools: Vec<_> = tools.filter(|tool| is_wanted(&tool.location)).collect();
    let resources = inventory::iter::<RegisteredResource>().map(|resource| resource.0);
    let resources: Vec<_> = resources.filter(|resource| is_wanted(&resource.location)).collect();
    let prompts = inventory::iter::<RegisteredPrompt>().map(|prompt| prompt.0);
    let prompts: Vec<_> = prompts.filter(|prompt| is_wanted(&prompt.location)).collect();
    let mut added = Vec::with_capacity(tools.len() + resources.len() + prompts.len());
    let ordered = sort_indices(tools.iter().map(|tool| (tool.name, tool.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::tool(tools[at])));
    let ordered = sort_indices(resources.iter().map(|resource| (resource.uri, resource.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::resource(resources[at])));
    let ordered = sort_indices(prompts.iter().map(|prompt| (prompt.name, prompt.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::prompt(prompts[at])));
    added
}

/// The maximum number of tools that one warning names.
const MAX_LISTED_TOOLS: usize = 10;

/// Logs warnings about schemas that some vendors reject or change, and about schemas that cannot be read.
fn warn_about_tools(components: &RegistryCache, style: SchemaStyle) {
    let is_arbitrary = precision::is_arbitrary();
    let mut with_wide_integers = Vec::new();
    for tool in components.load().tools.entries() {
        let found = tool.lints(style);
        let name = tool.key();
        if is_arbitrary && precision::buffers_floats(&tool.handler.described.input) {
            crate::util::operator_log::warn(format_args!(
                "tool `{name}` refuses floats inside of enums and flattened types, as a crate of this program turns on the feature `arbitrary_precision` of serde_json: `cargo tree -e features -i serde_json` shows which"
            ));
        }
        for problem in found.problems {
            crate::util::operator_log::warn(format_args!("tool `{name}`: {problem}"));
        }
        if !found.wide_integers.is_empty() {
            with_wide_integers.push(format!("`{name}` ({})", lint::list_paths(&found.wide_integers)));
        }
    }
    if !with_wide_integers.is_empty() {
        let more = with_wide_integers.len().saturating_sub(MAX_LISTED_TOOLS);
        with_wide_integers.truncate(MAX_LISTED_TOOLS);
        let more = if more > 0 { format!(" and {more} more tools") } else { String::new() };
        crate::util::operator_log::warn(format_args!(
            "clients in JavaScript change integers beyond ±(2^53 − 1): give `min` and `max` to the arguments of {}{more}, or make them `i32`, `u32` or `String`",
            with_wide_integers.join(", ")
        ));
    }
}

/// The version of a server whose program does not set one.
const UNKNOWN_VERSION: &str = "0.0.0";

/// The program's version, set by `#[mcp::main]`.
pub(crate) static PROGRAM_VERSION: OnceLock<&'static str> = OnceLock::new();

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("App")
            .field("name", &self.config.name)
            .field("tools", &self.tool_names())
            .finish_non_exhaustive()
    }
}
