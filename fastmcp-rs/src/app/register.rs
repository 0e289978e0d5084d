//! The registration of components.

use super::App;
use crate::checks::problem::Location;
use crate::component::component_set::ComponentSet;
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::prompt::{Prompt, RegisteredPrompt};
use crate::component::resource::{RegisteredResource, Resource};
use crate::component::tool::{RegisteredTool, Tool};
use crate::registry::{Registration, sort_indices};

impl App {
    pub(super) fn add(mut self, component: Registration) -> App {
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
}

/// Returns the components that registered themselves at the selected places. `inventory` guarantees no order, so this
/// function sorts them.
pub(super) fn registered_components(is_wanted: impl Fn(&Location) -> bool) -> Vec<Registration> {
    let tools = inventory::iter::<RegisteredTool>().map(|tool| tool.0);
    let tools: Vec<_> = tools.filter(|tool| is_wanted(&tool.component.location)).collect();
    let resources = inventory::iter::<RegisteredResource>().map(|resource| resource.0);
    let resources: Vec<_> = resources.filter(|resource| is_wanted(&resource.component.location)).collect();
    let prompts = inventory::iter::<RegisteredPrompt>().map(|prompt| prompt.0);
    let prompts: Vec<_> = prompts.filter(|prompt| is_wanted(&prompt.component.location)).collect();
    let mut added = Vec::with_capacity(tools.len() + resources.len() + prompts.len());
    let ordered = sort_indices(tools.iter().map(|tool| (tool.component.name, tool.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::tool(tools[at])));
    let ordered = sort_indices(resources.iter().map(|resource| (resource.uri, resource.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::resource(resources[at])));
    let ordered =
        sort_indices(prompts.iter().map(|prompt| (prompt.component.name, prompt.component.location)).collect());
    added.extend(ordered.into_iter().map(|at| Registration::prompt(prompts[at])));
    added
}
