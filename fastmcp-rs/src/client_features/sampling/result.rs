//! The answer of the client's model.

use serde_json::Value;

use super::super::error::truncate;
use super::{SamplingContent, SamplingMessage, ToolUseContent};
use crate::client_features::ClientRequestError;
use crate::content::Role;

/// The answer of the client's model. The client's user may have changed it.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#creating-messages>
///
/// # Example
///
/// ```
/// use fastmcp_rs::sampling::SamplingResult;
///
/// fn capital(result: &SamplingResult) -> Option<String> {
///     let was_cut = result.stop_reason.as_deref() == Some("maxTokens");
///     (!was_cut).then(|| result.text())
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplingResult {
    /// The role of the author, usually [`Role::Assistant`].
    pub role: Role,
    /// The name of the model that answered.
    pub model: String,
    /// The reason that the answer ends, if known: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or a word of the
    /// client's own.
    pub stop_reason: Option<String>,
    /// The blocks of the answer.
    pub content: Vec<SamplingContent>,
}

impl SamplingResult {
    /// Returns the text blocks of the answer, joined by line breaks; empty if there are none.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            SamplingContent::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Returns the tool calls that the model requests. Each requires a
    /// [`ToolResultContent`](crate::sampling::ToolResultContent) in the next message.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUseContent> {
        self.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(used) => Some(used),
            _ => None,
        })
    }

    /// Converts the answer to a message, to continue the conversation.
    pub fn into_message(self) -> SamplingMessage {
        SamplingMessage::from_parts(self.role, self.content)
    }
}

/// Reads the answer.
///
/// # Errors
///
/// [`ClientRequestError::InvalidResponse`] if it is not a message of a model.
pub(crate) fn read(result: &Value) -> Result<SamplingResult, ClientRequestError> {
    let invalid = |reason: &str| ClientRequestError::invalid_answer(reason);
    let role = match result.get("role").and_then(Value::as_str) {
        Some("assistant") => Role::Assistant,
        Some("user") => Role::User,
        _ => return Err(invalid("`role` must be \"assistant\" or \"user\"")),
    };
    let model = result.get("model").and_then(Value::as_str).ok_or_else(|| invalid("`model` must be a string"))?;
    let stop_reason = match result.get("stopReason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason)) => Some(reason.clone()),
        Some(_) => return Err(invalid("`stopReason` must be a string")),
    };
    let blocks = match result.get("content") {
        Some(Value::Array(blocks)) => blocks.as_slice(),
        Some(block @ Value::Object(_)) => std::slice::from_ref(block),
        _ => return Err(invalid("`content` must be a block or a list of blocks")),
    };
    let content = blocks.iter().map(|block| SamplingContent::read(block).ok_or_else(|| no_block(block)));
    Ok(SamplingResult { role, model: model.to_owned(), stop_reason, content: content.collect::<Result<_, _>>()? })
}

fn no_block(block: &Value) -> ClientRequestError {
    let kind =
        block.get("type").and_then(Value::as_str).map_or("no type".into(), |kind| format!("type `{}`", truncate(kind)));
    ClientRequestError::invalid_answer(format!(
        "a block of `content` with {kind} is not a valid text, image, audio or tool use"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sampling_results_are_parsed() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let one =
            read(&json!({ "role": "assistant", "model": "m", "content": text("Paris"), "stopReason": "endTurn" }));
        let one = one.unwrap();
        assert_eq!((one.role, one.model.as_str(), one.stop_reason.as_deref()), (Role::Assistant, "m", Some("endTurn")));
        assert_eq!(one.text(), "Paris");
        let used = json!({ "type": "tool_use", "id": "1", "name": "add", "input": { "a": 1 } });
        let blocks = json!([text("a"), used, text("b")]);
        let several = read(&json!({ "role": "assistant", "model": "m", "content": blocks })).unwrap();
        assert_eq!(several.text(), "a\nb");
        assert_eq!(several.tool_uses().map(|used| used.id.as_str()).collect::<Vec<_>>(), ["1"]);
        assert_eq!(several.clone().into_message().content(), several.content);
        for (result, reason) in [
            (json!(null), "`role`"),
            (json!({ "role": "system", "model": "m", "content": [] }), "`role`"),
            (json!({ "role": "user", "content": [] }), "`model`"),
            (json!({ "role": "user", "model": "m" }), "`content` must be"),
            (json!({ "role": "user", "model": "m", "content": "a" }), "`content` must be"),
            (json!({ "role": "user", "model": "m", "content": [1] }), "with no type"),
            (json!({ "role": "user", "model": "m", "content": { "type": "text" } }), "with type `text`"),
            (json!({ "role": "user", "model": "m", "content": { "type": "tool_result" } }), "with type `tool_result`"),
            (json!({ "role": "user", "model": "m", "content": [], "stopReason": 1 }), "`stopReason`"),
        ] {
            let error = read(&result).unwrap_err().to_string();
            assert!(error.contains(reason), "{result}: {error}");
        }
    }
}
