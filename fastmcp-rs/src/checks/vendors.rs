//! Parts of a valid tool that the clients or models of some vendors reject or change.
//!
//! A vendor that rejects one tool rejects every request of a session, so the author is warned at start.

use serde_json::Value;

use super::names::is_name_character;
use super::problem::{Location, Problem, ProblemList};
use crate::schema::normalize::has_type;
use crate::util::count::counted;

/// The longest name of a tool or an argument that every vendor accepts.
const MAX_NAME: usize = 64;
/// The largest integer that JavaScript represents exactly: 2^53 − 1.
const MAX_INTEGER: f64 = 9_007_199_254_740_991.0;
/// The most places that are reported per kind of problem.
const MAX_LISTED_PATHS: usize = 5;

/// The maximum number of tools that one warning names.
const MAX_LISTED_TOOLS: usize = 10;

/// The warnings about the tools of a server.
#[derive(Debug, Default)]
pub(crate) struct ToolWarnings {
    problems: Vec<Problem>,
    /// The tools with integers that JavaScript may change.
    with_wide_integers: Vec<String>,
}

impl ToolWarnings {
    /// Checks a tool in its published form.
    pub(crate) fn check_tool(&mut self, name: &str, location: Location, schema: &Value) {
        let mut problems = ProblemList::for_component("tool", name, location);
        let wide_integers = lint_tool(name, schema, &mut problems);
        self.problems.extend(problems.into_problems());
        if !wide_integers.is_empty() {
            self.with_wide_integers.push(format!("`{name}` ({})", list_paths(&wide_integers)));
        }
    }

    /// Reports a tool whose floats cannot be read, because serde buffers them in another form.
    pub(crate) fn report_buffered_floats(&mut self, name: &str, location: Location) {
        let text = "it rejects floats inside enums and flattened types, because a crate of this program enables the feature `arbitrary_precision` of serde_json";
        let fix = "find it with `cargo tree -e features -i serde_json`";
        self.problems.push(Problem::new(format!("tool `{name}`"), text, fix).at(location.to_string()));
    }

    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        if !self.with_wide_integers.is_empty() {
            let more = self.with_wide_integers.len().saturating_sub(MAX_LISTED_TOOLS);
            self.with_wide_integers.truncate(MAX_LISTED_TOOLS);
            let more = if more > 0 { format!(" and {}", counted(more, "more tool")) } else { String::new() };
            let subject = format!("the arguments of {}{more}", self.with_wide_integers.join(", "));
            let fix = "set `min` and `max`, or use `i32`, `u32` or `String`";
            let text = "clients in JavaScript round integers beyond ±(2^53 − 1)";
            self.problems.push(Problem::new(subject, text, fix));
        }
        self.problems
    }
}

/// Reports the parts of a tool that some vendors reject, and returns the paths of integers that JavaScript may change.
fn lint_tool(name: &str, schema: &Value, problems: &mut ProblemList) -> Vec<String> {
    if let Some((text, fix)) = find_name_problem(name) {
        problems.add(format!("the name {text}"), fix);
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if schema.get(keyword).is_some() {
            problems.add(
                format!("the input schema has `{keyword}` at the top level, which some vendors reject"),
                "use one object, and put the alternatives into a property",
            );
        }
    }
    let mut linter = Linter::default();
    linter.lint_schema(schema, "");
    linter.report(problems)
}

#[derive(Default)]
struct Linter {
    wide_integers: Vec<String>,
    names: Vec<(String, &'static str)>,
    anything: Vec<String>,
    lists: Vec<String>,
}

impl Linter {
    fn lint_schema(&mut self, schema: &Value, path: &str) {
        let Value::Object(keywords) = schema else {
            if *schema == Value::Bool(true) {
                self.anything.push(path.to_owned());
            }
            return;
        };
        if has_type(keywords, "array") && !keywords.contains_key("items") {
            self.lists.push(path.to_owned());
        }
        let bound = |keyword: &str, exclusive: &str| {
            let value = keywords.get(keyword).or_else(|| keywords.get(exclusive)).and_then(Value::as_f64);
            value.is_some_and(|value| value.abs() <= MAX_INTEGER)
        };
        let is_bounded = bound("minimum", "exclusiveMinimum") && bound("maximum", "exclusiveMaximum");
        if has_type(keywords, "integer") && !is_bounded && !keywords.contains_key("enum") {
            self.wide_integers.push(path.to_owned());
        }
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    for (name, property) in properties {
                        let path = format!("{path}/{name}");
                        if let Some((text, fix)) = find_name_problem(name) {
                            self.names.push((format!("`{path}` {text}"), fix));
                        }
                        self.lint_schema(property, &path);
                    }
                }
                ("$defs" | "definitions" | "patternProperties", Value::Object(schemas)) => {
                    schemas.iter().for_each(|(name, schema)| self.lint_schema(schema, &format!("{path}/{name}")));
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                    schemas.iter().for_each(|schema| self.lint_schema(schema, path));
                }
                ("items" | "not", schema) => self.lint_schema(schema, path),
                // Members of any name.
                ("additionalProperties", schema @ Value::Object(_)) => self.lint_schema(schema, &format!("{path}/*")),
                _ => {}
            }
        }
    }

    fn report(mut self, problems: &mut ProblemList) -> Vec<String> {
        self.names.into_iter().take(MAX_LISTED_PATHS).for_each(|(text, fix)| problems.add(text, fix));
        if !self.anything.is_empty() {
            let paths = list_paths(&self.anything);
            let text = format!("{paths}: some vendors reject the schema `true`");
            problems.add(text, "write `{}`, or a more precise schema");
        }
        if !self.lists.is_empty() {
            let paths = list_paths(&self.lists);
            let text = format!("{paths}: some vendors reject a list without `items`");
            problems.add(text, "add them");
        }
        self.wide_integers.dedup();
        self.wide_integers
    }
}

/// Formats paths for a message.
fn list_paths(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(MAX_LISTED_PATHS).map(|path| format!("`{path}`")).collect();
    let more =
        if paths.len() > shown.len() { format!(" and {} more", paths.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Returns the text and the fix of the problem in the name of a tool or an argument.
fn find_name_problem(name: &str) -> Option<(String, &'static str)> {
    let length = name.chars().count();
    if length > MAX_NAME {
        return Some((format!("has {length} characters, and some vendors accept at most {MAX_NAME}"), "shorten it"));
    }
    (name.is_empty() || !name.chars().all(is_name_character)).then(|| {
        let text = "has characters other than ASCII letters, digits, `_`, `-` and `.`, which some vendors reject";
        (text.to_owned(), "rename it")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_that_vendors_refuse_are_found_with_their_location() {
        let schema = json!({
            "type": "object",
            "anyOf": [{"required": ["a"]}],
            "properties": {
                "a": true,
                "$b": {"type": "array"},
                "c": {"type": "object", "properties": {"d": {"type": "array", "items": true}}},
                "e": {"type": "integer", "minimum": 0},
                "f": {"type": "integer", "minimum": 0, "maximum": 255},
                "g": {"type": "array", "items": {"type": ["integer", "null"]}},
                "h": {"type": "object", "additionalProperties": {"type": "integer"}}
            }
        });
        let mut problems = ProblemList::new("tool `x`");
        let wide_integers = lint_tool("x", &schema, &mut problems);
        assert_eq!(problems.texts().len(), 4);
        let problems = problems.texts().join("\n");
        for part in [
            "`anyOf` at the top",
            "`/$b` has characters",
            "`/a`, `/c/d`: some vendors reject the schema `true`",
            "`/$b`: some vendors reject a list",
        ] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
        assert_eq!(wide_integers, ["/e", "/g", "/h/*"]);
        for (name, count) in [("x".repeat(65), 1), ("a.b-c_D".to_owned(), 0)] {
            let mut problems = ProblemList::new("tool");
            lint_tool(&name, &json!({"type": "object"}), &mut problems);
            assert_eq!(problems.texts().len(), count, "{name}");
        }
    }
}
