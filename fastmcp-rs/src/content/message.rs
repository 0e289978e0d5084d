//! A message of a prompt.

use crate::content::{Content, Role};

/// A message of a prompt: a role and one block of content.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts#promptmessage>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Reviews a piece of code.
/// #[mcp::prompt]
/// fn review(code: &str) -> Vec<Message> {
///     vec![
///         Message::user(format!("Review this code:\n\n{code}")),
///         Message::assistant("What should I look at first?"),
///     ]
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Message {
    pub(crate) role: Role,
    pub(crate) content: Content,
}

impl Message {
    /// Creates a message of the user from a text or a block.
    pub fn user(content: impl Into<Content>) -> Message {
        Message { role: Role::User, content: content.into() }
    }

    /// Creates a message of the model from a text or a block.
    pub fn assistant(content: impl Into<Content>) -> Message {
        Message { role: Role::Assistant, content: content.into() }
    }

    /// Returns the role of the message.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the content of the message.
    pub fn content(&self) -> &Content {
        &self.content
    }
}
