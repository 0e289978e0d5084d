//! Components that are created at run time, without macros: from a schema and a closure.
//!
//! A generated function reads its arguments directly into types, and that validates them. Here there are no types:
//! arguments are a tree of values, and the schema validates them.

mod prompt;
mod resource;
mod tool;

use std::future::Future;
use std::pin::Pin;

pub use prompt::DynamicPrompt;
pub use resource::DynamicResource;
use serde_json::{Map, Value};
pub use tool::DynamicTool;

use super::invocation::BoxedCall;
use super::metadata::{ComponentBase, Metadata};
use crate::checks::components::check_metadata;
use crate::checks::problem::ProblemList;
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

impl ComponentBase {
    /// Starts the list of problems of a component with those that a component of any kind may have.
    fn check(&self, noun: &str) -> ProblemList {
        let Metadata { name, icons, meta, .. } = &self.metadata;
        let mut problems = ProblemList::for_component(noun, name, self.location);
        check_metadata(name, meta, noun, &mut problems);
        icons.iter().for_each(|icon| icon.check(&mut problems));
        problems
    }
}
