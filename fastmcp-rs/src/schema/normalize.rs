//! Normalises the schemas that schemars generates to the form that an author would write by hand.
//!
//! Formats such as `int64` are not in the vocabulary of JSON Schema, and some model vendors reject them; `["integer",
//! "null"]` for an optional argument is rejected by others, and tells a model nothing that `required` does not. Bounds
//! of a type that are missing from its schema (`i32`) are added, so that the schema states exactly which values
//! decoding accepts.

use serde_json::{Map, Value, json};

use super::{format, publish};

/// Normalises the schema of values that the client sends.
pub(crate) fn normalize_input(schema: Value) -> Value {
    normalize(schema, Direction::Input)
}

/// Normalises the schema of values that the server sends.
pub(crate) fn normalize_output(schema: Value) -> Value {
    normalize(schema, Direction::Output)
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Input,
    Output,
}

/// Returns the members of a schema. The schema `true` becomes `{}`, and `false` becomes `{"not": {}}`.
pub(crate) fn schema_members(schema: &mut Value) -> &mut Map<String, Value> {
    if !schema.is_object() {
        *schema = if *schema == Value::Bool(false) { json!({ "not": {} }) } else { json!({}) };
    }
    match schema {
        Value::Object(members) => members,
        _ => unreachable!("the schema was made an object above"),
    }
}

fn normalize(mut schema: Value, direction: Direction) -> Value {
    let object = schema_members(&mut schema);
    remove_numeric_format(object);
    remove_unregistered_format(object, direction);
    place_length_bounds(object);
    close_objects(object, direction);
    for (keyword, value) in object.iter_mut() {
        match keyword.as_str() {
            "properties" | "$defs" | "patternProperties" | "dependentSchemas" => {
                if let Value::Object(schemas) = value {
                    for schema in schemas.values_mut() {
                        *schema = normalize(schema.take(), direction);
                    }
                }
            }
            "items" | "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
                *value = normalize(value.take(), direction);
            }
            // `false` forbids further members, which `{"not": {}}` would express less briefly.
            "additionalProperties" | "unevaluatedProperties" if !value.is_boolean() => {
                *value = normalize(value.take(), direction);
            }
            "prefixItems" | "anyOf" | "oneOf" | "allOf" => {
                if let Value::Array(schemas) = value {
                    for schema in schemas {
                        *schema = normalize(schema.take(), direction);
                    }
                }
            }
            _ => {}
        }
    }
    if direction == Direction::Input {
        loosen_properties(object);
        // A set accepts a list with duplicates, and so must its schema.
        object.remove("uniqueItems");
    }
    flatten_enum(object);
    schema
}

/// Removes formats that JSON Schema does not register. For arguments the format is kept under another name, to explain
/// errors.
fn remove_unregistered_format(object: &mut Map<String, Value>, direction: Direction) {
    let is_known = |format: &Value| format.as_str().is_none_or(format::is_registered);
    if let Some(format) = object.get("format").filter(|format| !is_known(format)).cloned() {
        object.remove("format");
        if direction == Direction::Input {
            object.insert(format::UNPUBLISHED.into(), format);
        }
    }
    // Crates read a decimal number also from a JSON number. The schema need not say so, and some vendors reject it.
    let is_decimal = has_type(object, "string") && has_type(object, "number") && object.contains_key("pattern");
    if is_decimal && direction == Direction::Input {
        let names = if has_type(object, "null") { json!(["string", "null"]) } else { "string".into() };
        object.insert("type".into(), names);
        object.insert(format::UNPUBLISHED.into(), "decimal".into());
    }
}

/// Forbids unknown members in the objects of a model that is read as an argument.
///
/// The mark of `#[mcp::model]` says which objects to close. Alternatives that another type brings into an enum keep
/// their own rules.
fn close_objects(object: &mut Map<String, Value>, direction: Direction) {
    let Some(mark) = object.remove("x-fastmcp-closed") else { return };
    let mark = mark.as_str().unwrap_or_default().to_owned();
    let is_input = direction == Direction::Input;
    match mark.as_str() {
        "struct" if is_input => close_object(object),
        "flat" if is_input => close_flat(object),
        _ => {}
    }
    // Beside members of the object itself, an alternative describes only some of the object's members.
    if object.contains_key("properties") {
        return open_branches(object);
    }
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = object.get_mut(keyword) else { continue };
        for branch in branches.iter_mut().filter_map(Value::as_object_mut) {
            let is_foreign = branch.remove("x-fastmcp-foreign").is_some();
            let is_flat = branch.remove("x-fastmcp-flat-fields").is_some();
            if !is_input {
                continue;
            }
            let close = if is_flat { close_flat } else { close_object };
            let content = mark.strip_prefix("content:");
            if content.is_some() {
                close_object(branch);
            } else if mark == "variants" && !is_foreign {
                close(branch);
            }
            let Some(Value::Object(properties)) = branch.get_mut("properties").filter(|_| !is_foreign) else {
                continue;
            };
            for (name, held) in properties {
                if mark == "contents" || content == Some(name.as_str()) {
                    if let Some(held) = held.as_object_mut() {
                        close(held);
                    }
                }
            }
        }
    }
}

/// Removes the marks of alternatives, which apply only to alternatives without other members beside them.
fn open_branches(object: &mut Map<String, Value>) {
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let Some(Value::Array(branches)) = object.get_mut(keyword) else { continue };
        for branch in branches.iter_mut().filter_map(Value::as_object_mut) {
            branch.remove("x-fastmcp-closed");
            branch.remove("x-fastmcp-foreign");
            branch.remove("x-fastmcp-flat-fields");
            open_branches(branch);
        }
    }
}

fn close_object(object: &mut Map<String, Value>) {
    if has_type(object, "object") {
        object.entry("additionalProperties").or_insert(false.into());
    }
}

/// Closes a struct with flattened members. If all of them are among its own properties, its schema forbids other
/// members.
fn close_flat(object: &mut Map<String, Value>) {
    let takes_others = ["additionalProperties", "unevaluatedProperties", "patternProperties"];
    if takes_others.iter().any(|keyword| object.contains_key(*keyword)) {
        return;
    }
    object.insert(publish::FLAT.into(), true.into());
    if !["anyOf", "oneOf", "allOf", "$ref", "if"].iter().any(|keyword| object.contains_key(*keyword)) {
        close_object(object);
    }
}

fn remove_numeric_format(object: &mut Map<String, Value>) {
    let Some(Value::String(format)) = object.get("format") else { return };
    let bounds: Option<(i64, i64)> = match format.as_str() {
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        "int8" | "int16" | "int64" | "int128" | "int" | "uint8" | "uint16" | "uint64" | "uint128" | "uint"
        | "float" | "double" => None,
        _ => return,
    };
    object.remove("format");
    if let Some((min, max)) = bounds {
        object.entry("minimum").or_insert(min.into());
        object.entry("maximum").or_insert(max.into());
    }
}

/// Moves length bounds to the right keyword. `#[mcp::model]` cannot see whether a field is a string or a list; here the
/// type is known.
fn place_length_bounds(object: &mut Map<String, Value>) {
    for (mark, bound) in [("x-fastmcp-min-length", "min"), ("x-fastmcp-max-length", "max")] {
        if let Some(value) = object.remove(mark) {
            object.insert(format!("{bound}{}", length_unit(object)), value);
        }
    }
}

/// Returns the keyword suffix for the unit of a value's length.
pub(crate) fn length_unit(object: &Map<String, Value>) -> &'static str {
    if has_type(object, "array") {
        "Items"
    } else if has_type(object, "object") {
        "Properties"
    } else {
        "Length"
    }
}

/// Returns true if the schema names this JSON type.
pub(crate) fn has_type(object: &Map<String, Value>, name: &str) -> bool {
    match object.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|candidate| candidate == name),
        _ => false,
    }
}

/// Makes properties optional that have a default, and removes `null` from optional properties: `null` counts as absent
/// for them, so the schema need not mention it.
fn loosen_properties(object: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = object.get("properties") else { return };
    let with_default: Vec<String> =
        properties.iter().filter(|(_, schema)| schema.get("default").is_some()).map(|(name, _)| name.clone()).collect();
    if let Some(Value::Array(required)) = object.get_mut("required") {
        required.retain(|name| name.as_str().is_none_or(|name| !with_default.iter().any(|other| other == name)));
        if required.is_empty() {
            object.remove("required");
        }
    }
    let required = object.get("required").cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, schema) in properties {
            let is_required = required.as_array().is_some_and(|names| names.iter().any(|other| other == name));
            if !is_required {
                without_null(schema);
            }
        }
    }
}

/// Removes `null` from the values that a schema allows.
pub(crate) fn without_null(schema: &mut Value) {
    let object = schema_members(schema);
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = object.get_mut(keyword) else { continue };
        branches.retain(|branch| branch.get("type") != Some(&Value::from("null")));
        if branches.len() != 1 {
            continue;
        }
        if let Some(Value::Array(mut branches)) = object.remove(keyword) {
            let Some(Value::Object(only)) = branches.pop() else { continue };
            // Keywords beside the alternatives, such as the field's own description, take precedence.
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Turns an enum of documented names into one list of names, with the documentation in the description.
fn flatten_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get("oneOf") else { return };
    let mut names = Vec::new();
    let mut notes = Vec::new();
    for branch in branches {
        let Some(members) = branch.as_object() else { return };
        if members.keys().any(|key| !matches!(key.as_str(), "const" | "enum" | "type" | "description")) {
            return;
        }
        match (members.get("const"), members.get("enum")) {
            (Some(Value::String(name)), None) => {
                if let Some(Value::String(note)) = members.get("description") {
                    notes.push(format!("- `{name}`: {note}"));
                }
                names.push(Value::String(name.clone()));
            }
            (None, Some(Value::Array(group))) if group.iter().all(Value::is_string) => {
                names.extend(group.iter().cloned());
            }
            _ => return,
        }
    }
    object.remove("oneOf");
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), names.into());
    if !notes.is_empty() {
        object.insert(publish::NOTES.into(), notes.join("\n").into());
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use schemars::generate::SchemaSettings;
    use serde::{Deserialize, Serialize};

    use super::*;

    fn schema_of<T: JsonSchema>() -> Value {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        normalize_input(settings.into_generator().subschema_for::<T>().to_value())
    }

    #[test]
    fn numbers_have_bounds_and_no_format() {
        assert_eq!(schema_of::<i64>(), json!({"type": "integer"}));
        assert_eq!(schema_of::<u64>(), json!({"type": "integer", "minimum": 0}));
        assert_eq!(schema_of::<u8>(), json!({"type": "integer", "minimum": 0, "maximum": 255}));
        assert_eq!(schema_of::<i32>(), json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}));
        assert_eq!(schema_of::<f64>(), json!({"type": "number"}));
    }

    #[derive(JsonSchema, Deserialize, Serialize)]
    struct Order {
        /// How many.
        quantity: Option<u64>,
        /// The state.
        status: Option<Status>,
        notes: Vec<Option<i64>>,
        #[serde(default)]
        urgent: bool,
    }

    /// Where it is.
    #[derive(JsonSchema, Deserialize, Serialize)]
    enum Status {
        /// On its way.
        Shipped,
        Pending,
        Lost,
    }

    #[test]
    fn optional_fields_do_not_mention_null() {
        let schema = schema_of::<Order>();
        assert_eq!(schema["required"], json!(["notes"]));
        assert_eq!(
            schema["properties"]["quantity"],
            json!({"description": "How many.", "type": "integer", "minimum": 0})
        );
        // In a list, `null` is a value.
        assert_eq!(schema["properties"]["notes"]["items"], json!({"type": ["integer", "null"]}));
    }

    #[test]
    fn documented_enums_are_plain_lists() {
        assert_eq!(
            publish::publish_generated(&schema_of::<Status>(), publish::SchemaStyle::default()),
            json!({
                "type": "string",
                "enum": ["Pending", "Lost", "Shipped"],
                "description": "Where it is.\n\n- `Shipped`: On its way."
            })
        );
        let order = publish::publish_generated(&schema_of::<Order>(), publish::SchemaStyle::default());
        let field = &order["properties"]["status"];
        assert_eq!(field["description"], "The state.\n\n- `Shipped`: On its way.");
        assert_eq!(field["type"], "string");
        assert_eq!(field["enum"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn an_arbitrary_value_has_an_empty_schema() {
        assert_eq!(schema_of::<Value>(), json!({}));
    }
}
