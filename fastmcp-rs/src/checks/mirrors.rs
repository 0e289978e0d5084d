//! Arguments that clients mirror into HTTP headers: the keyword `x-mcp-header` in an input schema.

use serde_json::{Map, Value};

use super::parameters::type_in_words;
use super::problem::ProblemList;
use crate::schema::mcp_header::KEYWORD;
use crate::schema::normalize::has_type;

/// Checks that a parameter with the option `header` has a type that can be mirrored.
pub(crate) fn check_marked_parameter(parameter: &str, property: &Map<String, Value>, problems: &mut ProblemList) {
    let primitive = ["string", "integer", "boolean"].into_iter().any(|kind| has_type(property, kind));
    if !primitive || has_type(property, "number") {
        let found = type_in_words(property);
        let text = format!(
            "parameter `{parameter}`: only a string, an integer or a bool can be copied into a header, but the schema has {found}"
        );
        problems.add(text, "remove `header`, or change the type");
    }
}

/// Checks the marks of a whole input schema, including marks that an author wrote into a type.
pub(crate) fn check_marks(schema: &Value, problems: &mut ProblemList) {
    let mut names = Vec::new();
    visit_schema(schema, true, &mut names, problems);
    let mut lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    lower.sort_unstable();
    for pair in lower.windows(2).filter(|pair| pair[0] == pair[1]) {
        let name = names.iter().find(|name| name.eq_ignore_ascii_case(&pair[0])).unwrap_or(&pair[0]);
        problems.add(format!("two arguments have the header `{name}`"), "rename one of the two");
    }
}

/// Visits the marks of a schema. `reachable` is true if only `properties` led here, because clients look for marks only
/// there.
fn visit_schema(schema: &Value, reachable: bool, names: &mut Vec<String>, problems: &mut ProblemList) {
    let Some(object) = schema.as_object() else { return };
    match object.get(KEYWORD) {
        Some(Value::String(name)) if is_token(name) => {
            if !reachable {
                problems.add(
                    format!("`{KEYWORD}: {name}` has no effect here"),
                    "only properties of objects, outside lists and alternatives, can be copied into headers",
                );
            }
            names.push(name.clone());
        }
        Some(other) => problems.add(format!("`{KEYWORD}` must be a header name, not {other}"), "write a header name"),
        None => {}
    }
    for (keyword, value) in object {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.values().for_each(|schema| visit_schema(schema, reachable, names, problems));
            }
            ("$defs" | "patternProperties", Value::Object(schemas)) => {
                schemas.values().for_each(|schema| visit_schema(schema, false, names, problems));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| visit_schema(schema, false, names, problems));
            }
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else", value) => {
                visit_schema(value, false, names, problems);
            }
            _ => {}
        }
    }
}

/// Returns true for a token of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: Value) -> Vec<String> {
        let mut problems = ProblemList::new("tool `x`");
        check_marks(&schema, &mut problems);
        problems.texts()
    }

    #[test]
    fn header_markers_are_found_at_every_location() {
        let marked = json!({"type": "string", "x-mcp-header": "Region"});
        assert!(problems(json!({"properties": {"a": marked}})).is_empty());
        assert!(problems(json!({"properties": {"a": {"properties": {"b": marked}}}})).is_empty());
        assert_eq!(problems(json!({"properties": {"a": {"items": marked}}})).len(), 1);
        assert_eq!(problems(json!({"properties": {"a": {"anyOf": [marked]}}})).len(), 1);
        let lower = json!({"type": "string", "x-mcp-header": "region"});
        assert_eq!(problems(json!({"properties": {"a": marked, "b": lower}})).len(), 1);
        assert_eq!(problems(json!({"properties": {"a": {"x-mcp-header": "two words"}}})).len(), 1);
    }

    #[test]
    fn only_a_primitive_parameter_is_mirrored() {
        let mut problems = ProblemList::new("tool `x`");
        check_marked_parameter("n", json!({"type": "integer"}).as_object().unwrap(), &mut problems);
        assert!(problems.is_empty());
        check_marked_parameter("n", json!({"type": "number"}).as_object().unwrap(), &mut problems);
        assert_eq!(problems.texts().len(), 1);
    }
}
