//! The configuration of a server by its author, and its start and end.
//!
//! [`App`] collects components, states and settings; `start` checks them, makes the states and builds an engine
//! [`Server`](crate::engine::Server). Only `testing` is above this room. Look here for a setting of [`App`]
//! (`settings.rs`), for the settings of operators (`operator_settings.rs`), for mounting, for states and shutdown hooks (`lifecycle.rs`), for the components that the macros
//! registered (`registered.rs`), and for `run_stdio` and `run_http`.

mod handle;
#[cfg(not(any(feature = "stdio", feature = "testing")))]
mod in_memory;
mod lifecycle;
pub(crate) mod main_runtime;
mod missing_features;
mod mount;
#[cfg_attr(not(feature = "settings"), path = "operator_settings_noop.rs")]
mod operator_settings;
mod registered;
#[cfg(feature = "http")]
mod run_http;
#[cfg(feature = "stdio")]
mod run_stdio;
mod settings;
mod start;

use std::any::type_name;
use std::sync::Arc;
use std::time::Duration;

pub use handle::AppHandle;
use lifecycle::{ShutdownFunction, StateConstructor};
pub use lifecycle::{ShutdownHook, StateFactory};
use registered::{components_of, registered_components};
pub(crate) use start::PROGRAM_VERSION;

use crate::checks::problem::Problem;
use crate::checks::states::duplicate_state;
use crate::component::client_arguments::IgnoredArguments;
use crate::component::component_set::ComponentSet;
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::prompt::Prompt;
use crate::component::resource::Resource;
use crate::component::tool::Tool;
use crate::context::Context;
use crate::context::states::{OwnedState, StateOwner, States};
use crate::engine::ServerConfig;
use crate::middleware::{ErasedLayer, Layer, LayerChain};
use crate::protocol::cache::CacheHints;
use crate::registry::{Component, ComponentTree, Existing, ListConfig, Registration, Selector, VisibilityFn};
use crate::sealing::{self, SealingKey};
#[cfg(feature = "settings")]
use crate::settings::Settings;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::MetricsSlot;
use crate::util::fixed_settings::FixedSettings;

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
    /// The middleware around some components, the outermost first.
    selected_layers: Vec<(Selector, LayerChain)>,
    problems: Vec<Problem>,
    /// The metrics, once `App::metrics` has enabled them.
    metrics: MetricsSlot,
    /// The settings that the program has set by the methods of this type.
    fixed: FixedSettings,
    /// The operator's settings, until they are applied.
    #[cfg(feature = "settings")]
    settings: Option<Settings>,
    /// True from the first call of `App::settings` on.
    #[cfg(feature = "settings")]
    has_settings: bool,
    /// The warnings about them that are not logged yet.
    #[cfg(feature = "settings")]
    setting_warnings: Vec<String>,
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
    /// use fastmcp_rs::App;
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

    #[inline(never)]
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
                #[cfg(feature = "http")]
                exposed_headers: crate::context::transport_facts::ExposedHeaders::default(),
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
            selected_layers: Vec::new(),
            problems: Vec::new(),
            metrics: MetricsSlot::default(),
            fixed: FixedSettings::default(),
            #[cfg(feature = "settings")]
            settings: None,
            #[cfg(feature = "settings")]
            has_settings: false,
            #[cfg(feature = "settings")]
            setting_warnings: Vec::new(),
            #[cfg(feature = "stdio")]
            stdio: crate::transport::stdio::StdioConfig::default(),
            #[cfg(feature = "http")]
            http: run_http::HttpSettings::default(),
        };
        components.into_iter().fold(app, App::add)
    }

    #[inline(never)]
    fn add(mut self, component: Registration) -> App {
        if let Err(problems) = self.tree.add_component(component, Existing::Conflicts) {
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
    // rustc shows this line in its error about `.tool(double)`, so its comment is for users.
    #[rustfmt::skip]
    pub fn tool<T: Tool>(self) -> App { // write `.tool::<name>()`, with the name of the function
        self.add(Registration::tool(T::DEFINITION))
    }

    /// Adds a resource by the name of its function.
    #[rustfmt::skip]
    pub fn resource<R: Resource>(self) -> App { // write `.resource::<name>()`, with the name of the function
        self.add(Registration::resource(R::DEFINITION))
    }

    /// Adds a prompt by the name of its function.
    #[rustfmt::skip]
    pub fn prompt<P: Prompt>(self) -> App { // write `.prompt::<name>()`, with the name of the function
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

    /// Adds the tools, resources and prompts of a type that has [`#[mcp::server]`](macro@crate::mcp::server), including
    /// those of further blocks with `#[mcp::server(extend)]`.
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
        components_of::<S>().into_iter().fold(self, App::add)
    }

    /// Returns a handle that adds, removes, enables and disables components, before and while the app is served.
    ///
    /// The app then declares that it has tools, resources and prompts, even if it has none, and that their lists may
    /// change. A handler needs no call of this: it takes [`AppHandle`] as a parameter. See [`AppHandle`].
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
        self.metrics.get_or_enable().clone()
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
            self.problems.push(duplicate_state(type_name::<T>()));
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
    /// // Operations that the rate limit rejects are logged, too.
    /// let app = App::empty("x").layer(StructuredLogging::new()).layer(RateLimit::per_second(10.0));
    /// # let _ = app;
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> App {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Adds middleware around the tools, resources and prompts that a selector matches, inside of the layers of
    /// [`App::layer`]. It also wraps components that are added later.
    ///
    /// The first middleware added for a component is the outermost. Middleware of the component's attribute (`middleware
    /// = …`) or builder is inside. A selector names components as this app sees them, so the tool `charge` of an app
    /// that is mounted as `pay` is `pay_charge`. Lists do not pass through such middleware.
    ///
    /// The app does not start if a selector matches no component, unless a handle may add one later.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::middleware::{RateLimit, Timing};
    /// use fastmcp_rs::prelude::*;
    /// use fastmcp_rs::visibility::Selector;
    ///
    /// /// Imports all orders.
    /// #[mcp::tool(tags = ["slow"])]
    /// fn import() -> u32 {
    ///     3
    /// }
    ///
    /// let app = App::empty("orders")
    ///     .tool::<import>()
    ///     .layer_for(Selector::tool("import"), RateLimit::per_minute(6.0))
    ///     .layer_for(Selector::tag("slow"), Timing::new());
    /// assert!(app.check().is_ok());
    /// ```
    pub fn layer_for(mut self, selector: Selector, layer: impl Layer) -> App {
        self.selected_layers.push((selector, LayerChain::new(vec![Arc::new(layer)])));
        self
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("App")
            .field("name", &self.config.name)
            .field("tools", &self.tool_names())
            .finish_non_exhaustive()
    }
}
