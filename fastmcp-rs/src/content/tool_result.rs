//! A tool result under the author's full control.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::content::Content;
use crate::json::dual_serializer::{of_tree, to_value};

/// A tool result under the author's full control: blocks, structured content, the error flag and `_meta`.
///
/// Most tools return plain values instead: a text, a block, or any type that implements `Serialize`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Looks a word up.
/// #[mcp::tool]
/// fn look_up(word: &str) -> ToolResult {
///     ToolResult::text(format!("{word}: a word")).meta("com.example/source", "dictionary")
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct ToolResult {
    pub(crate) content: Vec<Content>,
    pub(crate) structured: Option<Value>,
    pub(crate) is_error: bool,
    pub(crate) meta: Map<String, Value>,
    /// True if the structured content is a number or a boolean, which is sent as text alone if the author configures
    /// that.
    pub(crate) is_scalar: bool,
    /// The reason that this cannot be sent, for the log: it was made from a value that has no JSON form.
    pub(crate) fault: Option<Cow<'static, str>>,
}

impl ToolResult {
    /// Creates a result without any content.
    pub fn new() -> ToolResult {
        ToolResult::default()
    }

    /// Creates a result of one text block.
    pub fn text(text: impl Into<String>) -> ToolResult {
        ToolResult::new().content(Content::text(text))
    }

    /// Creates a failed result, whose text the model reads.
    pub fn error(text: impl Into<String>) -> ToolResult {
        ToolResult { is_error: true, ..ToolResult::text(text) }
    }

    /// Adds a block.
    pub fn content(mut self, block: impl Into<Content>) -> ToolResult {
        self.content.push(block.into());
        self
    }

    /// Sets the structured content, and adds its JSON as a text block if there is no block yet.
    ///
    /// # Errors
    ///
    /// Fails if a part of the value has no JSON form: a float that is NaN or infinite, or a map key that is not a
    /// string, a number or a boolean. The error names the place of that part.
    pub fn structured(mut self, value: impl Serialize) -> Result<ToolResult, serde_json::Error> {
        let value = to_value(&value)?;
        // A link gets a text of its own only where there is none.
        if self.content.iter().all(|block| matches!(block, Content::ResourceLink(_))) {
            self.content.push(Content::text(of_tree(&value)));
        }
        self.structured = Some(value);
        Ok(self)
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> &[Content] {
        &self.content
    }

    /// Returns the structured content, if any.
    pub fn structured_content(&self) -> Option<&Value> {
        self.structured.as_ref()
    }

    /// Returns the text blocks, one per line.
    pub fn as_text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Sets whether the call failed.
    pub fn is_error(mut self, is_error: bool) -> ToolResult {
        self.is_error = is_error;
        self
    }

    /// Sets a member of the result's `_meta`, which the model does not see.
    ///
    /// Keys should have a prefix that you own, such as `com.example/key`. Peers before 2025-06-18 get it too, because
    /// results have had a `_meta` since the first revision.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> ToolResult {
        self.meta.insert(key.into(), value.into());
        self
    }
}

/// Creates a result of structured content, and its JSON as text.
impl From<Value> for ToolResult {
    fn from(value: Value) -> ToolResult {
        ToolResult { structured: Some(value.clone()), ..ToolResult::text(of_tree(&value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_content_with_only_links_has_its_json_as_text() -> Result<(), serde_json::Error> {
        use crate::content::ResourceLink;

        let result = ToolResult::new().content(ResourceLink::new("a:b", "a")).structured([1, 2])?;
        assert_eq!(result.as_text(), "[1,2]");
        let result = ToolResult::text("two").structured([1, 2])?;
        assert_eq!(result.as_text(), "two", "a text of the author's stays alone");
        Ok(())
    }
}
