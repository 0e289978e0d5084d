//! The static data of a tool, as the macro writes it.

use std::borrow::Cow;
use std::time::Duration;

use super::completion::Complete;
use super::invocation::{Invocation, Invoked};
use crate::schema::constraints::Constraints;

/// A function that was made a tool by `#[mcp::tool]`.
///
/// The macro implements it for a type of the function's name, so that a tool can be registered by hand:
/// `App::empty("x").tool::<get_order_details>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    note = "put `#[mcp::tool]` on a function and name that function here"
)]
pub trait Tool {
    /// What the macro knows of the tool.
    #[doc(hidden)]
    const DEFINITION: &'static ToolDefinition;
}

/// Everything that is known of a tool at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct ToolDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub annotations: ToolAnnotations,
    /// Whether a single value is sent as structured content, too.
    pub structured: Option<bool>,
    pub tags: &'static [&'static str],
    pub icons: &'static [IconDefinition],
    pub meta: Option<&'static str>,
    pub timeout: Option<Duration>,
    pub execution: Execution,
    pub location: Location,
    pub invoke: fn(Invocation<'_>) -> Invoked,
}

/// The hints that a tool gives about itself.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ToolAnnotations {
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct IconDefinition {
    pub src: &'static str,
    pub mime_type: Option<&'static str>,
    pub sizes: &'static [&'static str],
    pub theme: Option<&'static str>,
}

/// A text of a definition: written in the source, or made at run time.
pub(crate) type Text = Cow<'static, str>;

/// Where the body of a tool runs.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// An `async fn`: polled in place once, then as a task.
    Async,
    /// On the pool of threads for blocking work.
    Blocking,
    /// A `fn` that promises to be quick: run in place.
    Inline,
}

/// Where a tool is defined, for errors that concern two of them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Location {
    pub file: &'static str,
    pub line: u32,
    pub module_path: &'static str,
}

impl std::fmt::Display for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// What the macro knows of a parameter.
#[doc(hidden)]
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub constraints: Constraints,
    pub default: Option<&'static str>,
    pub examples: &'static [&'static str],
    pub header: Option<&'static str>,
    pub complete: Option<Complete>,
}

/// A tool that registered itself.
#[doc(hidden)]
pub struct RegisteredTool(pub &'static ToolDefinition);

inventory::collect!(RegisteredTool);
