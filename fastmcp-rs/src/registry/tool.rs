//! A tool as the server keeps it: its definition, its schemas, and how long it takes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::component::description::{Described, Description};
use crate::component::invocation::Invocation;
use crate::component::tool::{IconDefinition, ToolDefinition};
use crate::operator;
use crate::protocol::Revision;
use crate::schema::header;

#[derive(Debug)]
pub(crate) struct ToolEntry {
    pub(crate) definition: &'static ToolDefinition,
    pub(crate) described: Described,
    pub(crate) pace: Pace,
}

impl ToolEntry {
    pub(crate) fn new(definition: &'static ToolDefinition) -> ToolEntry {
        let mut description = Description::new();
        (definition.invoke)(Invocation::describe(&mut description));
        ToolEntry { definition, described: description.finish(), pace: Pace::default() }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.definition.name
    }

    /// Whether legacy peers, which only know objects, get the structured result inside one.
    pub(crate) fn wraps(&self) -> bool {
        self.described.output.as_ref().is_some_and(|schema| schema.get("type") != Some(&Value::from("object")))
    }

    /// The entry of `tools/list`, with what the revision has.
    pub(crate) fn to_json(&self, revision: Revision) -> Value {
        let definition = self.definition;
        let mut entry = Map::new();
        let mut set = |key: &str, value: Value| {
            entry.insert(key.into(), value);
        };
        set("name", definition.name.into());
        if let (Some(title), true) = (definition.title, revision >= Revision::V2025_06_18) {
            set("title", title.into());
        }
        if !definition.description.is_empty() {
            set("description", definition.description.into());
        }
        let input = &self.described.input;
        set("inputSchema", if revision.is_modern() { input.clone() } else { header::without_marks(input) });
        if let (Some(output), true) = (&self.described.output, revision >= Revision::V2025_06_18) {
            set("outputSchema", if revision.is_modern() || !self.wraps() { output.clone() } else { wrapped(output) });
        }
        if let (Some(annotations), true) = (self.annotations(), revision >= Revision::V2025_03_26) {
            set("annotations", annotations);
        }
        if !definition.icons.is_empty() && revision >= Revision::V2025_11_25 {
            set("icons", definition.icons.iter().map(icon).collect());
        }
        if let (Some(meta), true) = (self.meta(), revision >= Revision::V2025_06_18) {
            set("_meta", meta);
        }
        entry.into()
    }

    fn annotations(&self) -> Option<Value> {
        let hints = self.definition.annotations;
        let mut annotations = Map::new();
        // Clients before 2025-06-18 look for the title here, and some newer ones too.
        if let Some(title) = self.definition.title {
            annotations.insert("title".into(), title.into());
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

    fn meta(&self) -> Option<Value> {
        let text = self.definition.meta.unwrap_or("{}");
        let mut meta: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        if !self.definition.tags.is_empty() {
            let fastmcp = meta.entry("fastmcp").or_insert_with(|| json!({}));
            if let Value::Object(fastmcp) = fastmcp {
                fastmcp.insert("tags".into(), self.definition.tags.into());
            }
        }
        (!meta.is_empty()).then(|| meta.into())
    }
}

fn icon(icon: &IconDefinition) -> Value {
    let mut entry = Map::new();
    entry.insert("src".into(), icon.src.into());
    if let Some(mime_type) = icon.mime_type {
        entry.insert("mimeType".into(), mime_type.into());
    }
    if !icon.sizes.is_empty() {
        entry.insert("sizes".into(), icon.sizes.into());
    }
    if let Some(theme) = icon.theme {
        entry.insert("theme".into(), theme.into());
    }
    entry.into()
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

/// A moving average of how long the first poll of a tool takes.
///
/// The reader polls each call once itself, which is by far the quickest way as long as tools are quick.
/// One that keeps the reader is moved to the runtime's own threads; it comes back when it is quick again.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// In nanoseconds.
    average: AtomicU32,
    samples: AtomicU32,
    /// Seconds since the first warning, plus one.
    warned: AtomicU32,
}

impl Pace {
    /// Above this a tool is not polled by the reader.
    const SLOW: u32 = 100_000;
    /// A poll that takes this long holds up a thread that other calls need.
    const BLOCKING: Duration = Duration::from_millis(100);

    pub(crate) fn is_slow(&self) -> bool {
        self.average.load(Ordering::Relaxed) > Self::SLOW
    }

    /// Whether to look at the clock for the next poll: always at first, then now and then, as looking costs
    /// a tenth of a quick call.
    pub(crate) fn wants_sample(&self) -> bool {
        let count = self.samples.load(Ordering::Relaxed);
        self.samples.store(count.wrapping_add(1), Ordering::Relaxed);
        count < 8 || count % 16 == 0
    }

    pub(crate) fn record(&self, took: Duration, tool: &str) {
        let took_nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        let average = self.average.load(Ordering::Relaxed);
        let average = if average == 0 { took_nanos } else { average - average / 4 + took_nanos / 4 };
        self.average.store(average, Ordering::Relaxed);
        if took > Self::BLOCKING {
            self.warn(took, tool);
        }
    }

    fn warn(&self, took: Duration, tool: &str) {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let now = u32::try_from(START.get_or_init(Instant::now).elapsed().as_secs()).unwrap_or(u32::MAX - 1) + 1;
        let last = self.warned.load(Ordering::Relaxed);
        // Once a minute for each tool.
        if last == 0 || now >= last.saturating_add(60) {
            self.warned.store(now, Ordering::Relaxed);
            operator::warn(format_args!(
                "tool `{tool}` blocked its thread for {} ms without an await: mark it `#[mcp::tool(blocking)]`, or make it a `fn`",
                took.as_millis()
            ));
        }
    }
}
