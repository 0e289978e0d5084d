//! Writes the answer to a call, as the peer's revision has it.

use serde::Serialize;

use super::result::ToolResult;
use crate::error::{Audience, Chain, ToolError};
use crate::operator;
use crate::protocol::Content;
use crate::protocol::Revision;
use crate::protocol::content::Projected;
use crate::protocol::write::{self, RpcError, code};

/// What the answer to a call depends on, besides the tool's result.
#[derive(Clone, Copy)]
pub(crate) struct AnswerFrame<'a> {
    pub(crate) id: &'a str,
    pub(crate) revision: Revision,
    pub(crate) tool: &'a str,
    /// What the tool's structured results are to legacy peers, which only know objects.
    pub(crate) wrap: bool,
    /// `"io.modelcontextprotocol/serverInfo":{…}`, or nothing.
    pub(crate) server_info: &'a [u8],
    pub(crate) show_errors: bool,
}

/// The one place where the answer to a call is written. Nothing is in the buffer until a result is known.
#[doc(hidden)]
pub struct Answer<'a> {
    out: &'a mut Vec<u8>,
    frame: AnswerFrame<'a>,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, frame: AnswerFrame<'a>) -> Self {
        Answer { out, frame }
    }

    /// A single block of text.
    pub fn text(&mut self, text: &str) {
        self.text_block(text, false);
    }

    /// A failure that the model reads.
    pub(crate) fn failure(&mut self, text: &str) {
        self.text_block(text, true);
    }

    fn text_block(&mut self, text: &str, is_error: bool) {
        self.begin();
        self.out.extend_from_slice(br#""content":[{"type":"text","text":"#);
        write::string(self.out, text);
        self.out.extend_from_slice(b"}]");
        if is_error {
            self.out.extend_from_slice(br#","isError":true"#);
        }
        self.end(false);
    }

    /// A value as structured content, and its JSON as text for peers and models that read only text.
    pub fn structured<T: Serialize>(&mut self, value: &T) {
        let start = self.out.len();
        self.begin();
        let structured = self.frame.revision >= Revision::V2025_06_18;
        // Without structured content the JSON is only a source for the text, and leaves again.
        let json_start = self.begin_structured(structured);
        if let Err(error) = write::json(self.out, value) {
            self.out.truncate(start);
            return self.unserialisable(&error);
        }
        self.finish_structured(structured, json_start);
    }

    fn begin_structured(&mut self, structured: bool) -> usize {
        if structured {
            self.out.extend_from_slice(br#""structuredContent":"#);
            if self.wraps() {
                self.out.extend_from_slice(br#"{"result":"#);
            }
        }
        self.out.len()
    }

    fn finish_structured(&mut self, structured: bool, json_start: usize) {
        let json = json_start..self.out.len();
        if structured {
            if self.wraps() {
                self.out.push(b'}');
            }
            self.out.extend_from_slice(br#","content":[{"type":"text","text":"#);
            write::string_of_json(self.out, json);
            self.out.extend_from_slice(b"}]");
            self.end(self.wraps());
        } else {
            let text = String::from_utf8_lossy(&self.out[json_start..]).into_owned();
            self.out.truncate(json_start);
            self.out.extend_from_slice(br#""content":[{"type":"text","text":"#);
            write::string(self.out, &text);
            self.out.extend_from_slice(b"}]");
            self.end(false);
        }
    }

    /// Blocks of content.
    pub(crate) fn content(&mut self, blocks: &[Content]) {
        self.begin();
        self.content_member(blocks);
        self.end(false);
    }

    /// An answer that the author composed.
    pub fn result(&mut self, result: ToolResult) {
        let revision = self.frame.revision;
        self.begin();
        self.content_member(&result.content);
        let mut wrapped = false;
        if let (Some(value), true) = (&result.structured, revision >= Revision::V2025_06_18) {
            self.out.extend_from_slice(br#","structuredContent":"#);
            wrapped = !revision.is_modern() && (self.frame.wrap || !value.is_object());
            if wrapped {
                self.out.extend_from_slice(br#"{"result":"#);
            }
            // A `Value` always has a JSON form.
            let _ = write::json(self.out, value);
            if wrapped {
                self.out.push(b'}');
            }
        }
        if result.is_error {
            self.out.extend_from_slice(br#","isError":true"#);
        }
        let mut members = Vec::new();
        for (key, value) in &result.meta {
            if !members.is_empty() {
                members.push(b',');
            }
            write::string(&mut members, key);
            members.push(b':');
            let _ = write::json(&mut members, value);
        }
        self.end_with(wrapped, &members);
    }

    fn content_member(&mut self, blocks: &[Content]) {
        self.out.extend_from_slice(br#""content":"#);
        // Blocks are strings and JSON values, which always have a JSON form.
        let _ = write::json(self.out, &Projected(blocks, self.frame.revision));
    }

    /// The failure of a handler.
    pub(crate) fn error(&mut self, error: ToolError) {
        match error.audience {
            Audience::Model(text) => self.failure(&text),
            Audience::Operator(error) => self.masked(&Chain(&*error).to_string()),
        }
    }

    /// A failure that only the operator may read.
    pub(crate) fn masked(&mut self, detail: &str) {
        let id = operator::error_id();
        operator::error(format_args!("tool `{}` failed (error {id}): {detail}", self.frame.tool));
        if self.frame.show_errors {
            self.failure(&format!("{detail} (error {id})"));
        } else {
            self.failure(&format!(
                "The tool failed for a reason that is not yours to mend (error {id}). Its details are in the server's log."
            ));
        }
    }

    /// A result that breaks the tool's own contract must not be sent.
    fn unserialisable(&mut self, error: &serde_json::Error) {
        let id = operator::error_id();
        operator::error(format_args!(
            "tool `{}` returned a value that has no JSON form (error {id}): {error}",
            self.frame.tool
        ));
        let error = RpcError::new(code::INTERNAL_ERROR, format!("Internal error {id}"));
        write::error(self.out, Some(self.frame.id), &error);
    }

    fn wraps(&self) -> bool {
        self.frame.wrap && !self.frame.revision.is_modern()
    }

    fn begin(&mut self) {
        write::begin_result(self.out, self.frame.id);
        self.out.extend_from_slice(if self.frame.revision.is_modern() {
            br#"{"resultType":"complete","#
        } else {
            b"{"
        });
    }

    fn end(&mut self, wrapped: bool) {
        self.end_with(wrapped, &[]);
    }

    /// Closes the result, after a `_meta` if there is anything to put into it.
    fn end_with(&mut self, wrapped: bool, members: &[u8]) {
        // FastMCP's clients look for this mark to unwrap a result.
        let mark: &[u8] = if wrapped { br#""fastmcp":{"wrap_result":true}"# } else { b"" };
        let server_info = if self.frame.revision.is_modern() { self.frame.server_info } else { b"" };
        let mut first = true;
        for part in [members, mark, server_info] {
            if part.is_empty() {
                continue;
            }
            self.out.extend_from_slice(if first { br#","_meta":{"# } else { b"," });
            self.out.extend_from_slice(part);
            first = false;
        }
        self.out.extend_from_slice(if first { b"}}" } else { b"}}}" });
    }
}
