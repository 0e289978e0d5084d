//! The messages of a conversation with the client's model.

use serde_json::{Map, Value, json};

use crate::content::{Audio, Content, Image, RevisionView, Role, Text};
use crate::protocol::{Feature, Revision};

/// A message to or from the client's model: a role and content blocks.
///
/// Clients before 2025-11-25 support only messages of one block, so they get one message per block.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#data-types>
///
/// # Example
///
/// ```
/// use fastmcp_rs::Image;
/// use fastmcp_rs::sampling::SamplingMessage;
///
/// let chart = Image::new([0x89, b'P'], "image/png");
/// let message = SamplingMessage::user("What does this chart show?").and(chart);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SamplingMessage {
    role: Role,
    content: Vec<SamplingContent>,
}

impl SamplingMessage {
    /// Creates a message of the person from a text or a block.
    pub fn user(content: impl Into<SamplingContent>) -> SamplingMessage {
        SamplingMessage { role: Role::User, content: vec![content.into()] }
    }

    /// Creates a message of the model from a text or a block.
    pub fn assistant(content: impl Into<SamplingContent>) -> SamplingMessage {
        SamplingMessage { role: Role::Assistant, content: vec![content.into()] }
    }

    /// Creates a message with the results of all tools that the model used in the message before.
    pub fn tool_results(results: impl IntoIterator<Item = ToolResultContent>) -> SamplingMessage {
        let content = results.into_iter().map(SamplingContent::ToolResult).collect();
        SamplingMessage { role: Role::User, content }
    }

    /// Adds a block.
    pub fn and(mut self, content: impl Into<SamplingContent>) -> SamplingMessage {
        self.content.push(content.into());
        self
    }

    pub(super) fn from_parts(role: Role, content: Vec<SamplingContent>) -> SamplingMessage {
        SamplingMessage { role, content }
    }

    /// Returns the role of the author.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the blocks.
    pub fn content(&self) -> &[SamplingContent] {
        &self.content
    }

    pub(super) fn has_tool_block(&self) -> bool {
        let is_of_tool =
            |block: &SamplingContent| matches!(block, SamplingContent::ToolUse(_) | SamplingContent::ToolResult(_));
        self.content.iter().any(is_of_tool)
    }

    fn tool_uses(&self) -> impl Iterator<Item = &ToolUseContent> {
        self.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(used) => Some(used),
            _ => None,
        })
    }

    fn tool_result_ids(&self) -> impl Iterator<Item = &str> {
        self.content.iter().filter_map(|block| match block {
            SamplingContent::ToolResult(result) => Some(result.tool_use_id.as_str()),
            _ => None,
        })
    }
}

impl<T: Into<SamplingContent>> From<T> for SamplingMessage {
    fn from(content: T) -> SamplingMessage {
        SamplingMessage::user(content)
    }
}

/// A block of a [`SamplingMessage`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SamplingContent {
    /// Plain text.
    Text(Text),
    /// An image.
    Image(Image),
    /// Audio. Clients before 2025-03-26 get a text that says that audio was left out.
    Audio(Audio),
    /// A tool call that the model requests.
    ToolUse(ToolUseContent),
    /// The result of a tool call that the model requested.
    ToolResult(ToolResultContent),
}

macro_rules! into_content {
    ($($variant:ident($ty:ident)),*) => {$(
        impl From<$ty> for SamplingContent {
            fn from(block: $ty) -> SamplingContent {
                SamplingContent::$variant(block)
            }
        }
    )*};
}

into_content!(Text(Text), Image(Image), Audio(Audio), ToolUse(ToolUseContent), ToolResult(ToolResultContent));

impl From<String> for SamplingContent {
    fn from(text: String) -> SamplingContent {
        SamplingContent::Text(Text::new(text))
    }
}

impl From<&str> for SamplingContent {
    fn from(text: &str) -> SamplingContent {
        SamplingContent::Text(Text::new(text))
    }
}

/// A tool call that the model requests.
///
/// The name and the input were written by a model: validate them like any untrusted input.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#sampling-with-tools>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ToolUseContent {
    /// The id that the result must name.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments.
    pub input: Map<String, Value>,
    meta: Map<String, Value>,
}

impl ToolUseContent {
    /// Creates a call of the tool `name`.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: Map<String, Value>) -> ToolUseContent {
        ToolUseContent { id: id.into(), name: name.into(), input, meta: Map::new() }
    }

    fn read(block: &Value) -> Option<ToolUseContent> {
        let text = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(ToolUseContent {
            id: text("id")?,
            name: text("name")?,
            input: block.get("input")?.as_object()?.clone(),
            // A client may need its own metadata when the message comes back.
            meta: block.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default(),
        })
    }
}

/// The result of a tool call that the model requested.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#sampling-with-tools>
///
/// # Example
///
/// ```
/// # use fastmcp_rs::sampling::ToolUseContent;
/// use fastmcp_rs::sampling::{SamplingMessage, SamplingResult, ToolResultContent};
///
/// # fn call(_: &ToolUseContent) -> Result<String, String> { Ok("18 °C".into()) }
/// fn results(result: &SamplingResult) -> SamplingMessage {
///     SamplingMessage::tool_results(result.tool_uses().map(|used| match call(used) {
///         Ok(text) => ToolResultContent::new(&used.id, text),
///         Err(problem) => ToolResultContent::new(&used.id, problem).is_error(true),
///     }))
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ToolResultContent {
    tool_use_id: String,
    content: Vec<Content>,
    structured: Option<Value>,
    is_error: bool,
}

impl ToolResultContent {
    /// Creates the result of the [`ToolUseContent`] with this id from a text or a block.
    pub fn new(tool_use_id: impl Into<String>, content: impl Into<Content>) -> ToolResultContent {
        ToolResultContent {
            tool_use_id: tool_use_id.into(),
            content: vec![content.into()],
            structured: None,
            is_error: false,
        }
    }

    /// Adds a block.
    pub fn and(mut self, content: impl Into<Content>) -> ToolResultContent {
        self.content.push(content.into());
        self
    }

    /// Sets the structured content: a JSON object, sent in addition to the blocks.
    pub fn structured(mut self, value: Map<String, Value>) -> ToolResultContent {
        self.structured = Some(value.into());
        self
    }

    /// Sets whether the tool failed; the blocks then describe the cause. Default: false.
    pub fn is_error(mut self, is_error: bool) -> ToolResultContent {
        self.is_error = is_error;
        self
    }
}

/// Checks that the protocol allows this sequence of messages.
pub(super) fn check(messages: &[SamplingMessage]) -> Result<(), String> {
    // The tool calls of the message before.
    let mut asked: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let here = format!("message {}", at + 1);
        if message.content.is_empty() {
            return Err(format!("{here} has no content"));
        }
        let results: Vec<&str> = message.tool_result_ids().collect();
        if !results.is_empty() && message.role != Role::User {
            return Err(format!("{here} has the role `assistant`, and results of tools belong to the role `user`"));
        }
        if !results.is_empty() && results.len() < message.content.len() {
            return Err(format!("{here} has results of tools and other content: put the rest into another message"));
        }
        if let Some(id) = asked.iter().find(|id| !results.contains(id)) {
            return Err(format!(
                "{here} must begin with the results of all tools that were called, and the result for `{id}` is missing"
            ));
        }
        for (at, id) in results.iter().enumerate() {
            if !asked.contains(id) {
                return Err(format!("{here} has a result for `{id}`, which the message before it does not call"));
            }
            if results[..at].contains(id) {
                return Err(format!("{here} has two results for `{id}`"));
            }
        }
        asked = message.tool_uses().map(|used| used.id.as_str()).collect();
        if !asked.is_empty() && message.role != Role::Assistant {
            return Err(format!("{here} has the role `user`, and only the role `assistant` calls tools"));
        }
        if let Some((_, id)) = asked.iter().enumerate().find(|(at, id)| asked[..*at].contains(id)) {
            return Err(format!("{here} has two calls of tools with the id `{id}`"));
        }
    }
    match asked.first() {
        None => Ok(()),
        Some(id) => Err(format!("the last message calls a tool, `{id}`, and its result is missing")),
    }
}

/// Writes the messages in the form of a revision.
pub(super) fn write(messages: &[SamplingMessage], revision: Revision) -> Value {
    let mut written = Vec::new();
    for message in messages {
        let mut blocks: Vec<Value> = message.content.iter().map(|block| block.write(revision)).collect();
        if !revision.has(Feature::SamplingTools) {
            written.extend(blocks.into_iter().map(|block| json!({ "role": message.role, "content": block })));
            continue;
        }
        let content = match blocks.pop() {
            Some(only) if blocks.is_empty() => only,
            last => {
                blocks.extend(last);
                blocks.into()
            }
        };
        written.push(json!({ "role": message.role, "content": content }));
    }
    written.into()
}

impl SamplingContent {
    fn write(&self, revision: Revision) -> Value {
        let shared = |content: Content| json!(RevisionView(&content, revision));
        match self {
            SamplingContent::Text(text) => shared(text.clone().into()),
            SamplingContent::Image(image) => shared(image.clone().into()),
            SamplingContent::Audio(audio) => shared(audio.clone().into()),
            SamplingContent::ToolUse(used) => {
                let mut block = json!({ "type": "tool_use", "id": used.id, "name": used.name, "input": used.input });
                if !used.meta.is_empty() {
                    block["_meta"] = used.meta.clone().into();
                }
                block
            }
            SamplingContent::ToolResult(result) => {
                let content = json!(RevisionView(result.content.as_slice(), revision));
                let mut block = json!({ "type": "tool_result", "toolUseId": result.tool_use_id, "content": content });
                if let Some(structured) = &result.structured {
                    block["structuredContent"] = structured.clone();
                }
                if result.is_error {
                    block["isError"] = true.into();
                }
                block
            }
        }
    }

    /// Reads a block that a model wrote. Returns `None` if a model cannot write such a block.
    pub(super) fn read(block: &Value) -> Option<SamplingContent> {
        if block.get("type").is_some_and(|kind| kind == "tool_use") {
            return ToolUseContent::read(block).map(SamplingContent::ToolUse);
        }
        match Content::read(block)? {
            Content::Text(text) => Some(SamplingContent::Text(text)),
            Content::Image(image) => Some(SamplingContent::Image(image)),
            Content::Audio(audio) => Some(SamplingContent::Audio(audio)),
            Content::ResourceLink(_) | Content::Resource(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(id: &str) -> ToolUseContent {
        ToolUseContent::new(id, "add", Map::new())
    }

    fn result(id: &str) -> ToolResultContent {
        ToolResultContent::new(id, "3")
    }

    #[test]
    fn content_has_the_form_of_each_revision() {
        let messages = [SamplingMessage::user("a").and(Audio::new([1], "audio/wav")), SamplingMessage::assistant("b")];
        let text = |text: &str| json!({ "type": "text", "text": text });
        let audio = json!({ "type": "audio", "data": "AQ==", "mimeType": "audio/wav" });
        assert_eq!(
            write(&messages, Revision::V2026_07_28),
            json!([{ "role": "user", "content": [text("a"), audio] }, { "role": "assistant", "content": text("b") }])
        );
        assert_eq!(
            write(&messages, Revision::V2025_06_18),
            json!([
                { "role": "user", "content": text("a") },
                { "role": "user", "content": audio },
                { "role": "assistant", "content": text("b") },
            ])
        );
        assert_eq!(write(&messages, Revision::V2024_11_05)[1]["content"]["type"], "text");
    }

    #[test]
    fn tools_and_their_results_are_serialized() {
        let failed = result("1").and("x").structured(Map::new()).is_error(true);
        assert_eq!(
            SamplingContent::from(failed).write(Revision::V2026_07_28),
            json!({
                "type": "tool_result", "toolUseId": "1", "structuredContent": {}, "isError": true,
                "content": [{ "type": "text", "text": "3" }, { "type": "text", "text": "x" }],
            })
        );
        let block = json!({ "type": "tool_use", "id": "1", "name": "add", "input": { "a": 1 }, "_meta": { "b": 2 } });
        assert_eq!(SamplingContent::read(&block).unwrap().write(Revision::V2025_11_25), block);
    }

    #[test]
    fn every_tool_use_needs_a_result_in_the_next_message() {
        use SamplingMessage as Message;
        let good = [
            Message::user("a"),
            Message::assistant("b").and(uses("1")).and(uses("2")),
            Message::tool_results([result("2"), result("1")]),
            Message::assistant(uses("1")),
            Message::tool_results([result("1")]),
        ];
        assert_eq!(check(&good), Ok(()));
        for (messages, problem) in [
            (vec![Message::assistant(uses("1"))], "the last message calls a tool, `1`"),
            (vec![Message::assistant(uses("1")), Message::user("b")], "message 2 must begin with the results"),
            (
                vec![Message::assistant(uses("1")).and(uses("2")), Message::tool_results([result("1")])],
                "the result for `2` is missing",
            ),
            (vec![Message::assistant(uses("1")).and(uses("1"))], "two calls of tools with the id `1`"),
            (vec![Message::tool_results([result("1")])], "message 1 has a result for `1`, which"),
            (
                vec![Message::assistant(uses("1")), Message::tool_results([result("1"), result("1")])],
                "two results for `1`",
            ),
            (vec![Message::assistant(uses("1")), Message::user(result("1")).and("b")], "and other content"),
            (vec![Message::assistant(result("1"))], "results of tools belong to the role `user`"),
            (vec![Message::user(uses("1"))], "only the role `assistant` calls tools"),
        ] {
            let found = check(&messages).unwrap_err();
            assert!(found.contains(problem), "{found}");
        }
    }
}
