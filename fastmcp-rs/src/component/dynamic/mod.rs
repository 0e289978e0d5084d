//! Components that are created at run time, without macros: from a schema and a closure.
//!
//! A generated function reads its arguments directly into types, and that validates them. Here there are no types:
//! arguments are a tree of values, and the schema validates them.

mod prompt;
mod resource;
mod tool;

use std::future::Future;
use std::panic::Location as Place;
use std::pin::Pin;

pub use prompt::DynamicPrompt;
pub use resource::DynamicResource;
use serde_json::{Map, Value};
pub use tool::DynamicTool;
pub(crate) use tool::MAX_NAME;

use super::definition::Location;
use super::invocation::BoxedCall;
use super::metadata::Metadata;
use crate::context::Context;
use crate::error::ToolError;
use crate::util::{catch_panic, operator_log};

/// The future of a closure, with its type erased.
type HandlerFuture<T> = Pin<Box<dyn Future<Output = Result<T, ToolError>> + Send>>;

/// A closure from `A` to a future `T`, with its type erased.
type HandlerFn<A, T> = Box<dyn Fn(A, Context) -> HandlerFuture<T> + Send + Sync>;

type ClosureFn = Box<dyn Fn(Map<String, Value>, Context) -> BoxedCall + Send + Sync>;

/// The closure of a component, called with validated arguments.
///
/// It owns values of the author, and is dropped at an arbitrary point: when a server next reads its registry. So a
/// panic in their destructors must not propagate.
pub(crate) struct DynamicHandler(Option<ClosureFn>);

impl DynamicHandler {
    fn new(call: impl Fn(Map<String, Value>, Context) -> BoxedCall + Send + Sync + 'static) -> DynamicHandler {
        DynamicHandler(Some(Box::new(call)))
    }

    /// Starts a call; returns `None` if the closure was already dropped.
    pub(crate) fn call(&self, arguments: Map<String, Value>, context: Context) -> Option<BoxedCall> {
        self.0.as_ref().map(|call| call(arguments, context))
    }
}

impl Drop for DynamicHandler {
    fn drop(&mut self) {
        let call = self.0.take();
        if let Err(panicked) = catch_panic::run_catching(|| drop(call)) {
            operator_log::error(format_args!("a component panicked when it was dropped: {}", panicked.0));
        }
    }
}

/// Returns the place in the source that created a component.
pub(crate) fn location(place: &'static Place<'static>) -> Location {
    Location { file: place.file(), line: place.line(), module_path: "" }
}

/// Returns the problems that a component of any kind may have.
fn find_metadata_problems(metadata: &Metadata, noun: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = &metadata.name;
    if name.is_empty() {
        problems.push(format!("the name of the {noun} is empty"));
    }
    let icons = metadata.icons.iter().flat_map(|icon| icon.problems());
    problems.extend(icons);
    if metadata.meta.get("fastmcp").is_some_and(|fastmcp| !fastmcp.is_object()) {
        problems.push("the member `fastmcp` of `_meta` must be an object, because it receives the tags".into());
    }
    problems
}
