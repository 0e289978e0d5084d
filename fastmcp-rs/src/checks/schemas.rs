//! Checks hand-written schemas for mistakes.
//!
//! A validator accepts everything where it finds nothing to check: a dangling reference or an unknown type would
//! silently leave arguments unchecked. So such mistakes are reported to the author at once. Keywords of older drafts
//! and of other vendors are ignored.

use regex_lite::Regex;
use serde_json::Value;

use super::mirrors;
use super::problem::{Problem, ProblemList};
use crate::schema::reference::resolve_reference;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
/// The deepest allowed nesting of a schema. Many clients stop reading at 128 levels, and the list of tools around the
/// schema adds some.
const MAX_DEPTH: usize = 100;
/// The most problems that are reported.
const MAX_PROBLEMS: usize = 20;

/// Findings of a check that are not mistakes.
#[derive(Debug, Default)]
pub(crate) struct SchemaFindings {
    /// Patterns that may be valid but cannot be checked here.
    pub(crate) patterns: Vec<String>,
    /// True if the schema is nested too deeply to be walked.
    pub(crate) is_too_deep: bool,
}

/// Checks the input schema of a tool.
pub(crate) fn check_input_schema(schema: &Value, problems: &mut ProblemList) -> SchemaFindings {
    if schema.get("type") != Some(&Value::from("object")) {
        let found = match schema {
            Value::Object(members) => match members.get("type") {
                Some(other) => format!("its `type` is {other}"),
                None => "it has no `type`".into(),
            },
            _ => "it is not an object".into(),
        };
        problems.add(
            format!("the input schema must be an object with `\"type\": \"object\"`, but {found}"),
            "for a tool without arguments, write `{\"type\": \"object\", \"properties\": {}}`",
        );
        return SchemaFindings::default();
    }
    let found = check_schema(schema, "input", problems);
    if !found.is_too_deep {
        mirrors::check_marks(schema, problems);
    }
    found
}

/// Checks the output schema of a tool.
pub(crate) fn check_output_schema(schema: &Value, problems: &mut ProblemList) -> SchemaFindings {
    if schema.is_object() {
        return check_schema(schema, "output", problems);
    }
    problems.add("the output schema must be a JSON object", "write one, as in `{\"type\": \"object\"}`");
    SchemaFindings::default()
}

/// Reports a schema that the complete validator does not accept; `which` is "input" or "output".
pub(crate) fn report_uncheckable(which: &str, error: &str, problems: &mut ProblemList) {
    problems.add(format!("the {which} schema is not a valid JSON Schema: {error}"), "correct the schema");
}

/// Checks a whole schema; `which` names it in messages, such as "input".
fn check_schema(schema: &Value, which: &str, problems: &mut ProblemList) -> SchemaFindings {
    if depth_exceeds(schema, MAX_DEPTH) {
        problems.add(
            format!("the {which} schema is nested more than {MAX_DEPTH} levels deep, which clients do not read"),
            "move parts of it into `$defs`",
        );
        return SchemaFindings { is_too_deep: true, ..SchemaFindings::default() };
    }
    let mut checker = SchemaChecker { root: schema, which, problems, left: MAX_PROBLEMS, patterns: Vec::new() };
    checker.check_subschema(schema, "");
    SchemaFindings { patterns: checker.patterns, is_too_deep: false }
}

/// Returns true if a value is nested deeper than `limit`. It does not recurse, because the stack could overflow.
fn depth_exceeds(value: &Value, limit: usize) -> bool {
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > limit {
            return true;
        }
        match value {
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    false
}

/// The warning about a pattern that needs the feature `schema-validation`.
pub(crate) fn unchecked_pattern(tool: &str, which: &str, pattern: &str) -> Problem {
    let text = format!("the pattern `{pattern}` of its {which} schema cannot be checked, so every text passes");
    Problem::new(format!("tool `{tool}`"), text, "enable the feature `schema-validation`, or write a simpler pattern")
}

struct SchemaChecker<'a> {
    root: &'a Value,
    which: &'a str,
    problems: &'a mut ProblemList,
    /// The number of problems that may still be reported.
    left: usize,
    patterns: Vec<String>,
}

impl SchemaChecker<'_> {
    fn add_problem(&mut self, keyword: &str, path: &str, text: &str, fix: &str) {
        let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
        self.report(format!("`{keyword}`{at} of the {} schema {text}", self.which), fix);
    }

    fn report(&mut self, text: String, fix: &str) {
        if self.left > 0 {
            self.left -= 1;
            self.problems.add(text, fix.to_owned());
        }
    }

    fn check_subschema(&mut self, schema: &Value, path: &str) {
        let keywords = match schema {
            Value::Bool(_) => return,
            Value::Object(keywords) => keywords,
            other => {
                let text = format!("`{path}` of the {} schema must be a schema, not {other}", self.which);
                return self.report(text, "write an object or a bool");
            }
        };
        // References in a schema with its own `$id` are relative to that.
        if !path.is_empty() && keywords.contains_key("$id") {
            return;
        }
        for (keyword, value) in keywords {
            let inner = format!("{path}/{}", keyword.replace('~', "~0").replace('/', "~1"));
            match keyword.as_str() {
                "$ref" => self.check_reference(value, path),
                "type" => self.check_types(value, path),
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => match value {
                    Value::Object(schemas) => {
                        for (name, schema) in schemas {
                            let name = name.replace('~', "~0").replace('/', "~1");
                            self.check_subschema(schema, &format!("{inner}/{name}"));
                        }
                    }
                    _ => self.add_problem(keyword, path, "must be an object", "write one that maps names to schemas"),
                },
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => match value {
                    Value::Array(schemas) => {
                        for (index, schema) in schemas.iter().enumerate() {
                            self.check_subschema(schema, &format!("{inner}/{index}"));
                        }
                    }
                    _ => self.add_problem(keyword, path, "must be a list of schemas", "write one"),
                },
                // In older drafts a list of schemas in `items` has the meaning of `prefixItems`.
                "items" if value.is_array() => {}
                "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
                    self.check_subschema(value, &inner);
                }
                "required" if !value.as_array().is_some_and(|names| names.iter().all(Value::is_string)) => {
                    self.add_problem(keyword, path, "must be a list of names", "write one");
                }
                "enum" if !value.is_array() => self.add_problem(keyword, path, "must be a list of values", "write one"),
                "pattern" => match value {
                    Value::String(pattern) if Regex::new(pattern).is_ok() => {}
                    Value::String(pattern) => self.patterns.push(pattern.clone()),
                    _ => self.add_problem(keyword, path, "must be a string with a regular expression", "write one"),
                },
                "minimum" | "maximum" | "multipleOf" | "minLength" | "maxLength" | "minItems" | "maxItems"
                | "minProperties" | "maxProperties"
                    if !value.is_number() =>
                {
                    self.add_problem(keyword, path, &format!("must be a number, not {value}"), "write one");
                }
                _ => {}
            }
        }
    }

    fn check_reference(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(to) if to.starts_with('#') && resolve_reference(self.root, to).is_none() => {
                self.add_problem(
                    "$ref",
                    path,
                    &format!("refers to `{to}`, which does not exist"),
                    "correct it, or add the definition",
                );
            }
            // External references are not checked.
            Value::String(_) => {}
            other => self.add_problem("$ref", path, &format!("must be a string, not {other}"), "write one"),
        }
    }

    fn check_types(&mut self, value: &Value, path: &str) {
        let is_type = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
        let fits = match value {
            Value::Array(names) => !names.is_empty() && names.iter().all(is_type),
            only => is_type(only),
        };
        if !fits {
            let fix = format!("write one of {}, or a list of them", TYPES.join(", "));
            self.add_problem("type", path, &format!("must be a type, not {value}"), &fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: Value) -> Vec<String> {
        let mut problems = ProblemList::new("tool `x`");
        check_schema(&schema, "input", &mut problems);
        problems.texts()
    }

    #[test]
    fn schemas_that_would_leave_arguments_unchecked_are_reported() {
        let report = problems(json!({
            "type": "object",
            "properties": {
                "a": {"$ref": "#/$defs/Nope"},
                "b": {"type": "strin"},
                "c": 5,
                "d": {"anyOf": [{"type": ["string", 3]}]},
                "e": {"items": {"minimum": "5"}},
                "f": {"enum": "a", "pattern": 1},
                "g/h": {"required": "x", "properties": []}
            }
        }));
        assert_eq!(
            report,
            [
                "`$ref` at `/properties/a` of the input schema refers to `#/$defs/Nope`, which does not exist",
                "`type` at `/properties/b` of the input schema must be a type, not \"strin\"",
                "`/properties/c` of the input schema must be a schema, not 5",
                "`type` at `/properties/d/anyOf/0` of the input schema must be a type, not [\"string\",3]",
                "`minimum` at `/properties/e/items` of the input schema must be a number, not \"5\"",
                "`enum` at `/properties/f` of the input schema must be a list of values",
                "`pattern` at `/properties/f` of the input schema must be a string with a regular expression",
                "`required` at `/properties/g~1h` of the input schema must be a list of names",
                "`properties` at `/properties/g~1h` of the input schema must be an object",
            ]
        );
    }

    #[test]
    fn schemas_of_other_frameworks_pass() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": "https://example.com/root.json",
            "type": ["object", "null"],
            "definitions": {"My Type": {"$anchor": "mine", "exclusiveMinimum": true}},
            "properties": {
                "a": {"$ref": "#/definitions/My%20Type"},
                "b": {"$ref": "#mine"},
                "c": {"$ref": "https://example.com/elsewhere.json"},
                "d": {"$ref": "#"},
                "e": {"items": [{"type": "string"}], "const": {"type": 1}, "default": {"$ref": "#nowhere"}},
                "f": {"$id": "inner.json", "$ref": "#/own"},
                "g": {"enum": [{"type": "x"}], "x-mine": {"type": 5}},
                "h": true
            },
            "additionalProperties": false
        });
        assert_eq!(problems(schema), [""; 0]);
        let mut problems = ProblemList::new("tool `x`");
        let schema = json!({"properties": {"a": {"pattern": "^(?=x)"}, "b": {"pattern": "^x"}}});
        assert_eq!(check_schema(&schema, "input", &mut problems).patterns, ["^(?=x)"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn a_schema_that_is_too_deep_is_not_traversed() {
        let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "not": inner }));
        assert!(problems(nested(99)).is_empty());
        let mut problems = ProblemList::new("tool `x`");
        assert!(check_schema(&nested(1_000), "input", &mut problems).is_too_deep);
        assert!(problems.texts()[0].contains("more than 100 levels"));
    }
}
