//! Arguments that clients mirror into HTTP headers: `x-mcp-header`.
//!
//! Clients silently drop a tool whose marks break a rule, so a server with such a tool does not start.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>

use serde_json::{Map, Value};

use super::normalize::has_type;
use super::number::Number;

/// The largest integer that every JSON reader represents exactly: 2^53 − 1.
const MAX_INTEGER: i128 = (1 << 53) - 1;

const KEYWORD: &str = "x-mcp-header";

/// Marks a property, or adds the reason that it cannot be marked to `problems`.
pub(crate) fn publish_mark(name: &str, property: &mut Map<String, Value>, parameter: &str, problems: &mut Vec<String>) {
    let primitive = ["string", "integer", "boolean"].into_iter().any(|kind| has_type(property, kind));
    if !primitive || has_type(property, "number") {
        let found = property.get("type").map_or_else(|| "no type".into(), |types| format!("type {types}"));
        problems.push(format!(
            "parameter `{parameter}`: only a string, an integer or a bool can be copied into a header, but the schema \
             has {found}"
        ));
    }
    if has_type(property, "integer") {
        tighten(property, "minimum", -MAX_INTEGER, |own, limit| own < limit);
        tighten(property, "maximum", MAX_INTEGER, |own, limit| own > limit);
    }
    property.insert(KEYWORD.into(), name.into());
}

fn tighten(property: &mut Map<String, Value>, keyword: &str, limit: i128, looser: fn(i128, i128) -> bool) {
    let own = property.get(keyword).and_then(Value::as_number).and_then(serde_json::Number::as_i128);
    if own.is_none_or(|own| looser(own, limit)) {
        property.insert(keyword.into(), (limit as i64).into());
    }
}

pub(crate) fn check_integer(value: Number) -> Result<(), String> {
    match value {
        Number::Integer(integer) if integer.abs() > MAX_INTEGER => {
            Err(format!("must be within ±{MAX_INTEGER}, because it is copied into a header"))
        }
        _ => Ok(()),
    }
}

/// Checks the marks of a whole input schema, including marks that an author wrote into a type.
pub(crate) fn check_marks(schema: &Value, problems: &mut Vec<String>) {
    let mut names = Vec::new();
    visit_schema(schema, true, &mut names, problems);
    let mut lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    lower.sort_unstable();
    for pair in lower.windows(2).filter(|pair| pair[0] == pair[1]) {
        let name = names.iter().find(|name| name.eq_ignore_ascii_case(&pair[0])).unwrap_or(&pair[0]);
        problems.push(format!("two arguments have the header `{name}`: rename one of the two"));
    }
}

/// An argument that clients mirror into a header.
#[derive(Debug)]
pub(crate) struct HeaderArgument {
    /// The header's name without the prefix `Mcp-Param-`.
    pub(crate) header: Box<str>,
    /// The names of the members that lead to the argument.
    pub(crate) path: Vec<Box<str>>,
}

/// Returns the arguments that an input schema marks.
pub(crate) fn find_header_arguments(schema: &Value) -> Vec<HeaderArgument> {
    let mut found = Vec::new();
    collect_marks(schema, &mut Vec::new(), &mut found);
    found
}

fn collect_marks(schema: &Value, path: &mut Vec<Box<str>>, found: &mut Vec<HeaderArgument>) {
    if let Some(name) = schema.get(KEYWORD).and_then(Value::as_str) {
        found.push(HeaderArgument { header: name.into(), path: path.clone() });
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        path.push(name.as_str().into());
        collect_marks(property, path, found);
        path.pop();
    }
}

/// Visits the marks of a schema. `reachable` is true if only `properties` led here, because clients look for marks only
/// there.
fn visit_schema(schema: &Value, reachable: bool, names: &mut Vec<String>, problems: &mut Vec<String>) {
    let Some(object) = schema.as_object() else { return };
    match object.get(KEYWORD) {
        Some(Value::String(name)) if is_token(name) => {
            if !reachable {
                problems.push(format!("`{KEYWORD}: {name}` has no effect here: only properties of objects, outside lists and alternatives, can be copied into headers"));
            }
            names.push(name.clone());
        }
        Some(other) => problems.push(format!("`{KEYWORD}` must be a header name, not {other}")),
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

/// Removes the marks, which have no meaning for clients before 2026-07-28.
pub(crate) fn without_marks(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| *key != KEYWORD)
            .map(|(key, value)| (key.clone(), without_marks(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_marks).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(schema: Value) -> Vec<String> {
        let mut problems = Vec::new();
        check_marks(&schema, &mut problems);
        problems
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
    fn header_integers_stay_in_the_range_of_every_reader() {
        let mut property = json!({"type": "integer", "minimum": 0});
        let mut found = Vec::new();
        publish_mark("N", property.as_object_mut().unwrap(), "n", &mut found);
        assert_eq!(
            property,
            json!({"type": "integer", "minimum": 0, "maximum": MAX_INTEGER as i64, "x-mcp-header": "N"})
        );
        assert!(found.is_empty());
        publish_mark("N", json!({"type": "number"}).as_object_mut().unwrap(), "n", &mut found);
        assert_eq!(found.len(), 1);
    }
}
