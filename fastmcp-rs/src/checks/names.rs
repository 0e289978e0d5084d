//! Names of the server, of components, and of the namespaces of mounted apps.

use super::problem::{Location, Problem, ProblemList};

// The macros check the names of their tools by the same rule.
fastmcp_rs_macros::shared_source!(names);

pub(crate) fn check_server_name(name: &str, problems: &mut Vec<Problem>) {
    if name.trim().is_empty() {
        problems.push(Problem::new("the server", "it has no name", "pass one to `App::new`"));
    }
}

/// Checks the name of a tool or prompt that is created at run time.
pub(crate) fn check_component_name(name: &str, noun: &str, problems: &mut ProblemList) {
    if let Some(text) = find_name_problem(name, noun) {
        problems.add(text, "choose another");
    }
}

/// Checks the length of a name under the namespaces of its app.
pub(crate) fn check_full_name(full: &str, noun: &str, location: Location) -> Option<Problem> {
    let length = full.len();
    (length > MAX_NAME).then(|| {
        let text = format!("the name has {length} characters with its namespace; the limit is {MAX_NAME}");
        Problem::new(format!("{noun} `{full}`"), text, "shorten one of the two").at(location.to_string())
    })
}

/// Checks the namespace of a mounted app.
pub(crate) fn check_namespace(namespace: &str) -> Option<Problem> {
    if namespace.is_empty() {
        let fix = "pass one to `mount`, as in `.mount(\"pay\", app)`";
        return Some(Problem::new("`App::mount`", "an app is mounted without a name", fix));
    }
    let first_is_fine = namespace.starts_with(|first: char| first.is_ascii_alphanumeric());
    if namespace.len() > MAX_NAME || !first_is_fine || !namespace.chars().all(is_name_character) {
        let shown: String = namespace.chars().take(MAX_NAME).collect();
        let text = format!("{shown:?} cannot be a namespace");
        let fix = format!(
            "it must begin with an ASCII letter or digit, and have at most {MAX_NAME} letters, digits, `_`, `-` and `.`"
        );
        return Some(Problem::new("`App::mount`", text, fix));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_namespace_is_reported() {
        for good in ["pay", "pay.v2", "p-1", "1"] {
            assert_eq!(check_namespace(good), None);
        }
        for bad in ["", "a/b", "a b", "_a", "é", "{x}", &"x".repeat(200)] {
            assert!(check_namespace(bad).is_some(), "{bad}");
        }
    }
}
