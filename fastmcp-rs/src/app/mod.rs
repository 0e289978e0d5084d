//! What a server author configures.

#[cfg(feature = "stdio")]
mod stdio;

use std::any::{TypeId, type_name};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::changes::Hub;
use crate::component::prompt::{Prompt, RegisteredPrompt};
use crate::component::resource::{RegisteredResource, Resource};
use crate::component::server::Server;
use crate::component::tool::{Location, RegisteredTool, Tool};
use crate::context::States;
use crate::engine::{self, ServerConfig};
use crate::error::Error;
use crate::layers::Layer;
use crate::protocol::CacheScope;
#[cfg(feature = "testing")]
use crate::protocol::Revision;
use crate::protocol::cache::CacheHints;
#[cfg(feature = "testing")]
use crate::registry::Listed;
use crate::registry::{Definitions, ListConfig, Registry};
use crate::seal::{Sealer, SealingKey};

/// An MCP server while it is being put together.
///
/// [`App::new`] takes every tool of the program; then comes what the tools need, and one of the `run`
/// methods.
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
    definitions: Definitions,
    states: States,
    sealing_keys: Vec<SealingKey>,
    pub(crate) changes: Arc<Hub>,
    problems: Vec<String>,
    #[cfg(feature = "stdio")]
    pub(crate) stdio: crate::transport::stdio::StdioConfig,
}

impl App {
    /// An app with every tool, resource and prompt of the program, whichever module or crate it is in.
    ///
    /// A library crate of tools must be named by the program, or the linker leaves it out:
    /// `use my_tools as _;`.
    pub fn new(name: impl Into<String>) -> App {
        App::with(name.into(), registered(|_| true))
    }

    /// An app with the tools, resources and prompts of one module and the modules in it.
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
        App::with(name.into(), registered(|location| inside(location.module_path)))
    }

    /// An app without components, for those that are registered by [`App::tool`], [`App::resource`],
    /// [`App::prompt`] and [`App::server`].
    pub fn empty(name: impl Into<String>) -> App {
        App::with(name.into(), Definitions::default())
    }

    fn with(name: String, definitions: Definitions) -> App {
        App {
            config: ServerConfig {
                name,
                version: String::new(),
                title: None,
                description: None,
                website_url: None,
                instructions: None,
                timeout: Duration::from_secs(60),
                strict_arguments: false,
                show_errors: false,
                announce_server: true,
                lists: ListConfig::default(),
                contents: CacheHints::default(),
                answer_time: Duration::from_secs(600),
            },
            version_is_set: false,
            definitions,
            states: States::new(),
            sealing_keys: Vec::new(),
            changes: Arc::default(),
            problems: Vec::new(),
            #[cfg(feature = "stdio")]
            stdio: crate::transport::stdio::StdioConfig::default(),
        }
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
    pub fn tool<T: Tool>(mut self) -> App {
        self.definitions.tools.push(T::DEFINITION);
        self
    }

    /// Adds a resource by the name of its function.
    pub fn resource<R: Resource>(mut self) -> App {
        self.definitions.resources.push(R::DEFINITION);
        self
    }

    /// Adds a prompt by the name of its function.
    pub fn prompt<P: Prompt>(mut self) -> App {
        self.definitions.prompts.push(P::DEFINITION);
        self
    }

    /// Adds the tools, resources and prompts of a type that has [`#[mcp::server]`](macro@crate::mcp::server).
    ///
    /// The value whose methods they are is a state like others: give it to [`App::state`].
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
    ///     /// Greets somebody.
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
    pub fn server<S: Server>(mut self) -> App {
        self.definitions.tools.extend(S::TOOLS);
        self.definitions.resources.extend(S::RESOURCES);
        self.definitions.prompts.extend(S::PROMPTS);
        self
    }

    /// The names of the app's tools, sorted.
    pub fn tool_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.definitions.tools.iter().map(|tool| tool.name).collect();
        names.sort_unstable();
        names
    }

    /// Gives the app a value that its tools may take as [`State<T>`](crate::State), by its type.
    ///
    /// Two values of one type are a start-up error: wrap one of them in a type of its own.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> App {
        if self.states.insert(TypeId::of::<T>(), Arc::new(value)).is_some() {
            self.problems.push(format!(
                "the app was given two states of type `{}`: put one of them into a type of its own",
                type_name::<T>()
            ));
        }
        self
    }

    /// Puts a layer around every operation: calls, reads, lists. The first one added is the outermost; see
    /// [`layers`](crate::layers).
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::layers::{RateLimit, StructuredLogging};
    /// use fastmcp_rs::prelude::*;
    ///
    /// // What is refused by the limit is logged too.
    /// let app = App::empty("x").layer(StructuredLogging::new()).layer(RateLimit::per_second(10.0));
    /// # let _ = app;
    /// ```
    pub fn layer(mut self, layer: impl Layer) -> App {
        self.definitions.layers.push(Arc::new(layer));
        self
    }

    /// The server's version. By default it is the version of the program's crate.
    pub fn version(mut self, version: impl Into<String>) -> App {
        self.config.version = version.into();
        self.version_is_set = true;
        self
    }

    /// The server's name for people. Peers before 2025-06-18 do not see it.
    pub fn title(mut self, title: impl Into<String>) -> App {
        self.config.title = Some(title.into());
        self
    }

    /// What the server is, for people. Peers before 2025-11-25 do not see it.
    pub fn description(mut self, description: impl Into<String>) -> App {
        self.config.description = Some(description.into());
        self
    }

    /// The server's page on the web. Peers before 2025-11-25 do not see it.
    pub fn website_url(mut self, url: impl Into<String>) -> App {
        self.config.website_url = Some(url.into());
        self
    }

    /// How a model should use the server as a whole. Clients may put this into the model's prompt.
    pub fn instructions(mut self, instructions: impl Into<String>) -> App {
        self.config.instructions = Some(instructions.into());
        self
    }

    /// How long a call may take, unless its tool says `timeout = "…"`. Default: 60 seconds.
    ///
    /// A call that takes longer is dropped, and its answer tells the model so. A blocking tool cannot be
    /// dropped: it is answered for, and its thread goes on until it ends by itself.
    pub fn timeout(mut self, timeout: Duration) -> App {
        self.config.timeout = timeout;
        self
    }

    /// Refuses numbers, booleans, lists and objects that arrive inside a string.
    ///
    /// Models write `"10"` for `10` now and then; by default that is accepted where a string would be
    /// refused. A whole number written as `1.0` is an integer to JSON Schema, and always accepted.
    pub fn strict_arguments(mut self) -> App {
        self.config.strict_arguments = true;
        self
    }

    /// Shows the text of every error and panic to the model, for development.
    ///
    /// By default only the text of [`ToolError::new`](crate::ToolError::new) reaches it: others may tell
    /// paths, queries and host names.
    pub fn show_errors(mut self) -> App {
        self.config.show_errors = true;
        self
    }

    /// Leaves the server's name and version out of the `_meta` of each modern answer.
    pub fn anonymous_results(mut self) -> App {
        self.config.announce_server = false;
        self
    }

    /// How long modern clients may keep lists, and who may share them. Default: not at all. For what resources
    /// hold, see [`App::cache_resources`].
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
    pub fn cache_lists(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.lists.cache = CacheHints { ttl, scope };
        self
    }

    /// How long modern clients may keep what resources hold, and who may share it. Default: not at all.
    ///
    /// [`CacheScope::Public`] is a promise that what is read does not depend on who reads it.
    pub fn cache_resources(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.contents = CacheHints { ttl, scope };
        self
    }

    /// How long the answers to a call's questions may take, where a modern client brings them with its next
    /// request. Default: 10 minutes.
    ///
    /// What the handler has learnt until then travels with the questions, sealed; after this time it no longer
    /// opens, and the call must begin anew.
    pub fn answer_time(mut self, time: Duration) -> App {
        self.config.answer_time = time;
        self
    }

    /// The keys that seal what travels with the questions to a modern client. By default each process makes one of
    /// its own.
    ///
    /// The first key seals, and all of them open; so a new key is put in front, and the old one is removed when
    /// the [`App::answer_time`] is over. Processes that answer for each other must have the same keys.
    pub fn sealing_keys(mut self, keys: impl IntoIterator<Item = SealingKey>) -> App {
        self.sealing_keys = keys.into_iter().collect();
        self
    }

    /// The most entries of one page of a list. Default: 1,000; at least 1.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>
    pub fn page_size(mut self, entries: usize) -> App {
        self.config.lists.page_size = entries.max(1);
        self
    }

    /// Checks what `run` would check, without running: for a unit test.
    ///
    /// # Errors
    ///
    /// Fails if two components have one name or URI, one wants a state that the app does not have, a default or an
    /// example does not fit its parameter, or a constraint does not fit its type. All problems are told.
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
    pub fn check(self) -> Result<(), Error> {
        self.build().map(drop)
    }

    pub(crate) fn build(mut self) -> Result<engine::Server, Error> {
        if self.config.name.trim().is_empty() {
            self.problems.push("the server has no name: give `App::new` one".into());
        }
        if !self.version_is_set {
            self.config.version = self.default_version();
        }
        // Every context has the states, and so a way to tell of changes.
        self.states.insert(TypeId::of::<Hub>(), Arc::clone(&self.changes) as _);
        let Definitions { tools, resources, prompts, .. } = &self.definitions;
        let counts = [tools.len(), resources.len(), prompts.len()];
        let registry = Registry::new(self.definitions, &Arc::new(self.states), self.config.lists, &mut self.problems);
        if !self.problems.is_empty() {
            return Err(Error::configuration(self.problems));
        }
        tracing::debug!(target: "fastmcp_rs", "tools, resources, prompts registered: {counts:?}");
        if counts == [0; 3] {
            crate::operator::warn(format_args!(
                "`{}` offers nothing: put `#[mcp::tool]` on a function; for tools of a library crate, add `use that_crate as _;`",
                self.config.name
            ));
        }
        Ok(engine::Server::new(self.config, registry, Sealer::new(&self.sealing_keys), self.changes))
    }

    /// The app's tools as they are listed in the newest revision, whatever else is wrong with the app: a lock file
    /// of them needs no state.
    #[cfg(feature = "testing")]
    pub(crate) fn listed_tools(self) -> Vec<serde_json::Value> {
        let registry = Registry::new(self.definitions, &Arc::new(self.states), self.config.lists, &mut Vec::new());
        registry.tools.entries().iter().map(|tool| tool.to_json(Revision::V2026_07_28)).collect()
    }

    /// The version of the crate with `#[mcp::main]`, or else of the first tool's crate.
    fn default_version(&self) -> String {
        if let Some(version) = PROGRAM_VERSION.get() {
            return (*version).to_owned();
        }
        let Definitions { tools, resources, prompts, .. } = &self.definitions;
        let first = tools.first().map(|tool| tool.location);
        let first = first.or_else(|| resources.first().map(|resource| resource.location));
        let first = first.or_else(|| prompts.first().map(|prompt| prompt.location));
        first.map_or("0.0.0", |location| location.crate_version).to_owned()
    }
}

/// The components that registered themselves at certain places.
fn registered(is_wanted: impl Fn(&Location) -> bool) -> Definitions {
    let tools = inventory::iter::<RegisteredTool>().map(|tool| tool.0);
    let resources = inventory::iter::<RegisteredResource>().map(|resource| resource.0);
    let prompts = inventory::iter::<RegisteredPrompt>().map(|prompt| prompt.0);
    Definitions {
        tools: tools.filter(|tool| is_wanted(&tool.location)).collect(),
        resources: resources.filter(|resource| is_wanted(&resource.location)).collect(),
        prompts: prompts.filter(|prompt| is_wanted(&prompt.location)).collect(),
        layers: Vec::new(),
    }
}

/// What `#[mcp::main]` knows of the program.
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
