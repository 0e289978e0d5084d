//! Tools as a server keeps and lists them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::handler::{About, Handler, about};
use super::pages::Listed;
use crate::component::tool::{ToolAnnotations, ToolDefinition};
use crate::context::States;
use crate::protocol::Revision;
use crate::schema::header;

#[derive(Debug)]
pub(crate) struct ToolEntry {
    about: About,
    hints: ToolAnnotations,
    pub(crate) handler: Handler,
}

impl ToolEntry {
    pub(crate) fn new(definition: &'static ToolDefinition, states: &Arc<States>) -> ToolEntry {
        let ToolDefinition { name, invoke, timeout, location, annotations, .. } = *definition;
        let handler = Handler::new(name.into(), states, invoke, timeout, location);
        ToolEntry { about: about!(definition), hints: annotations, handler }
    }

    /// Whether legacy peers, which only know objects, get the structured result inside one.
    pub(crate) fn wraps(&self) -> bool {
        let output = self.handler.described.output.as_ref();
        output.is_some_and(|schema| schema.get("type") != Some(&Value::from("object")))
    }

    fn annotations(&self) -> Option<Value> {
        let hints = self.hints;
        let mut annotations = Map::new();
        // Clients before 2025-06-18 look for the title here, and some newer ones too.
        if let Some(title) = &self.about.title {
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

impl Listed for ToolEntry {
    const MEMBER: &'static str = "tools";

    fn key(&self) -> &str {
        &self.about.name
    }

    fn handler(&self) -> &Handler {
        &self.handler
    }

    fn to_json(&self, revision: Revision) -> Value {
        let mut entry = Map::new();
        self.about.begin(&mut entry, revision);
        let input = &self.handler.described.input;
        let input = if revision.is_modern() { input.clone() } else { header::without_marks(input) };
        entry.insert("inputSchema".into(), input);
        if let (Some(output), true) = (&self.handler.described.output, revision >= Revision::V2025_06_18) {
            let whole = revision.is_modern() || !self.wraps();
            entry.insert("outputSchema".into(), if whole { output.clone() } else { wrapped(output) });
        }
        if let (Some(annotations), true) = (self.annotations(), revision >= Revision::V2025_03_26) {
            entry.insert("annotations".into(), annotations);
        }
        self.about.end(&mut entry, revision);
        entry.into()
    }
}

/// The schema of `{"result": …}`, with the mark by which FastMCP's clients know to unwrap it.
fn wrapped(output: &Value) -> Value {
    let mut inner = output.clone();
    let definitions = inner.as_object_mut().and_then(|inner| inner.remove("$defs"));
    let mut schema = json!({
        "type": "object",
        "properties": { "result": inner },
        "required": ["result"],
        "x-fastmcp-wrap-result": true
    });
    if let (Some(definitions), Some(members)) = (definitions, schema.as_object_mut()) {
        // References point to the root, where the definitions must then be.
        members.insert("$defs".into(), definitions);
    }
    schema
}
