//! Compares rejected arguments with the published schema.
//!
//! It reports every problem at once, each with its place, the expected and the actual value, so that a model can
//! correct all of them in its next call. It also corrects values whose meaning is clear: an integer written as `1.0`,
//! and a number, a list or an object inside of a string, which some models send.
//!
//! It supports the keywords of generated schemas, and a few that are common in hand-written ones; other keywords are
//! ignored. Tools created at run time are checked by it alone. A valid call of a generated tool never comes here.

mod alternatives;
mod describe;
mod object;

use std::fmt::Write as _;

pub(crate) use describe::{describe_expected, excerpt};
use describe::{find_format, list_allowed};
use serde_json::{Map, Value};

use super::constraints::{check_length, check_range, check_text};
use super::format;
use super::number::{Number, parse_number};
use super::reference::resolve_reference;
use super::suggest::find_nearest;

/// The most problems that are reported; a model does not correct more at a time.
const MAX_PROBLEMS: usize = 20;
/// The longest chain of references without data between them. A recursive schema ends where the data ends.
const MAX_REFERENCES: usize = 32;
/// The most values that are visited. Alternatives multiply, because each may visit a value again at each level, and
/// other calls wait meanwhile.
const MAX_STEPS: usize = 100_000;
/// The most values that are visited in a result, which is the author's own.
const MAX_OWN_STEPS: usize = 10_000_000;

/// The problem of one value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValueProblem {
    /// A JSON pointer.
    path: String,
    text: String,
    /// True if the problem is a member that the schema does not have.
    pub(crate) is_unknown_member: bool,
}

impl ValueProblem {
    /// Returns the problem without its path.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for ValueProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`: {}", if self.path.is_empty() { "/" } else { &self.path }, self.text)
    }
}

/// The result of a walk.
#[derive(Debug, Default)]
pub(crate) struct ValidationReport {
    pub(crate) problems: Vec<ValueProblem>,
    /// True if the value was corrected.
    pub(crate) is_coerced: bool,
    /// True if the value was too large to be visited completely.
    pub(crate) is_incomplete: bool,
}

/// Checks `value` against `schema`, and corrects it. With `lenient`, JSON inside of strings is unwrapped.
pub(crate) fn validate_and_coerce(schema: &Value, value: &mut Value, lenient: bool) -> ValidationReport {
    let strictness = if lenient { Strictness::Lenient } else { Strictness::Plain };
    Validator::new(schema, strictness, MAX_STEPS).run(schema, value)
}

/// Explains why a type has rejected arguments, and corrects them. Formats are checked too, because the type checks
/// them. With `empty_is_nothing`, an empty text counts as absent where it is not a valid value.
pub(crate) fn explain_refusal(
    schema: &Value,
    value: &mut Value,
    lenient: bool,
    empty_is_nothing: bool,
) -> ValidationReport {
    let strictness = if lenient { Strictness::Lenient } else { Strictness::Plain };
    let mut validator = Validator::new(schema, strictness, MAX_STEPS);
    validator.has_types = true;
    validator.empty_is_nothing = empty_is_nothing;
    validator.run(schema, value)
}

/// Removes an optional argument whose value is the empty text. Returns whether it did.
pub(crate) fn leave_out_empty(schema: &Value, value: &mut Value, argument: Option<&str>) -> bool {
    let (Some(name), Some(members)) = (argument, value.as_object_mut()) else { return false };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = required.is_some_and(|names| names.iter().any(|required| required == name));
    if is_required || members.get(name) != Some(&Value::from("")) {
        return false;
    }
    members.remove(name).is_some()
}

/// Checks `value` against `schema` exactly as a recipient would: `null` is a value like any other.
pub(crate) fn check_value(schema: &Value, value: &Value) -> ValidationReport {
    Validator::new(schema, Strictness::Exact, MAX_OWN_STEPS).run(schema, &mut value.clone())
}

/// The interpretation of values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// JSON inside of strings is unwrapped, and `null` counts as absent where it is not a valid value.
    Lenient,
    /// `null` counts as absent where it is not a valid value.
    Plain,
    /// Each value is taken as it is.
    Exact,
}

impl<'a> Validator<'a> {
    fn new(root: &'a Value, strictness: Strictness, steps: usize) -> Validator<'a> {
        Validator {
            root,
            strictness,
            report: ValidationReport::default(),
            path: String::new(),
            references: 0,
            steps,
            has_types: false,
            empty_is_nothing: false,
        }
    }

    fn run(mut self, schema: &'a Value, value: &mut Value) -> ValidationReport {
        self.validate_value(schema, value);
        if self.steps == 0 {
            // The unvisited part may be invalid, so the corrected value must not be used for a call.
            self.report.is_coerced = false;
            self.report.is_incomplete = true;
        }
        self.report
    }
}

struct Validator<'a> {
    root: &'a Value,
    strictness: Strictness,
    report: ValidationReport,
    path: String,
    references: usize,
    /// The number of values that may still be visited.
    steps: usize,
    /// True if the schema belongs to types, which check formats, and false if it is hand-written.
    has_types: bool,
    empty_is_nothing: bool,
}

impl<'a> Validator<'a> {
    fn add_problem(&mut self, text: impl Into<String>) {
        if self.report.problems.len() < MAX_PROBLEMS {
            let (path, text) = (self.path.clone(), text.into());
            self.report.problems.push(ValueProblem { path, text, is_unknown_member: false });
        }
    }

    /// Returns another walker at the same place, whose findings can be discarded.
    fn fork(&self) -> Validator<'a> {
        Validator { report: ValidationReport::default(), path: self.path.clone(), ..*self }
    }

    /// Runs `work` with the path of the member `key`.
    fn at_member(&mut self, key: &str, work: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        work(self);
        self.path.truncate(length);
    }

    fn validate_value(&mut self, schema: &'a Value, value: &mut Value) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            return;
        }
        let Some(keywords) = schema.as_object() else {
            if *schema == Value::Bool(false) {
                self.add_problem(format!("no value is allowed here, got {}", excerpt(value)));
            }
            return;
        };
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve_reference(name))
        {
            if self.references < MAX_REFERENCES {
                self.references += 1;
                self.validate_value(target, value);
                self.references -= 1;
            }
        }
        if let Some(Value::Array(parts)) = keywords.get("allOf") {
            parts.iter().for_each(|part| self.validate_value(part, value));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = keywords.get(keyword) {
                self.validate_alternatives(branches, value);
            }
        }
        if let Some(allowed) = keywords.get("const") {
            if !is_equal(allowed, value) {
                self.add_problem(format!("expected {allowed}, got {}", excerpt(value)));
                return;
            }
        }
        if let Some(Value::Array(allowed)) = keywords.get("enum") {
            if !allowed.iter().any(|candidate| is_equal(candidate, value)) {
                self.report_unlisted(allowed, value);
                return;
            }
        }
        if !self.check_type(keywords, value) {
            return;
        }
        let references = std::mem::take(&mut self.references);
        match value {
            Value::Number(_) => self.validate_number(keywords, value),
            Value::String(text) if self.has_other_format(keywords, text) => {
                self.add_problem(format!("expected {}, got {}", describe_expected(keywords), excerpt(value)));
            }
            Value::String(text) => {
                let (min, max) = (parse_limit(keywords, "minLength"), parse_limit(keywords, "maxLength"));
                let pattern = keywords.get("pattern").and_then(Value::as_str);
                if let Err(problem) = check_text(text, min, max, pattern) {
                    self.add_problem(format!("{problem}; got {}", excerpt(value)));
                }
            }
            Value::Array(items) => self.validate_array(keywords, items),
            Value::Object(members) => self.validate_object(keywords, members),
            Value::Null | Value::Bool(_) => {}
        }
        self.references = references;
    }

    fn resolve_reference(&self, reference: &str) -> Option<&'a Value> {
        resolve_reference(self.root, reference)
    }

    /// Returns true if `null` may be a value of this schema.
    fn allows_null(&self, schema: &Value, references: usize) -> bool {
        let Some(keywords) = schema.as_object() else { return *schema != Value::Bool(false) };
        let is_null_type = |name: &Value| name == "null";
        let any = |branches: &Value| {
            branches
                .as_array()
                .is_none_or(|branches| branches.iter().any(|branch| self.allows_null(branch, references)))
        };
        keywords.iter().all(|(keyword, value)| match (keyword.as_str(), value) {
            ("type", Value::String(_)) => is_null_type(value),
            ("type", Value::Array(names)) => names.iter().any(is_null_type),
            ("enum", Value::Array(values)) => values.iter().any(Value::is_null),
            ("const", only) => only.is_null(),
            ("anyOf" | "oneOf", branches) => any(branches),
            ("allOf", Value::Array(parts)) => parts.iter().all(|part| self.allows_null(part, references)),
            ("$ref", Value::String(name)) if references > 0 => {
                self.resolve_reference(name).is_none_or(|target| self.allows_null(target, references - 1))
            }
            _ => true,
        })
    }

    /// Checks the JSON type, and corrects a value of another type if its meaning is clear.
    fn check_type(&mut self, keywords: &'a Map<String, Value>, value: &mut Value) -> bool {
        let types: Vec<&str> = match keywords.get("type") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        if types.iter().any(|name| is_type(name, value)) {
            return true;
        }
        if value.is_number() && keywords.get(format::UNPUBLISHED).is_some_and(|format| format == "decimal") {
            return true;
        }
        if coerce_integer(&types, value) {
            self.report.is_coerced = true;
            return true;
        }
        if let (Strictness::Lenient, Value::String(text)) = (self.strictness, &*value) {
            let inside = serde_json::from_str::<Value>(text.trim()).ok().filter(|inside| !inside.is_string());
            if let Some(mut inside) = inside {
                if types.iter().any(|name| is_type(name, &inside)) || coerce_integer(&types, &mut inside) {
                    *value = inside;
                    self.report.is_coerced = true;
                    return true;
                }
            }
        }
        self.add_problem(format!("expected {}, got {}", describe_expected(keywords), excerpt(value)));
        false
    }

    /// Returns true if a text cannot have the format that its type reads.
    fn has_other_format(&self, keywords: &Map<String, Value>, text: &str) -> bool {
        self.has_types
            && find_format(keywords).is_some_and(|format| match format {
                "decimal" => text.trim().parse::<f64>().is_err(),
                format => !format::may_match(format, text),
            })
    }

    fn validate_number(&mut self, keywords: &'a Map<String, Value>, value: &Value) {
        let bound = |keyword| keywords.get(keyword).and_then(parse_number);
        let Some(number) = parse_number(value) else { return };
        if check_range(number, bound("minimum"), bound("maximum")).is_err() {
            self.add_problem(format!("expected {}, got {value}", describe_expected(keywords)));
        }
        // Only hand-written schemas have these keywords.
        if let Some(low) = bound("exclusiveMinimum").filter(|low| number.cmp_to(*low).is_le()) {
            self.add_problem(format!("expected a number greater than {low}, got {value}"));
        }
        if let Some(high) = bound("exclusiveMaximum").filter(|high| number.cmp_to(*high).is_ge()) {
            self.add_problem(format!("expected a number less than {high}, got {value}"));
        }
        let float = |value: &Value| value.as_f64().unwrap_or_default();
        if let Some(step) = keywords.get("multipleOf").filter(|step| float(step) > 0.0) {
            let fits = match (number, parse_number(step)) {
                (Number::Integer(number), Some(Number::Integer(step))) => number % step == 0,
                _ => {
                    let times = float(value) / float(step);
                    // Decimal fractions such as 0.1 have no exact representation, so a small difference is accepted.
                    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
                }
            };
            if !fits {
                self.add_problem(format!("expected a multiple of {step}, got {value}"));
            }
        }
    }

    fn validate_array(&mut self, keywords: &'a Map<String, Value>, items: &mut [Value]) {
        let (min, max) = (parse_limit(keywords, "minItems"), parse_limit(keywords, "maxItems"));
        if let Err(problem) = check_length(items.len() as u64, min, max, "item") {
            self.add_problem(problem);
        }
        let first = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter_mut().enumerate() {
            if let Some(schema) = first.get(at).or_else(|| keywords.get("items")) {
                self.at_member(&at.to_string(), |validator| validator.validate_value(schema, item));
            }
        }
    }

    fn report_unlisted(&mut self, allowed: &[Value], value: &Value) {
        let mut text = format!("expected {}, got {}", list_allowed(allowed), excerpt(value));
        if let Some(meant) =
            value.as_str().and_then(|given| find_nearest(given, allowed.iter().filter_map(Value::as_str)))
        {
            let _ = write!(text, "; did you mean \"{meant}\"?");
        }
        self.add_problem(text);
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Converts a float without a fraction to an integer. `1.0` is an integer in JSON Schema, but not in serde.
fn coerce_integer(types: &[&str], value: &mut Value) -> bool {
    let Some(float) = value.as_f64().filter(|float| types.contains(&"integer") && float.fract() == 0.0) else {
        return false;
    };
    // Beyond 2^53 a float does not identify one integer.
    if float.abs() > 9_007_199_254_740_992.0 {
        return false;
    }
    *value = Value::from(float as i64);
    true
}

/// Compares values as JSON Schema does: 1 and 1.0 are equal.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => match (parse_number(one), parse_number(other)) {
            (Some(one), Some(other)) => one.cmp_to(other).is_eq(),
            _ => one == other,
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_equal(one, other)))
        }
        _ => one == other,
    }
}

/// Reads a limit, which may be written as a float: `3.0`.
fn parse_limit(keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
    let limit = keywords.get(keyword)?;
    limit
        .as_u64()
        .or_else(|| limit.as_f64().filter(|limit| *limit >= 0.0 && limit.fract() == 0.0).map(|limit| limit as u64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "status": {"type": "string", "enum": ["SHIPPED", "PROCESSING"]},
                "limit": {"type": "integer", "minimum": 1, "maximum": 10},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                "item": {"$ref": "#/$defs/Item"},
                "code": {"type": "string", "pattern": "^A"}
            },
            "required": ["status"],
            "additionalProperties": false,
            "$defs": {"Item": {
                "type": "object",
                "properties": {"n": {"type": "number"}, "sub": {"$ref": "#/$defs/Item"}},
                "required": ["n"]
            }}
        })
    }

    fn told(mut value: Value, lenient: bool) -> Vec<String> {
        validate_and_coerce(&schema(), &mut value, lenient).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let value = json!({
            "status": "shiped", "limit": "ten", "tags": ["ok", "long", 3],
            "item": {"n": 1, "sub": {"n": "x"}}, "code": "B", "stauts": 1
        });
        assert_eq!(
            told(value, true),
            [
                r#"`/status`: expected one of "SHIPPED", "PROCESSING", got the string "shiped"; did you mean "SHIPPED"?"#,
                r#"`/limit`: expected an integer from 1 to 10, got the string "ten""#,
                r#"`/tags/1`: must have at most 3 characters, not 4; got the string "long""#,
                r#"`/tags/2`: expected a string of at most 3 characters, got 3"#,
                r#"`/item/sub/n`: expected a number, got the string "x""#,
                r#"`/code`: must match the pattern `^A`; got the string "B""#,
                r#"`/stauts`: unknown argument; valid ones are `status`, `limit`, `tags`, `item`, `code`"#,
            ]
        );
        assert_eq!(
            told(json!({"stats": "SHIPPED"}), true),
            [
                r#"`/status`: missing; expected one of "SHIPPED", "PROCESSING""#,
                r#"`/stats`: unknown argument; did you mean `status`?"#,
            ]
        );
    }

    #[test]
    fn json_inside_strings_is_parsed() {
        let mut value = json!({"status": "SHIPPED", "limit": " 3 ", "tags": "[\"a\"]", "item": "{\"n\": \"1.5\"}"});
        assert_eq!(validate_and_coerce(&schema(), &mut value.clone(), false).problems.len(), 3);
        assert!(validate_and_coerce(&schema(), &mut value, true).problems.is_empty());
        assert_eq!(value, json!({"status": "SHIPPED", "limit": 3, "tags": ["a"], "item": {"n": 1.5}}));
    }

    #[test]
    fn whole_floats_become_integers_and_null_becomes_absent() {
        let mut value = json!({"status": "SHIPPED", "limit": 3.0, "tags": null});
        assert!(validate_and_coerce(&schema(), &mut value, false).problems.is_empty());
        assert_eq!(value["limit"], json!(3));
        assert!(value["limit"].is_i64());
        assert_eq!(told(json!({"status": null}), true).len(), 1);
        assert_eq!(told(json!({"status": "SHIPPED", "limit": 3.5}), true).len(), 1);
    }

    #[test]
    fn the_alternative_with_the_matching_tag_is_explained() {
        let schema = json!({"oneOf": [
            {"type": "object", "properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["kind", "number"]},
            {"type": "object", "properties": {"kind": {"const": "cash"}}, "required": ["kind"]}
        ]});
        let problems = validate_and_coerce(&schema, &mut json!({"kind": "card", "number": 4}), true).problems;
        assert_eq!(problems[0].to_string(), "`/number`: expected a string, got 4");
        assert!(validate_and_coerce(&schema, &mut json!({"kind": "cash"}), true).problems.is_empty());
        let problems = validate_and_coerce(&schema, &mut json!(3), true).problems;
        assert_eq!(problems[0].to_string(), r#"`/`: expected an object whose `kind` is one of "card", "cash", got 3"#);
    }

    #[test]
    fn recursive_alternatives_are_explained_quickly_and_exactly() {
        let pair = |op: &str| json!({"type": "object", "properties": {"op": {"const": op}, "left": {"$ref": "#/$defs/E"}, "right": {"$ref": "#/$defs/E"}}, "required": ["op", "left", "right"]});
        let number = json!({"type": "object", "properties": {"op": {"const": "num"}, "value": {"type": "integer"}}, "required": ["op", "value"]});
        let schema =
            json!({"$defs": {"E": {"oneOf": [pair("add"), pair("mul"), pair("sub"), number]}}, "$ref": "#/$defs/E"});
        let mut value = json!({"op": "num", "value": "x"});
        for _ in 0..12 {
            value = json!({"op": "add", "left": {"op": "num", "value": 1}, "right": value});
        }
        let start = std::time::Instant::now();
        let problems = validate_and_coerce(&schema, &mut value, true).problems;
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().ends_with("/right/value`: expected an integer, got the string \"x\""));

        // Without tags no alternative can be skipped, and the steps run out.
        let branch =
            |_| json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a"]});
        let untagged = json!({"anyOf": (0..4).map(branch).collect::<Vec<_>>()});
        // A large value costs no more, although it is copied and described for each alternative.
        for innermost in [json!(1), json!(["x".repeat(1 << 20)])] {
            let mut value = innermost;
            for _ in 0..25 {
                value = json!({"a": value});
            }
            let start = std::time::Instant::now();
            assert!(!validate_and_coerce(&untagged, &mut value, true).is_coerced);
            assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
        }
    }

    #[test]
    fn maps_with_patterns_are_checked() {
        let schema = json!({"type": "object", "patternProperties": {"^-?[0-9]+$": {"type": "number"}}, "additionalProperties": false});
        let mut value = json!({"1": "2.0"});
        let report = validate_and_coerce(&schema, &mut value, true);
        assert!(report.problems.is_empty() && report.is_coerced);
        assert_eq!(validate_and_coerce(&schema, &mut json!({"x": 1}), true).problems.len(), 1);
    }

    #[test]
    fn custom_schemas_are_checked() {
        let schema = json!({"type": "object", "properties": {
            "n": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "multipleOf": 0.1},
            "never": false,
            "maybe": {"$ref": "#/$defs/Maybe"},
            "one": {"enum": [1, null]},
        }, "$defs": {"Maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
        let told = |value: Value| -> Vec<String> {
            validate_and_coerce(&schema, &mut value.clone(), false).problems.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(json!({"n": 0.3})), [""; 0]);
        assert_eq!(told(json!({"n": 0})), ["`/n`: expected a number greater than 0, got 0"]);
        assert_eq!(told(json!({"n": 10})), ["`/n`: expected a number less than 10, got 10"]);
        assert_eq!(told(json!({"n": 0.25})), ["`/n`: expected a multiple of 0.1, got 0.25"]);
        assert_eq!(told(json!({"never": 1})), ["`/never`: no value is allowed here, got 1"]);
        let mut value = json!({"maybe": null, "one": null, "n": null});
        assert!(validate_and_coerce(&schema, &mut value, false).problems.is_empty());
        assert_eq!(value, json!({"maybe": null, "one": null}), "only what cannot be `null` is left out");
    }

    #[test]
    fn the_walk_over_a_large_value_stops_at_its_limit() {
        let schema = json!({"type": "array", "items": {"type": "integer"}});
        assert!(!validate_and_coerce(&schema, &mut json!(vec![0; 1000]), false).is_incomplete);
        assert!(validate_and_coerce(&schema, &mut json!(vec![0; 100_000]), false).is_incomplete);
    }

    #[test]
    fn a_self_referential_schema_terminates() {
        let schema = json!({"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"});
        assert!(validate_and_coerce(&schema, &mut json!(1), true).problems.is_empty());
    }
}
