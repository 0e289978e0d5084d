//! Detects serde_json's feature `arbitrary_precision`, which any crate of a program may turn on for the whole program.
//!
//! serde's derive reads enums with data, and structs with flattened fields, through a buffer. With the feature, a float
//! arrives in that buffer as a map, and reading it as a float fails. This crate cannot change that, so it is logged.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::publish::FLAT;

/// Returns true if floats are passed as maps.
pub(crate) fn is_arbitrary() -> bool {
    reads_floats_as_maps(&mut serde_json::Deserializer::from_str("1.5"))
}

fn reads_floats_as_maps<'de, D: serde::Deserializer<'de>>(deserializer: D) -> bool {
    deserializer.deserialize_any(FloatProbe).unwrap_or_default()
}

/// Returns true if an argument may contain a float that is read through a buffer.
pub(crate) fn buffers_floats(schema: &Value) -> bool {
    let is_buffered = |members: &serde_json::Map<String, Value>| {
        ["anyOf", "oneOf", FLAT].iter().any(|keyword| members.contains_key(*keyword))
    };
    match schema {
        Value::Object(members) if is_buffered(members) => holds_floats(schema),
        Value::Object(members) => members.values().any(buffers_floats),
        Value::Array(items) => items.iter().any(buffers_floats),
        _ => false,
    }
}

fn holds_floats(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.get("type").is_some_and(|name| name == "number") || members.values().any(holds_floats)
        }
        Value::Array(items) => items.iter().any(|item| item == "number" || holds_floats(item)),
        _ => false,
    }
}

struct FloatProbe;

impl<'de> Visitor<'de> for FloatProbe {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a float")
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_given_as_maps_are_detected() {
        // Simulates serde_json with the feature, which is off in this workspace.
        let map = MapDeserializer::<_, Error>::new([("$serde_json::private::Number", "1.5")].into_iter());
        assert!(reads_floats_as_maps(map));
        assert!(!is_arbitrary());
    }

    #[test]
    fn only_floats_in_alternatives_and_flattened_types_are_detected() {
        let float = json!({"type": "number"});
        assert!(!buffers_floats(&json!({"properties": {"a": float}})));
        assert!(!buffers_floats(&json!({"properties": {"a": {"oneOf": [{"type": "string"}]}, "b": float}})));
        assert!(buffers_floats(&json!({"properties": {"a": {"oneOf": [{"properties": {"x": float}}]}}})));
        assert!(buffers_floats(&json!({"properties": {"a": {FLAT: true, "properties": {"x": float}}}})));
        assert!(buffers_floats(&json!({"anyOf": [{"type": ["number", "null"]}]})));
    }
}
