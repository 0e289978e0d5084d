//! The static definition of a tool, as the macro generates it.

use std::borrow::Cow;
use std::time::Duration;

use super::completion::Complete;
use super::invocation::{Invocation, Invoked};
use crate::schema::constraints::Constraints;

/// A function that `#[mcp::tool]` turned into a tool.
///
/// The macro implements it for a type with the function's name, so that a tool can be registered by hand:
/// `App::empty("x").tool::<get_order_details>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    note = "put `#[mcp::tool]` on a function and name that function here"
)]
pub trait Tool {
    /// The macro's data about the tool.
    #[doc(hidden)]
    const DEFINITION: &'static ToolDefinition;
}

/// The static definition of a tool, known at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct ToolDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub annotations: ToolAnnotations,
    pub results: ResultOptions,
    pub tags: &'static [&'static str],
    pub icons: &'static [IconDefinition],
    pub meta: Option<&'static str>,
    pub timeout: Option<Duration>,
    pub execution: Execution,
    pub location: Location,
    pub invoke: fn(Invocation<'_>) -> Invoked,
}

/// The hints that a tool gives about its behaviour.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ToolAnnotations {
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
}

/// The choices of a tool about the form of its results, which go before those of the app.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ResultOptions {
    /// Whether a single value is sent as structured content, too.
    pub structured: Option<bool>,
    /// Whether modern clients get a result that is no object inside one, as legacy clients do.
    pub wrapped: Option<bool>,
    /// Whether resource links without a text get one.
    pub link_text: Option<bool>,
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct IconDefinition {
    pub src: &'static str,
    pub mime_type: Option<&'static str>,
    pub sizes: &'static [&'static str],
    pub theme: Option<&'static str>,
}

/// A text of a definition: a literal from the source, or created at run time.
pub(crate) type Text = Cow<'static, str>;

/// The thread on which the body of a tool runs.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// An `async fn`: polled in place once, then as a task.
    Async,
    /// On the thread pool for blocking work.
    Blocking,
    /// A `fn` that is declared to be quick: runs in place.
    Inline,
}

/// The place in the source that defines a component, for errors that concern two components.
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

/// The macro's data about a parameter.
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

/// The registration of a tool by its macro.
#[doc(hidden)]
pub struct RegisteredTool(pub &'static ToolDefinition);

inventory::collect!(RegisteredTool);
