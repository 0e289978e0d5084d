//! Templates of resources: options and parameters that do not fit their variables. The grammar is checked where it is
//! parsed (`component/template.rs`).

use super::problem::ProblemList;

/// Checks the options of a resource against its template, which has these variables.
pub(crate) fn check_resource_options(
    uri: &str,
    variables: &[String],
    has_size: bool,
    allow_traversal: &[String],
    problems: &mut ProblemList,
) {
    if has_size && uri.contains('{') {
        problems.add("a template describes many resources, so it has no size", "remove `.size(…)`");
    }
    for name in allow_traversal.iter().filter(|name| !variables.contains(name)) {
        problems.add(
            format!("`allow_traversal` contains `{name}`, which is not a variable of `{uri}`"),
            "write the name of a variable, or remove it",
        );
    }
}

/// Reports a variable that may be missing from a URI although its parameter is required.
pub(crate) fn report_optional_variable(name: &str, problems: &mut ProblemList) {
    problems.add(
        format!("the variable `{name}` is optional in the URI"),
        "its parameter must be an `Option` or have a default",
    );
}
