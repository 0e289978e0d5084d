//! Changes to an app while it is served.

use std::sync::Arc;

use serde::Serialize;

use super::registered::{components_of, definitions_of};
use crate::component::component_set::ComponentSet;
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::extract::{FromContext, Requirements, State};
use crate::component::prompt::Prompt;
use crate::component::resource::Resource;
use crate::component::tool::Tool;
use crate::context::change_hub::ListKind;
use crate::context::{Context, log_frame};
use crate::error::{Error, ToolError};
use crate::protocol::LoggingLevel;
use crate::registry::{ComponentTree, Existing, Registration, Selector};

/// Adds, removes, enables and disables tools, resources and prompts, before and while the app is served.
///
/// A handler takes it as a parameter, without any registration, and [`App::handle`](crate::App::handle) returns it
/// outside of handlers. It is cheap to clone, and can be used from any thread. Each method makes one atomic change: a
/// request sees all of it or nothing. A running call continues, even if its tool is removed. Clients are notified of
/// changed lists, if their revision and their subscriptions allow it.
///
/// An app with a handle declares from the beginning that it has tools, resources and prompts, and that their lists may
/// change. An app whose handlers take a handle has one.
///
/// # Mounted apps
///
/// A handler gets the handle of its own app, as it gets the states of its own app: names and URIs have no namespace,
/// and components that it adds appear to clients under the namespace of the app. To change the app around it, pass the
/// handle of that app as a state of a type of your own.
///
/// # Errors
///
/// A component is not added if its name or URI is taken (the error gives both places), if a state is missing, or if the
/// component itself is invalid. Before the app is served, missing states are reported at start instead. After the app
/// has ended, every addition fails.
///
/// # Example: a tool that changes its server
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Removes a tool.
/// #[mcp::tool(destructive)]
/// async fn uninstall(name: &str, app: AppHandle) -> Result<(), ToolError> {
///     if app.remove_tool(name) { Ok(()) } else { Err(ToolError::new(format!("there is no tool `{name}`"))) }
/// }
///
/// assert!(App::empty("plugins").tool::<uninstall>().check().is_ok());
/// ```
///
/// # Example: changes from outside of handlers
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use fastmcp_rs::visibility::Selector;
/// use serde_json::json;
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), fastmcp_rs::Error> {
/// let app = App::empty("plugins");
/// let handle = app.handle();
///
/// let hello = DynamicTool::new("hello", json!({"type": "object"}), |_, _| async {
///     Ok::<_, ToolError>("Hello!")
/// });
/// handle.add_tool(hello.tag("friendly"))?;
/// handle.disable(Selector::tag("friendly"));
/// assert!(handle.remove_tool("hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AppHandle {
    pub(super) tree: Arc<ComponentTree>,
}

impl AppHandle {
    fn add(&self, component: Registration) -> Result<(), Error> {
        self.tree.add_component(component, Existing::Conflicts).map(|_| ()).map_err(Error::configuration)
    }

    fn replace(&self, component: Registration) -> Result<bool, Error> {
        self.tree.add_component(component, Existing::Replaced).map_err(Error::configuration)
    }

    /// Adds a tool by the name of its function.
    pub fn tool<T: Tool>(&self) -> Result<(), Error> {
        self.add(Registration::tool(T::DEFINITION))
    }

    /// Adds a resource by the name of its function.
    pub fn resource<R: Resource>(&self) -> Result<(), Error> {
        self.add(Registration::resource(R::DEFINITION))
    }

    /// Adds a prompt by the name of its function.
    pub fn prompt<P: Prompt>(&self) -> Result<(), Error> {
        self.add(Registration::prompt(P::DEFINITION))
    }

    /// Adds a tool that was created at run time.
    #[track_caller]
    pub fn add_tool(&self, tool: DynamicTool) -> Result<(), Error> {
        self.add(Registration::dynamic_tool(tool))
    }

    /// Adds a resource that was created at run time.
    #[track_caller]
    pub fn add_resource(&self, resource: DynamicResource) -> Result<(), Error> {
        self.add(Registration::dynamic_resource(resource))
    }

    /// Adds a prompt that was created at run time.
    #[track_caller]
    pub fn add_prompt(&self, prompt: DynamicPrompt) -> Result<(), Error> {
        self.add(Registration::dynamic_prompt(prompt))
    }

    /// Adds the tools, resources and prompts of a type that has [`#[mcp::server]`](macro@crate::mcp::server): all of
    /// them, or none if one cannot be added.
    ///
    /// The value that the methods take as `&self` must be a state of the app before it is served, as for
    /// [`App::server`](crate::App::server).
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// struct Admin;
    ///
    /// #[mcp::server]
    /// impl Admin {
    ///     /// Counts the users.
    ///     #[tool]
    ///     async fn count_users(&self) -> u32 {
    ///         3
    ///     }
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), fastmcp_rs::Error> {
    /// let app = App::empty("users").state(Admin);
    /// let handle = app.handle();
    /// handle.server::<Admin>()?;
    /// assert!(handle.remove_server::<Admin>());
    /// # Ok(())
    /// # }
    /// ```
    pub fn server<S: ComponentSet>(&self) -> Result<(), Error> {
        self.tree.add_all(components_of::<S>()).map_err(Error::configuration)
    }

    /// Removes the tools, resources and prompts of a type that has [`#[mcp::server]`](macro@crate::mcp::server), as far
    /// as this app has them. Returns true if any existed.
    ///
    /// A component of another origin that has the name of one of them stays, for example after
    /// [`AppHandle::replace_tool`].
    pub fn remove_server<S: ComponentSet>(&self) -> bool {
        self.tree.remove_defined(&definitions_of::<S>())
    }

    /// Replaces the tool of the same name in one step, or adds the tool if there is none. Returns true if there was one.
    ///
    /// No request finds a gap, and clients get one notification. The earlier tool may be a function of the program. Rules
    /// of [`AppHandle::disable`] stay. A tool of an app that is mounted in this one is not replaced: its name is taken.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    /// use serde_json::json;
    ///
    /// fn answer(text: &'static str) -> DynamicTool {
    ///     DynamicTool::new("answer", json!({"type": "object"}), move |_, _| async move { Ok::<_, ToolError>(text) })
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), fastmcp_rs::Error> {
    /// let handle = App::empty("oracle").handle();
    /// assert!(!handle.replace_tool(answer("41"))?);
    /// assert!(handle.replace_tool(answer("42"))?);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn replace_tool(&self, tool: DynamicTool) -> Result<bool, Error> {
        self.replace(Registration::dynamic_tool(tool))
    }

    /// Replaces the resource with the same URI, or the template of the same shape, in one step, or adds the resource if
    /// there is none. Returns true if there was one. See [`AppHandle::replace_tool`].
    ///
    /// Clients that have subscribed to the resource are not notified: if its contents are different now, call
    /// [`AppHandle::notify_resource_updated`].
    #[track_caller]
    pub fn replace_resource(&self, resource: DynamicResource) -> Result<bool, Error> {
        self.replace(Registration::dynamic_resource(resource))
    }

    /// Replaces the prompt of the same name in one step, or adds the prompt if there is none. Returns true if there was
    /// one. See [`AppHandle::replace_tool`].
    #[track_caller]
    pub fn replace_prompt(&self, prompt: DynamicPrompt) -> Result<bool, Error> {
        self.replace(Registration::dynamic_prompt(prompt))
    }

    /// Removes the tool of a name. Returns true if it existed.
    pub fn remove_tool(&self, name: &str) -> bool {
        self.tree.remove(ListKind::Tools, name)
    }

    /// Removes the resource of a URI, or the resources of a template. Returns true if any existed.
    pub fn remove_resource(&self, uri: &str) -> bool {
        self.tree.remove(ListKind::Resources, uri)
    }

    /// Removes the prompt of a name. Returns true if it existed.
    pub fn remove_prompt(&self, name: &str) -> bool {
        self.tree.remove(ListKind::Prompts, name)
    }

    /// Enables the components that a selector matches. See [`AppHandle::disable`].
    pub fn enable(&self, selector: Selector) {
        self.tree.set_rule(&selector, true);
    }

    /// Disables the components that a selector matches: they are not listed, and requests for them are answered as if
    /// they did not exist.
    ///
    /// The rule also applies to components that are added later. If several rules match a component, the newest
    /// applies: after `disable(Selector::tag("admin"))` and `enable(Selector::tool("users"))`, the tool `users` is
    /// served, whatever its tags are.
    ///
    /// A rule for the name or URI of a component ends when the component is removed: a later component of that name is
    /// served as if the rule had never existed. Rules for tags stay.
    pub fn disable(&self, selector: Selector) {
        self.tree.set_rule(&selector, false);
    }

    /// Notifies the clients that have subscribed to a resource of its change, so that they can read it again. See
    /// [`Context::notify_resource_updated`](crate::Context::notify_resource_updated).
    pub fn notify_resource_updated(&self, uri: impl AsRef<str>) {
        self.tree.publish_resource_update(uri.as_ref());
    }

    /// Sends a log message that belongs to no call to every client that may get it: a text, or any value with a JSON
    /// form.
    ///
    /// These are the clients of revisions before 2026-07-28 that have a session and want the level (`logging/setLevel`;
    /// the default is [`LoggingLevel::Info`]). Since 2026-07-28, each log message belongs to a request, so such clients
    /// get none. If a client does not read and its queue is full, the message is dropped.
    ///
    /// All clients get the message, whoever they are, so it must not contain the data of one of them. For one client,
    /// keep the [`Context`] of its call; for the operator, use `tracing` events.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging>
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::LoggingLevel;
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::empty("orders");
    /// let handle = app.handle();
    /// handle.log(LoggingLevel::Notice, "the nightly import has ended");
    /// ```
    pub fn log(&self, level: LoggingLevel, data: impl Serialize) {
        self.tree.publish_log(level, || log_frame(level, None, &data));
    }
}

/// The handle of the handler's own app. The app then has a handle from the beginning.
///
/// An extractor of your own that uses it declares it: `AppHandle::requirements(requirements)`.
impl FromContext for AppHandle {
    type Error = ToolError;

    async fn from_context(context: &Context) -> Result<Self, ToolError> {
        State::<AppHandle>::find(context).map(|handle| AppHandle::clone(&handle))
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.state::<AppHandle>();
    }

    const NEEDS_REQUEST: bool = false;
}
