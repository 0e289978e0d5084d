//! Finds parts of a valid tool that the clients or models of some vendors reject or change.
//!
//! A vendor that rejects one tool rejects every request of a session, so the author is warned at start.

use serde_json::{Map, Value};

/// The longest name of a tool or an argument that every vendor accepts.
const MAX_NAME: usize = 64;
/// The largest integer that JavaScript represents exactly: 2^53 − 1.
const MAX_INTEGER: f64 = 9_007_199_254_740_991.0;
/// The most places that are reported per kind of problem.
const MAX_TOLD: usize = 5;

/// The findings in a tool's names and input schema.
#[derive(Debug, Default)]
pub(crate) struct LintReport {
    /// The problems, each with its place.
    pub(crate) problems: Vec<String>,
    /// The paths of integers that JavaScript may change.
    pub(crate) wide_integers: Vec<String>,
}

/// Checks a tool in its published form.
pub(crate) fn lint_tool(name: &str, schema: &Value) -> LintReport {
    let mut linter = Linter::default();
    if let Some(problem) = name_problem(name) {
        linter.report.problems.push(format!("the name {problem}"));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if schema.get(keyword).is_some() {
            let text = format!(
                "the input schema has `{keyword}` at the top level, which some vendors reject: use one object, and put \
                 the alternatives into a property"
            );
            linter.report.problems.push(text);
        }
    }
    linter.lint_schema(schema, "");
    linter.into_report()
}

#[derive(Default)]
struct Linter {
    report: LintReport,
    names: Vec<String>,
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
        if is_type(keywords, "array") && !keywords.contains_key("items") {
            self.lists.push(path.to_owned());
        }
        let bound = |keyword: &str, exclusive: &str| {
            let value = keywords.get(keyword).or_else(|| keywords.get(exclusive)).and_then(Value::as_f64);
            value.is_some_and(|value| value.abs() <= MAX_INTEGER)
        };
        let is_bounded = bound("minimum", "exclusiveMinimum") && bound("maximum", "exclusiveMaximum");
        if is_type(keywords, "integer") && !is_bounded && !keywords.contains_key("enum") {
            self.report.wide_integers.push(path.to_owned());
        }
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    for (name, property) in properties {
                        let path = format!("{path}/{name}");
                        if let Some(problem) = name_problem(name) {
                            self.names.push(format!("`{path}` {problem}"));
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

    fn into_report(mut self) -> LintReport {
        let report = &mut self.report;
        report.problems.extend(self.names.into_iter().take(MAX_TOLD));
        if !self.anything.is_empty() {
            let paths = list_paths(&self.anything);
            let text =
                format!("{paths}: some vendors reject the schema `true`: write `{{}}`, or a more precise schema");
            report.problems.push(text);
        }
        if !self.lists.is_empty() {
            let paths = list_paths(&self.lists);
            let text = format!("{paths}: some vendors reject a list without `items`: add them");
            report.problems.push(text);
        }
        report.wide_integers.dedup();
        self.report
    }
}

/// Formats paths for a message.
pub(crate) fn list_paths(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(MAX_TOLD).map(|path| format!("`{path}`")).collect();
    let more =
        if paths.len() > shown.len() { format!(" and {} more", paths.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn name_problem(name: &str) -> Option<String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let length = name.chars().count();
    if length > MAX_NAME {
        return Some(format!("has {length} characters, and some vendors accept at most {MAX_NAME}: shorten it"));
    }
    (name.is_empty() || !name.bytes().all(is_part)).then(|| {
        "has characters other than ASCII letters, digits, `_`, `-` and `.`, which some vendors reject: rename it"
            .to_owned()
    })
}

fn is_type(keywords: &Map<String, Value>, name: &str) -> bool {
    match keywords.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|other| other == name),
        _ => false,
    }
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
        let report = lint_tool("x", &schema);
        let problems = report.problems.join("\n");
        assert_eq!(report.problems.len(), 4, "{problems}");
        for part in [
            "`anyOf` at the top",
            "`/$b` has characters",
            "`/a`, `/c/d`: some vendors reject the schema `true`",
            "`/$b`: some vendors reject a list",
        ] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
        assert_eq!(report.wide_integers, ["/e", "/g", "/h/*"]);
        assert_eq!(lint_tool(&"x".repeat(65), &json!({"type": "object"})).problems.len(), 1);
        assert!(lint_tool("a.b-c_D", &json!({"type": "object"})).problems.is_empty());
    }
}
