//! Components that are created at run time. The macros check the same at compile time.

use serde_json::{Map, Value};

use super::problem::{Problem, ProblemList};

/// Checks the name and the `_meta` of a component of any kind.
pub(crate) fn check_metadata(name: &str, meta: &Map<String, Value>, noun: &str, problems: &mut ProblemList) {
    if name.is_empty() {
        problems.add(format!("the name of the {noun} is empty"), "give it a name");
    }
    if meta.get("fastmcp").is_some_and(|fastmcp| !fastmcp.is_object()) {
        problems
            .add("the member `fastmcp` of `_meta` must be an object", "write an object, because it receives the tags");
    }
}

/// Checks the names of a prompt's arguments.
pub(crate) fn check_argument_names<'a>(names: impl Iterator<Item = &'a str>, problems: &mut ProblemList) {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if name.is_empty() {
            problems.add("the name of an argument is empty", "give it a name");
        }
        if known.contains(&name) {
            problems.add(format!("two arguments are named `{name}`"), "rename one");
        }
        known.push(name);
    }
}

/// Reports middleware for components that do not exist.
pub(crate) fn unmatched_layer(selector: &str) -> Problem {
    let fix = "correct the selector, or remove the layer";
    Problem::new("`App::layer_for`", format!("the app has no {selector}"), fix)
}

/// Reports a component whose middleware panicked while it was created.
pub(crate) fn report_middleware_panic(text: &str, problems: &mut ProblemList) {
    problems.add(format!("its middleware panicked: {text}"), "correct the expression of the option `middleware`");
}

/// Reports a component whose generated function panicked while it described the component.
pub(crate) fn report_panic(text: &str, problems: &mut ProblemList) {
    problems.add(format!("its description panicked: {text}"), "correct the type or the value that panicked");
}
