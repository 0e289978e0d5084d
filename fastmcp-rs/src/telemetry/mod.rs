//! What the operator of a running server sees of its requests: a span for each, and numbers.
//!
//! This room knows nothing of connections: the engine tells it what a request is and how it ended
//! (`engine/observed.rs`), and the transports what they have open. Names are those of OpenTelemetry's conventions
//! for MCP, so that dashboards which know these need not be taught anything. Nothing that a client sends as an
//! argument and nothing that a handler returns is ever recorded.
//!
//! Conventions: <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md>

#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod otel;
mod outcome;
pub(crate) mod span;

pub(crate) use outcome::Outcome;

/// The methods that have a name of their own in spans and numbers. What else a peer makes up is none.
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

/// What a component is called in what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    Tool,
    Prompt,
    Resource,
}

impl Target {
    /// The attribute that names it. For resources there is no convention but the URI, which holds arguments where it
    /// is one of a template.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Target::Tool => "gen_ai.tool.name",
            Target::Prompt => "gen_ai.prompt.name",
            Target::Resource => "mcp.resource.name",
        }
    }

    /// The same as a label of Prometheus, whose names have no dots.
    #[cfg(feature = "metrics")]
    fn label(self) -> &'static str {
        match self {
            Target::Tool => "gen_ai_tool_name",
            Target::Prompt => "gen_ai_prompt_name",
            Target::Resource => "mcp_resource_name",
        }
    }
}
