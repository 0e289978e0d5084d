//! The methods of requests that reach components.

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
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

impl Method {
    /// Returns the method of the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::CallTool => "tools/call",
            Method::ReadResource => "resources/read",
            Method::GetPrompt => "prompts/get",
            Method::Complete => "completion/complete",
            Method::ListTools => "tools/list",
            Method::ListResources => "resources/list",
            Method::ListResourceTemplates => "resources/templates/list",
            Method::ListPrompts => "prompts/list",
            Method::Discover => "server/discover",
        }
    }

    /// Returns true if the operation addresses one component: a tool, a resource, a prompt or a completion. The other
    /// kinds list components or describe the server.
    pub const fn has_component(self) -> bool {
        matches!(self, Method::CallTool | Method::ReadResource | Method::GetPrompt | Method::Complete)
    }
}
