//! A request for suggestions, as a completion function receives it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use crate::component::extract::Requirements;
use crate::context::Context;
use crate::error::ToolError;

/// The input of a completion: the text to complete, and the arguments that already have values.
///
/// A completion function takes it first, then injected values (at most three), and returns candidates. The server ranks
/// them: first those that begin with the text, then those that contain it, then similar ones; at most 100 are sent. As
/// with tools, an `async fn` runs on the runtime and a `fn` on a thread that may block.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// fn cities(request: CompletionRequest) -> Vec<String> {
///     match request.argument("country") {
///         Some("fr") => vec!["Paris".into(), "Lyon".into()],
///         _ => vec!["Berlin".into(), "Bonn".into()],
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletionRequest {
    pub(crate) text: String,
    pub(crate) arguments: BTreeMap<String, String>,
}

impl CompletionRequest {
    /// Returns the text to complete; empty if nothing was typed yet.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value of another argument, if it has one. Clients before 2025-06-18 do not send these values.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).map(String::as_str)
    }
}

/// A type-erased completion function, which finds candidates or declares its requirements.
#[doc(hidden)]
pub type Complete = fn(CompletionUse<'_>) -> Option<CompletionFuture>;

/// The use of a completion function. One function serves both uses, so that the macro names the user's function once.
#[doc(hidden)]
pub enum CompletionUse<'a> {
    /// Finds candidates.
    Call(CompletionRequest, Context),
    /// Declares the requirements of the injected values.
    Require(&'a mut Requirements),
}

#[doc(hidden)]
pub type CompletionFuture = Pin<Box<dyn Future<Output = Result<Vec<String>, ToolError>> + Send>>;
