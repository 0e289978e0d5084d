//! Converts a schema to its published form, which the models of every vendor can read.
//!
//! The schema that a server keeps contains more than the published one: its marks are used to explain a rejected call.

use serde_json::{Map, Value, json};

use super::format;

use crate::util::count::counted;

/// The member that holds the comments of an enum's variants, until they are appended to the description.
pub(crate) const NOTES: &str = "x-fastmcp-notes";
/// The mark of an object whose members are known only together with the members of its alternatives.
pub(crate) const FLAT: &str = "x-fastmcp-flat";

/// The parts of a structured result that are sent to clients of 2025-06-18 and later: the value, its text, or both.
/// Older clients get the text.
///
/// Many clients put both parts into the model's context, which costs twice the tokens.
///
/// # Example
///
/// ```
/// use fastmcp_rs::content::ResultContent;
/// use fastmcp_rs::prelude::*;
///
/// /// Lists the open orders.
/// #[mcp::tool]
/// fn open_orders() -> Vec<u32> {
///     vec![101, 102]
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = App::empty("orders").tool::<open_orders>().result_content(ResultContent::Text);
/// let reply = app.test_client().await?.call("open_orders", ()).await?;
/// assert_eq!(reply.text(), "[101,102]");
/// assert!(reply.json().get("structuredContent").is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultContent {
    /// The value as structured content, and its JSON or the author's own text.
    #[default]
    Both,
    /// Only the content: no structured content and no output schema, because a tool with an output schema must send
    /// structured content.
    Text,
    /// Only the structured content: its text is left out. Other blocks, such as images, and the texts of failures
    /// remain.
    Structured,
}

/// The style in which an app sends the schemas and the results of its tools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchemaStyle {
    /// Publishes `additionalProperties: false`.
    pub(crate) closes_objects: bool,
    /// Repeats limits and the values of enums in descriptions.
    pub(crate) repeats_limits: bool,
    /// Publishes numbers and bools as structured content too.
    pub(crate) structures_numbers: bool,
    /// Publishes texts as structured content too.
    pub(crate) structures_texts: bool,
    /// Whether modern clients, too, get structured results that are no objects inside one.
    pub(crate) wraps_results: bool,
    /// Whether resource links without a text get one.
    pub(crate) describes_links: bool,
    /// The parts of structured results that are sent.
    pub(crate) result_content: ResultContent,
}

impl Default for SchemaStyle {
    fn default() -> Self {
        SchemaStyle {
            closes_objects: true,
            repeats_limits: false,
            structures_numbers: true,
            structures_texts: false,
            wraps_results: false,
            describes_links: true,
            result_content: ResultContent::Both,
        }
    }
}

impl SchemaStyle {
    fn is_plain(self) -> bool {
        self.closes_objects && !self.repeats_limits
    }
}

/// Returns the published schema of a generated tool.
pub(crate) fn publish_generated(schema: &Value, style: SchemaStyle) -> Value {
    Publisher { style, is_own: true }.schema(schema)
}

/// Returns the published form of a hand-written schema, which differs only where the app's style requires it.
pub(crate) fn publish_hand_written(schema: &Value, style: SchemaStyle) -> Value {
    match style.is_plain() {
        true => schema.clone(),
        false => Publisher { style, is_own: false }.schema(schema),
    }
}

struct Publisher {
    style: SchemaStyle,
    is_own: bool,
}

impl Publisher {
    fn schema(&self, schema: &Value) -> Value {
        let Value::Object(members) = schema else { return schema.clone() };
        let mut published = Map::new();
        for (keyword, value) in members {
            let (keyword, value) = match (keyword.as_str(), value) {
                (
                    "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas",
                    Value::Object(schemas),
                ) => {
                    let schemas = schemas.iter().map(|(name, schema)| (name.clone(), self.schema(schema)));
                    (keyword.as_str(), schemas.collect::<Map<_, _>>().into())
                }
                ("additionalProperties" | "unevaluatedProperties", _) if !self.style.closes_objects => continue,
                (
                    "items"
                    | "additionalProperties"
                    | "unevaluatedProperties"
                    | "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames",
                    value,
                ) => (keyword.as_str(), self.schema(value)),
                // Exactly one alternative fits in any case, so `anyOf` means the same here, and more vendors read it.
                ("oneOf", Value::Array(schemas)) if self.is_own && !members.contains_key("anyOf") => {
                    ("anyOf", schemas.iter().map(|schema| self.schema(schema)).collect())
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                    (keyword.as_str(), schemas.iter().map(|schema| self.schema(schema)).collect())
                }
                ("const", only) if self.is_own => ("enum", json!([only])),
                (mark, _) if mark.starts_with("x-fastmcp-") => continue,
                (keyword, value) => (keyword, value.clone()),
            };
            published.insert(keyword.into(), value);
        }
        if self.is_own {
            describe_items(&mut published);
        }
        let mut notes: Vec<String> = Vec::new();
        notes.extend(members.get(NOTES).and_then(Value::as_str).map(str::to_owned));
        if let Some(words) = members.get(format::UNPUBLISHED).and_then(Value::as_str).and_then(format::describe_format)
        {
            notes.push(format!("Format: {words}"));
        }
        if let Some(values @ Value::Object(_)) =
            members.get("additionalProperties").filter(|_| !self.style.closes_objects)
        {
            notes.push(format!("The value of each member fits the JSON Schema {}", self.schema(values)));
        }
        if self.style.repeats_limits {
            notes.extend(describe_limits(members));
        }
        if !notes.is_empty() {
            let own = members.get("description").and_then(Value::as_str).map(str::to_owned);
            let parts: Vec<String> = own.into_iter().chain(notes).collect();
            published.insert("description".into(), parts.join("\n\n").into());
        }
        published.into()
    }
}

/// Adds `items` to a tuple, for readers that ignore `prefixItems` and reject a list without `items`.
fn describe_items(schema: &mut Map<String, Value>) {
    let Some(Value::Array(first)) = schema.get("prefixItems") else { return };
    if schema.contains_key("items") {
        return;
    }
    let mut kinds: Vec<Value> = Vec::new();
    for kind in first {
        if !kinds.contains(kind) {
            kinds.push(kind.clone());
        }
    }
    let items = match kinds.len() {
        0 => json!({}),
        1 => kinds.remove(0),
        _ => json!({ "anyOf": kinds }),
    };
    schema.insert("items".into(), items);
}

/// Describes the limits of a value in words, because the keywords do not reach every model.
fn describe_limits(schema: &Map<String, Value>) -> Option<String> {
    let mut parts = Vec::new();
    type Bound = fn(&Value) -> String;
    let ranges: [(&str, &str, Bound); 5] = [
        ("minimum", "maximum", Value::to_string),
        ("exclusiveMinimum", "exclusiveMaximum", |bound| format!("{bound} (exclusive)")),
        ("minLength", "maxLength", |bound| counted(bound, "character")),
        ("minItems", "maxItems", |bound| counted(bound, "item")),
        ("minProperties", "maxProperties", |bound| counted(bound, "member")),
    ];
    for (low, high, bound) in ranges {
        parts.extend(match (schema.get(low), schema.get(high)) {
            (Some(low), Some(high)) if low == high => Some(format!("exactly {}", bound(low))),
            (Some(low), Some(high)) => Some(format!("{low} to {}", bound(high))),
            (Some(low), None) => Some(format!("at least {}", bound(low))),
            (None, Some(high)) => Some(format!("at most {}", bound(high))),
            (None, None) => None,
        });
    }
    if let Some(step) = schema.get("multipleOf") {
        parts.push(format!("a multiple of {step}"));
    }
    if let Some(Value::String(pattern)) = schema.get("pattern") {
        parts.push(format!("matches `{pattern}`"));
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        parts.push(format!("one of {}", values.join(", ")));
    }
    if let Some(Value::String(format)) = schema.get("format") {
        parts.push(format::describe_format(format).map_or_else(|| format!("format {format}"), str::to_owned));
    }
    (!parts.is_empty()).then(|| format!("Allowed: {}.", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(schema: Value) -> Value {
        publish_generated(&schema, SchemaStyle::default())
    }

    #[test]
    fn tuples_declare_their_items() {
        assert_eq!(
            plain(json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}))["items"],
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]})
        );
        assert_eq!(
            plain(json!({"prefixItems": [{"type": "number"}, {"type": "number"}]}))["items"],
            json!({"type": "number"})
        );
    }

    #[test]
    fn tags_are_lists_of_one_name() {
        assert_eq!(
            plain(json!({"oneOf": [{"properties": {"kind": {"type": "string", "const": "card"}}}]})),
            json!({"anyOf": [{"properties": {"kind": {"type": "string", "enum": ["card"]}}}]})
        );
    }

    #[test]
    fn limits_are_repeated_in_words_on_request() {
        let style = SchemaStyle { closes_objects: false, repeats_limits: true, ..SchemaStyle::default() };
        let schema = json!({
            "type": "object", "additionalProperties": false, "description": "An order.",
            "properties": {
                "n": {"type": "integer", "minimum": 1, "maximum": 10, "description": "How many."},
                "s": {"type": "string", "enum": ["a", "b"]}
            }
        });
        assert_eq!(
            publish_generated(&schema, style),
            json!({
                "type": "object", "description": "An order.",
                "properties": {
                    "n": {
                        "type": "integer", "minimum": 1, "maximum": 10,
                        "description": "How many.\n\nAllowed: 1 to 10."
                    },
                    "s": {"type": "string", "enum": ["a", "b"], "description": "Allowed: one of \"a\", \"b\"."}
                }
            })
        );
        assert_eq!(publish_hand_written(&schema, SchemaStyle::default()), schema);
        assert!(publish_hand_written(&schema, style).get("additionalProperties").is_none());
    }
}
