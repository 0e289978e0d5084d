//! Components that are made at run time, without macros: from a schema and a closure.
//!
//! A generated function reads its arguments straight into types, which are the check. Here there are no types:
//! arguments are a tree of values, and the schema is the check.

mod prompt;
mod resource;
mod tool;

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location as Place, catch_unwind};
use std::pin::Pin;

pub use prompt::DynamicPrompt;
pub use resource::DynamicResource;
pub use tool::DynamicTool;
pub(crate) use tool::MAX_NAME;

use serde_json::{Map, Value};

use super::about::About;
use super::invocation::Started;
use super::tool::Location;
use crate::context::Context;
use crate::error::ToolError;
use crate::{operator, panics};

/// A handler's work, whatever type it has.
type Work<T> = Pin<Box<dyn Future<Output = Result<T, ToolError>> + Send>>;

/// A closure that gets `A` and makes a `T`, whatever type it has.
type Handler<A, T> = Box<dyn Fn(A, Context) -> Work<T> + Send + Sync>;

type Call = Box<dyn Fn(Map<String, Value>, Context) -> Started + Send + Sync>;

/// What is called with arguments that were checked.
///
/// What it holds is the author's, and is dropped where nobody expects it: when a server next looks at what it has.
/// So it must not panic then.
pub(crate) struct Closure(Option<Call>);

impl Closure {
    fn new(call: impl Fn(Map<String, Value>, Context) -> Started + Send + Sync + 'static) -> Closure {
        Closure(Some(Box::new(call)))
    }

    /// Begins a call; `None` when it was dropped.
    pub(crate) fn call(&self, arguments: Map<String, Value>, context: Context) -> Option<Started> {
        self.0.as_ref().map(|call| call(arguments, context))
    }
}

impl Drop for Closure {
    fn drop(&mut self) {
        let call = self.0.take();
        if let Err(payload) = panics::watched(|| catch_unwind(AssertUnwindSafe(|| drop(call)))) {
            operator::error(format_args!("a component panicked when it was dropped: {}", panics::record(payload).0));
        }
    }
}

/// The place in the source that made a component.
pub(crate) fn location(place: &'static Place<'static>) -> Location {
    Location { file: place.file(), line: place.line(), module_path: "" }
}

/// What is wrong with a component, apart from what only its kind has.
fn problems_of(about: &About, noun: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = &about.name;
    if name.is_empty() {
        problems.push(format!("a {noun} needs a name: give one"));
    }
    let icons = about.icons.iter().flat_map(|icon| icon.problems());
    problems.extend(icons);
    if about.meta.get("fastmcp").is_some_and(|fastmcp| !fastmcp.is_object()) {
        problems.push("the member `fastmcp` of its `_meta` must be an object: the tags are put into it".into());
    }
    problems
}
