//! Parameters of a generated function: constraints that do not fit their types, defaults and examples.
//!
//! The macro cannot see types, and a constraint that does not fit is not enforced.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::problem::ProblemList;
use crate::schema::constraints::{Constraints, check_json};
use crate::schema::normalize::has_type;
use crate::schema::number::parse_number;
use crate::schema::validate::check_value;

/// Checks the constraints of a parameter against the schema in which they are published.
pub(crate) fn check_constraints(
    parameter: &str,
    constraints: &Constraints,
    property: &Map<String, Value>,
    problems: &mut ProblemList,
) {
    let Constraints { min, max, min_length, max_length, pattern } = *constraints;
    let name = |low: bool, high: bool| if low { Some("min") } else { high.then_some("max") };
    let given = GivenConstraints {
        range: name(min.is_some(), max.is_some()),
        length: name(min_length.is_some(), max_length.is_some()),
        has_pattern: pattern.is_some(),
    };
    given.check(property, &format!("parameter `{parameter}`"), problems);
    let bound = |keyword| property.get(keyword).and_then(parse_number);
    if let (Some(min), Some(max)) = (bound("minimum"), bound("maximum")) {
        if min.cmp_to(max).is_gt() {
            let text = format!("parameter `{parameter}`: its type has no value from {min} to {max}");
            problems.add(text, "widen the range, or change the type");
        }
    }
    if let Some(Err(error)) = pattern.map(Regex::new) {
        let text = format!("parameter `{parameter}`: the pattern is not a regular expression: {error}");
        problems.add(text, "correct the pattern");
    }
}

/// The kinds of constraints that a value has.
struct GivenConstraints {
    range: Option<&'static str>,
    length: Option<&'static str>,
    has_pattern: bool,
}

impl GivenConstraints {
    /// Reports the constraints that do not fit the type in the value's schema.
    fn check(&self, property: &Map<String, Value>, place: &str, problems: &mut ProblemList) {
        let mut misplaced = |option: &str, needed: &str| {
            let found = type_in_words(property);
            let text = format!("{place}: `{option}` needs {needed}, but the schema has {found}");
            problems.add(text, "remove the option, or change the type");
        };
        let untyped = !property.contains_key("type");
        let numeric = untyped || has_type(property, "integer") || has_type(property, "number");
        let textual = untyped || has_type(property, "string");
        let countable = textual || has_type(property, "array") || has_type(property, "object");
        if let Some(option) = self.range.filter(|_| !numeric) {
            misplaced(option, "a number");
        }
        if let Some(option) = self.length.filter(|_| !countable) {
            misplaced(&format!("{option}_length"), "a string, a list or a map");
        }
        if self.has_pattern && !textual {
            misplaced("pattern", "a string");
        }
    }
}

/// Returns the type that a schema has, for a message.
pub(super) fn type_in_words(property: &Map<String, Value>) -> String {
    property.get("type").map_or_else(|| "no type".into(), |types| format!("type {types}"))
}

/// Checks the constraints inside of each property of a component's input schema, such as those of a model's fields.
pub(crate) fn check_fields(input: &Value, problems: &mut ProblemList) {
    for (name, property) in input.get("properties").and_then(Value::as_object).into_iter().flatten() {
        check_inside(property, &format!("/{name}"), problems);
    }
}

fn check_inside(schema: &Value, path: &str, problems: &mut ProblemList) {
    let mut check = |schema: &Value, path: &str| {
        if let Some(members) = schema.as_object() {
            let name = |low: &str, high: &str| {
                if members.contains_key(low) { Some("min") } else { members.contains_key(high).then_some("max") }
            };
            let given = GivenConstraints {
                range: name("minimum", "maximum"),
                length: name("minLength", "maxLength"),
                has_pattern: members.contains_key("pattern"),
            };
            given.check(members, &format!("field `{path}`"), problems);
            check_field_default(members, path, problems);
        }
        check_inside(schema, path, problems);
    };
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => {
                schemas.iter().for_each(|(name, schema)| check(schema, &format!("{path}/{name}")));
            }
            ("items" | "additionalProperties", schema) => check(schema, path),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| check(schema, path));
            }
            _ => {}
        }
    }
}

/// Checks the default of a model's field against its constraints. The macro can check only some literals.
fn check_field_default(field: &Map<String, Value>, path: &str, problems: &mut ProblemList) {
    const CONSTRAINTS: [&str; 9] = [
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "pattern",
    ];
    let Some(default) = field.get("default").filter(|default| !default.is_null()) else { return };
    if !CONSTRAINTS.iter().any(|keyword| field.contains_key(*keyword)) {
        return;
    }
    // The type makes the texts of the problems precise.
    let keywords = CONSTRAINTS.iter().chain(&["type"]);
    let constraints = keywords.filter_map(|keyword| Some(((*keyword).to_owned(), field.get(*keyword)?.clone())));
    let constraints: Map<String, Value> = constraints.collect();
    for problem in check_value(&constraints.into(), default).problems {
        let text = format!("field `{path}`: the default {default} violates a constraint: {}", problem.text());
        problems.add(text, "change the default or the constraint");
    }
}

/// Checks the default and the examples of a parameter, as JSON texts, against its constraints.
pub(crate) fn check_presets(
    parameter: &str,
    constraints: &Constraints,
    is_header: bool,
    default: Option<&str>,
    examples: &[&str],
    problems: &mut ProblemList,
) {
    let check = |json: &str| check_json(constraints, is_header, json);
    if let Some(Err(problem)) = default.map(check) {
        let json = default.unwrap_or_default();
        let text = format!("parameter `{parameter}`: the default {json} violates a constraint: {problem}");
        problems.add(text, "change the default or the constraint");
    }
    for example in examples {
        if let Err(problem) = check(example) {
            let text = format!("parameter `{parameter}`: the example {example} violates a constraint: {problem}");
            problems.add(text, "change the example or the constraint");
        }
    }
}

/// Reports two arguments of one name, of which at least one is a field of a flattened type.
pub(crate) fn report_collision(name: &str, problems: &mut ProblemList) {
    let text = format!("two arguments are called `{name}`, and one of them is a field of a flattened struct");
    problems.add(text, "rename one of them, as in `#[arg(rename = \"..\")]`");
}

/// Reports a second flattened type that takes members of any name.
pub(crate) fn report_second_rest(parameter: &str, problems: &mut ProblemList) {
    let text = format!(
        "parameter `{parameter}`: it takes arguments of any name, but another flattened parameter takes all of them"
    );
    problems.add(text, "keep only one map among the flattened parameters");
}

/// Returns true if a type can be flattened, which needs the schema of a struct with named fields; reports it otherwise.
pub(crate) fn check_flattened(parameter: &str, schema: &Map<String, Value>, problems: &mut ProblemList) -> bool {
    let alternatives = ["anyOf", "oneOf", "allOf", "enum", "const", "$ref"];
    // They would have to apply to the members of this type alone, which share an object with others.
    let of_all_members = ["patternProperties", "propertyNames", "minProperties", "maxProperties", "if", "not"];
    let keyword = of_all_members.iter().find(|keyword| schema.contains_key(**keyword));
    let found = match schema.get("type") {
        _ if alternatives.iter().any(|keyword| schema.contains_key(*keyword)) => "alternatives".to_owned(),
        _ if keyword.is_some() => keyword.map(|keyword| format!("`{keyword}`")).unwrap_or_default(),
        Some(Value::String(only)) if only == "object" => return true,
        _ => type_in_words(schema),
    };
    let text = format!(
        "parameter `{parameter}`: only a struct with named fields can be flattened, but the schema has {found}"
    );
    problems.add(text, "take it as an argument of its own, without `flatten` or `Args`");
    false
}

/// Reports a default or an example that does not fit its type; `kind` names which.
pub(crate) fn report_unfit(parameter: &str, kind: &str, json: &str, error: &str, problems: &mut ProblemList) {
    let text = format!("parameter `{parameter}`: the {kind} {json} does not fit the type: {error}");
    problems.add(text, format!("change the {kind} or the type"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::number::Number;

    #[test]
    fn a_constraint_on_the_wrong_type_is_a_problem() {
        let rules = Constraints {
            min: Some(Number::Integer(1)),
            max: Some(Number::Float(2.5)),
            min_length: Some(2),
            max_length: Some(3),
            pattern: Some("^[a-zé]*$"),
        };
        let mut problems = ProblemList::new("tool `x`");
        let property = json!({"type": "boolean"});
        check_constraints("flag", &rules, property.as_object().unwrap(), &mut problems);
        let texts = problems.texts();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("`flag`: `min` needs a number, but the schema has type \"boolean\""));
    }
}
