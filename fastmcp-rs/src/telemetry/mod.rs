//! Spans, metrics and logs of a running server, for its operator.
//!
//! The room knows no connections: the engine passes it each request and its outcome, and the transports pass it their
//! open resources. Names follow OpenTelemetry's conventions for MCP, so that existing dashboards work. Arguments of
//! clients and results of handlers are never recorded.
//!
//! Conventions: <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md>

#[cfg(feature = "logging")]
pub(crate) mod logging;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod otel;
mod outcome;
pub(crate) mod span;

pub(crate) use outcome::RequestOutcome;

/// The methods that are recorded by name in spans and metrics. All other methods, which peers may invent, are recorded
/// under one name.
macro_rules! for_each_method {
    ($with:ident) => {
        $with! {
            "tools/call", "tools/list", "resources/read", "resources/list", "resources/templates/list",
            "resources/subscribe", "resources/unsubscribe", "prompts/get", "prompts/list", "completion/complete",
            "subscriptions/listen", "server/discover", "initialize", "ping", "logging/setLevel"
        }
    };
}
pub(crate) use for_each_method;

/// The kind of a component in spans and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    Tool,
    Prompt,
    Resource,
}

impl Target {
    /// Returns the attribute that holds the component's name. For resources the conventions have only the URI, which
    /// contains arguments if it comes from a template.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Target::Tool => "gen_ai.tool.name",
            Target::Prompt => "gen_ai.prompt.name",
            Target::Resource => "mcp.resource.name",
        }
    }

    /// Returns the same name as a Prometheus label, which cannot contain dots.
    #[cfg(feature = "metrics")]
    fn label(self) -> &'static str {
        match self {
            Target::Tool => "gen_ai_tool_name",
            Target::Prompt => "gen_ai_prompt_name",
            Target::Resource => "mcp_resource_name",
        }
    }
}
