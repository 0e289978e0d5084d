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

/// The keyword of the mark.
pub(crate) const KEYWORD: &str = "x-mcp-header";

/// Marks a property. Whether its type can be mirrored is checked in `checks/mirrors.rs`.
pub(crate) fn publish_mark(name: &str, property: &mut Map<String, Value>) {
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

    #[test]
    fn header_integers_stay_in_the_range_of_every_reader() {
        let mut property = json!({"type": "integer", "minimum": 0});
        publish_mark("N", property.as_object_mut().unwrap());
        assert_eq!(
            property,
            json!({"type": "integer", "minimum": 0, "maximum": MAX_INTEGER as i64, "x-mcp-header": "N"})
        );
    }
}
