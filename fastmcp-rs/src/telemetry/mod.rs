//! Spans, metrics and logs of a running server, for its operator.
//!
//! The room knows no connections: the engine passes it each request and its outcome, and the transports pass it their
//! open resources. Names follow OpenTelemetry's conventions for MCP, so that existing dashboards work. Arguments of
//! clients and results of handlers are never recorded. Without the features `metrics` and `otel`, `metrics/noop.rs` and
//! `otel_noop.rs` have the same functions with empty bodies, so callers need no `cfg`.
//!
//! Conventions: <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md>

#[cfg(feature = "logging")]
pub(crate) mod logging;
#[cfg(feature = "metrics")]
pub(crate) mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/noop.rs"]
pub(crate) mod metrics;
#[cfg(feature = "otel")]
pub(crate) mod otel;
#[cfg(not(feature = "otel"))]
#[path = "otel_noop.rs"]
pub(crate) mod otel;
pub(crate) mod span;

/// The name under which spans and metrics record all methods that the protocol does not have, as peers may invent any
/// number of them.
const OTHER_METHOD: &str = "_OTHER";

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
}
