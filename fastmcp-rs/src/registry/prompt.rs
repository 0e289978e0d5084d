//! Prompts as a server stores and lists them.

use serde_json::{Map, Value};

use super::component::ComponentHandler;
use super::list::ListEntry;
use super::visibility::ComponentKind;
use crate::checks::problem::Location;
use crate::component::dynamic::DynamicPrompt;
use crate::component::prompt::PromptDefinition;
use crate::json::encode::ObjectWriter;
use crate::protocol::{Feature, Revision};
use crate::schema::publish::{self, SchemaStyle};
use crate::schema::validate::describe_expected;

#[derive(Debug)]
pub(crate) struct PromptEntry {
    pub(crate) handler: ComponentHandler,
}

impl PromptEntry {
    pub(crate) fn new(definition: &'static PromptDefinition) -> PromptEntry {
        PromptEntry { handler: ComponentHandler::for_function("prompt", &definition.component) }
    }

    pub(crate) fn dynamic(prompt: DynamicPrompt, added: Location) -> PromptEntry {
        PromptEntry { handler: ComponentHandler::for_closure(prompt.into_parts(), None, added) }
    }

    /// Returns the arguments. They are strings in the protocol, so the schema of a parameter of another type is added
    /// to its description.
    fn arguments(&self, revision: Revision) -> Value {
        let input = &self.handler.described.input;
        let required = input.get("required").and_then(Value::as_array);
        let arguments = self.handler.described.parameters.iter().map(|parameter| {
            let mut argument = Map::new();
            argument.insert("name".into(), parameter.name.as_ref().into());
            if let (Some(title), true) = (&parameter.title, revision.has(Feature::Titles)) {
                argument.insert("title".into(), title.as_ref().into());
            }
            let mut description = parameter.description.clone().into_owned();
            if let Some(schema) = input.get("properties").and_then(|properties| properties.get(&*parameter.name)) {
                let mut schema = publish::publish_generated(schema, SchemaStyle::default());
                // It may have more than the parameter's comment, such as the comments of an enum's variants.
                if let Some(Value::String(whole)) = schema.get("description") {
                    description.clone_from(whole);
                }
                if schema.get("type") != Some(&Value::from("string")) {
                    let gap = if description.is_empty() { "" } else { "\n\n" };
                    description.push_str(gap);
                    description.push_str(&describe_text_form(&mut schema));
                }
            }
            if !description.is_empty() {
                argument.insert("description".into(), description.into());
            }
            if required.is_some_and(|names| names.iter().any(|name| *name == *parameter.name)) {
                argument.insert("required".into(), true.into());
            }
            Value::from(argument)
        });
        arguments.collect()
    }
}

/// Explains the text of an argument that is no string: a number in words, any other value as JSON.
fn describe_text_form(schema: &mut Value) -> String {
    let Some(members) = schema.as_object_mut() else {
        return format!("As JSON that fits {schema}");
    };
    // The description contains these already.
    members.retain(|key, _| !matches!(key.as_str(), "title" | "description"));
    let kinds = match members.get("type") {
        Some(Value::Array(kinds)) => kinds.as_slice(),
        only => only.map_or(&[][..], std::slice::from_ref),
    };
    let is_scalar = |kind: &Value| ["integer", "number", "boolean", "null"].iter().any(|name| kind == name);
    if kinds.is_empty() || !kinds.iter().all(is_scalar) {
        return format!("As JSON that fits {schema}");
    }
    let default = match members.get("default") {
        Some(default) if !default.is_null() => format!(" The default is {default}."),
        _ => String::new(),
    };
    // An absent argument is left out, and clients do not send `null`.
    if let Some(kind) = kinds.iter().find(|kind| *kind != "null").cloned() {
        members.insert("type".into(), kind);
    }
    format!("Write {}.{default}", describe_expected(members))
}

impl ListEntry for PromptEntry {
    const MEMBER: &'static str = "prompts";
    const KIND: ComponentKind = ComponentKind::Prompt;

    fn handler(&self) -> &ComponentHandler {
        &self.handler
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, _style: SchemaStyle) {
        self.handler.metadata.write_first_members(entry, revision);
        if !self.handler.described.parameters.is_empty() {
            entry.add_member("arguments", &self.arguments(revision));
        }
        self.handler.metadata.write_last_members(entry, revision);
    }
}
