//! Changes to an app while it is served.

use std::sync::Arc;

use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::prompt::Prompt;
use crate::component::resource::Resource;
use crate::component::tool::Tool;
use crate::context::change_hub::ListKind;
use crate::error::Error;
use crate::registry::{ComponentTree, Registration, Selector};

/// Adds, removes, enables and disables tools, resources and prompts, before and while the app is served.
///
/// [`App::handle`](crate::App::handle) returns a handle. It is cheap to clone, and can be used from any thread. Each
/// method makes one atomic change: a request sees all of it or nothing. A running call continues, even if its tool is
/// removed. Clients are notified of changed lists, if their revision and their subscriptions allow it.
///
/// An app with a handle declares from the beginning that it has tools, resources and prompts, and that their lists may
/// change.
///
/// # Errors
///
/// A component is not added if its name or URI is taken (the error gives both places), if a state is missing, or if the
/// component itself is invalid. Before the app is served, missing states are reported at start instead. After the app
/// has ended, every addition fails.
///
/// # Example
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
        self.tree.add_component(component).map_err(Error::configuration)
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
}
