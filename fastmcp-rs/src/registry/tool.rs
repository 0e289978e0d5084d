//! Tools as a server stores and lists them.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::component::ComponentHandler;
use super::list::ListEntry;
use super::visibility::ComponentKind;
use crate::checks::problem::Location;
use crate::checks::vendors::ToolWarnings;
use crate::component::dynamic::DynamicTool;
use crate::component::result_writer::{Subject, ToolResultForm};
use crate::component::tool::{ResultOptions, ToolAnnotations, ToolDefinition};
use crate::json::encode::ObjectWriter;
use crate::protocol::{Feature, Revision};
use crate::schema::mcp_header::{self, HeaderArgument};
use crate::schema::publish::{self, ResultContent, SchemaStyle};

#[derive(Debug)]
pub(crate) struct ToolEntry {
    hints: ToolAnnotations,
    results: ResultOptions,
    pub(crate) handler: ComponentHandler,
    /// True if the structured result of this tool is wrapped in an object for legacy clients, which support only
    /// objects. Each call reads it.
    pub(crate) wraps: bool,
    /// Computed on the first use: only HTTP uses it.
    mirrors: OnceLock<Vec<HeaderArgument>>,
    /// Computed on the first call, from the options of the tool and those of the app that serves it.
    form: OnceLock<ToolResultForm>,
}

impl ToolEntry {
    pub(crate) fn new(definition: &'static ToolDefinition) -> ToolEntry {
        let handler = ComponentHandler::for_function("tool", &definition.component);
        ToolEntry::from_parts(definition.annotations, definition.results, handler)
    }

    pub(crate) fn dynamic(tool: DynamicTool, added: Location) -> ToolEntry {
        let DynamicTool { hints, results, .. } = tool;
        let (base, described, call, schema) = tool.into_parts();
        ToolEntry::from_parts(hints, results, ComponentHandler::for_closure((base, described, call), schema, added))
    }

    fn from_parts(hints: ToolAnnotations, results: ResultOptions, handler: ComponentHandler) -> ToolEntry {
        let output =
            handler.described.output.as_ref().or(handler.described.scalar.as_ref().map(|scalar| &scalar.schema));
        let wraps = output.is_some_and(|schema| schema.get("type") != Some(&Value::from("object")));
        ToolEntry { hints, results, handler, wraps, mirrors: OnceLock::new(), form: OnceLock::new() }
    }

    /// Returns the arguments that clients mirror into headers.
    pub(crate) fn mirrors(&self) -> &[HeaderArgument] {
        self.mirrors.get_or_init(|| mcp_header::find_header_arguments(&self.handler.described.input))
    }

    /// Describes a call of the tool for its response.
    pub(crate) fn subject(&self, style: SchemaStyle) -> Subject {
        Subject::ToolCall(*self.form.get_or_init(|| ToolResultForm {
            wrap: self.wraps,
            wraps_for_all: self.wraps_for_all(style),
            scalars: self.structures_scalars(style),
            link_text: self.results.link_text.unwrap_or(style.describes_links),
            content: self.content(style),
        }))
    }

    /// Describes a call by another component of the server, which gets the result as the handler has made it.
    pub(crate) fn subject_for_nested_call(&self, style: SchemaStyle) -> Subject {
        let scalars = self.structures_scalars(style);
        let content = ResultContent::Both;
        Subject::ToolCall(ToolResultForm { wrap: self.wraps, wraps_for_all: false, scalars, link_text: false, content })
    }

    /// Returns the parts of structured results that are sent.
    fn content(&self, style: SchemaStyle) -> ResultContent {
        self.results.content.unwrap_or(style.result_content)
    }

    /// Whether modern clients, too, get a result that is no object inside one.
    fn wraps_for_all(&self, style: SchemaStyle) -> bool {
        self.results.wrapped.unwrap_or(style.wraps_results)
    }

    /// Returns true if a single value is also structured content. The result type of a closure is unknown in advance.
    fn structures_scalars(&self, style: SchemaStyle) -> bool {
        let is_text = self.handler.described.scalar.as_ref().is_some_and(|scalar| scalar.is_text);
        self.results.structured.unwrap_or(if is_text { style.structures_texts } else { style.structures_numbers })
    }

    /// Returns the schema of the structured results, if they are sent.
    fn output(&self, style: SchemaStyle) -> Option<&Value> {
        if self.content(style) == ResultContent::Text {
            return None;
        }
        let described = &self.handler.described;
        let scalar = described.scalar.as_ref().filter(|_| self.structures_scalars(style));
        described.output.as_ref().or(scalar.map(|scalar| &scalar.schema))
    }

    /// Adds the parts of the definition that some vendors reject or change.
    pub(crate) fn lint(&self, style: SchemaStyle, warnings: &mut ToolWarnings) {
        warnings.check_tool(self.key(), self.handler.location, &self.published_input(style));
    }

    /// Returns the published schema of the arguments. A hand-written schema is published as it was given.
    fn published_input(&self, style: SchemaStyle) -> Value {
        let input = &self.handler.described.input;
        match self.handler.is_dynamic() {
            true => publish::publish_hand_written(input, style),
            false => publish::publish_generated(input, style),
        }
    }

    fn annotations(&self) -> Option<Value> {
        let hints = self.hints;
        let mut annotations = Map::new();
        // Clients before 2025-06-18, and some newer ones, read the title here.
        if let Some(title) = &self.handler.metadata.title {
            annotations.insert("title".into(), title.as_ref().into());
        }
        for (key, hint) in [
            ("readOnlyHint", hints.read_only),
            ("destructiveHint", hints.destructive),
            ("idempotentHint", hints.idempotent),
            ("openWorldHint", hints.open_world),
        ] {
            if let Some(hint) = hint {
                annotations.insert(key.into(), hint.into());
            }
        }
        (!annotations.is_empty()).then(|| annotations.into())
    }
}

impl ListEntry for ToolEntry {
    const MEMBER: &'static str = "tools";
    const KIND: ComponentKind = ComponentKind::Tool;

    fn handler(&self) -> &ComponentHandler {
        &self.handler
    }

    fn hints(&self) -> ToolAnnotations {
        self.hints
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, style: SchemaStyle) {
        self.handler.metadata.write_first_members(entry, revision);
        if self.handler.metadata.title.is_none() && revision.has(Feature::Titles) {
            entry.add_text("title", &title_from_name(&self.handler.metadata.name));
        }
        let input = self.published_input(style);
        match revision.has(Feature::ParameterHeaders) || self.handler.is_dynamic() {
            true => entry.add_member("inputSchema", &input),
            false => entry.add_member("inputSchema", &mcp_header::without_marks(&input)),
        }
        if let (Some(output), true) = (self.output(style), revision.has(Feature::StructuredContent)) {
            match self.wraps && (!revision.has(Feature::StructuredValues) || self.wraps_for_all(style)) {
                true => entry.add_member("outputSchema", &wrap_output_schema(output)),
                false => entry.add_member("outputSchema", output),
            }
        }
        if let (Some(annotations), true) = (self.annotations(), revision.has(Feature::ToolAnnotations)) {
            entry.add_member("annotations", &annotations);
        }
        self.handler.metadata.write_last_members(entry, revision);
    }
}

/// Returns the name in words: `get_order_details` becomes "Get Order Details".
fn title_from_name(name: &str) -> String {
    let words = name.split(['_', '-', '.']).filter(|word| !word.is_empty());
    let capitalised = words.map(|word| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    capitalised.collect::<Vec<_>>().join(" ")
}

/// Returns the schema of `{"result": …}`, with the mark that tells FastMCP's clients to unwrap it.
///
/// References point to the root of the schema, so the definitions move to the new root, and other references get the path
/// of the member before theirs. A schema with an `$id` is the root of its own references, and stays as it is.
fn wrap_output_schema(output: &Value) -> Value {
    let mut inner = output.clone();
    let is_own_root = inner.get("$id").is_some();
    let mut definitions = inner.as_object_mut().filter(|_| !is_own_root).and_then(|inner| inner.remove("$defs"));
    if !is_own_root {
        [Some(&mut inner), definitions.as_mut()].into_iter().flatten().for_each(move_references);
    }
    let mut schema = json!({
        "type": "object",
        "properties": { "result": inner },
        "required": ["result"],
        "x-fastmcp-wrap-result": true
    });
    if let (Some(definitions), Some(members)) = (definitions, schema.as_object_mut()) {
        members.insert("$defs".into(), definitions);
    }
    schema
}

/// Points the references to parts of a schema to their places in `{"result": …}`.
fn move_references(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        let pointer =
                            reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'));
                        if let Some(pointer) = pointer.filter(|pointer| !pointer.starts_with("/$defs/")) {
                            *reference = format!("#/properties/result{pointer}");
                        }
                    }
                    // Their members are values, not schemas.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, value) => move_references(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_a_wrapped_schema_point_to_their_new_places() {
        let schema = json!({
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/definitions/B"}, {"$ref": "#"}]},
            "definitions": {"B": {"const": {"$ref": "#"}}},
            "$defs": {"A": {"items": {"$ref": "#/items"}}}
        });
        let wrapped = wrap_output_schema(&schema);
        let alternatives = &wrapped["properties"]["result"]["items"]["anyOf"];
        let references = ["#/$defs/A", "#/properties/result/definitions/B", "#/properties/result"];
        for (alternative, reference) in alternatives.as_array().unwrap().iter().zip(references) {
            assert_eq!(alternative["$ref"], reference);
        }
        assert_eq!(wrapped["$defs"]["A"]["items"]["$ref"], "#/properties/result/items");
        assert_eq!(
            wrapped["properties"]["result"]["definitions"]["B"]["const"]["$ref"], "#",
            "a value is no reference"
        );
        let own = json!({"$id": "https://example.com/a", "$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}});
        assert_eq!(wrap_output_schema(&own)["properties"]["result"], own);
    }
}
