//! Static data that the definitions of all kinds of components share, as the macros write it.

use std::borrow::Cow;

use crate::component::completion_request::Complete;
use crate::schema::constraints::Constraints;

/// The hints that a tool gives about its behaviour.
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

/// A text of a definition: a literal from the source, or created at run time.
pub(crate) type DefinitionText = Cow<'static, str>;

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
