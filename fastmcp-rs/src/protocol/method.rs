//! The methods of requests that reach components.

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Calls a tool: `tools/call`.
    CallTool,
    /// Reads a resource: `resources/read`.
    ReadResource,
    /// Gets a prompt: `prompts/get`.
    GetPrompt,
    /// Completes an argument of a prompt or a variable of a resource template: `completion/complete`.
    Complete,
    /// Lists the tools: `tools/list`.
    ListTools,
    /// Lists the resources: `resources/list`.
    ListResources,
    /// Lists the resource templates: `resources/templates/list`.
    ListResourceTemplates,
    /// Lists the prompts: `prompts/list`.
    ListPrompts,
    /// Describes the server and its capabilities: `server/discover`.
    Discover,
}

impl Kind {
    /// Returns the method of the protocol.
    pub const fn method(self) -> &'static str {
        match self {
            Kind::CallTool => "tools/call",
            Kind::ReadResource => "resources/read",
            Kind::GetPrompt => "prompts/get",
            Kind::Complete => "completion/complete",
            Kind::ListTools => "tools/list",
            Kind::ListResources => "resources/list",
            Kind::ListResourceTemplates => "resources/templates/list",
            Kind::ListPrompts => "prompts/list",
            Kind::Discover => "server/discover",
        }
    }

    /// Returns true if the operation addresses one component: a tool, a resource, a prompt or a completion. The other
    /// kinds list components or describe the server.
    pub const fn is_of_a_component(self) -> bool {
        matches!(self, Kind::CallTool | Kind::ReadResource | Kind::GetPrompt | Kind::Complete)
    }
}
