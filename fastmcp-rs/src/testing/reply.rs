//! What a test sees of an answer: the JSON as it came, and views of it that read well in an assertion.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::Revision;

/// What a tool has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolReply {
    result: Value,
    revision: Revision,
}

impl ToolReply {
    pub(super) fn new(result: Value, revision: Revision) -> ToolReply {
        ToolReply { result, revision }
    }

    /// All text of the content, block by block, with a newline between two of them.
    pub fn text(&self) -> String {
        texts(self.content())
    }

    /// The blocks of the content, as they came.
    pub fn content(&self) -> &[Value] {
        list(&self.result, "content")
    }

    /// Whether the tool has failed, and the text says why.
    pub fn is_error(&self) -> bool {
        self.result["isError"] == true
    }

    /// The structured result as a type.
    ///
    /// Before 2026-07-28 a result that is no object travels inside of one, as its member `result`, and is taken out
    /// of it; before 2025-06-18 there is only text, which is then read as JSON.
    ///
    /// # Panics
    ///
    /// Panics if the tool has failed, if there is no structured result, or if it is not of this type.
    #[track_caller]
    pub fn structured<T: DeserializeOwned>(&self) -> T {
        assert!(!self.is_error(), "the tool has failed: {}", self.text());
        if let Some(value) = self.result.get("structuredContent") {
            let whole = serde_json::from_value(value.clone());
            let inner = value.get("result").filter(|_| !self.revision.is_modern());
            return match (whole, inner.map(|inner| serde_json::from_value(inner.clone()))) {
                (Ok(value), _) | (Err(_), Some(Ok(value))) => value,
                (Err(error), None) | (Err(_), Some(Err(error))) => {
                    panic!("the structured result is not of this type: {error}\n  in {value}")
                }
            };
        }
        assert!(self.revision < Revision::V2025_06_18, "there is no structured result in {}", self.result);
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("the text is not of this type: {error}\n  in {text}"))
    }

    /// The whole result, as it came.
    pub fn json(&self) -> &Value {
        &self.result
    }
}

/// What reading a resource has given.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceReply(Value);

impl ResourceReply {
    pub(super) fn new(result: Value, _: Revision) -> ResourceReply {
        ResourceReply(result)
    }

    /// The contents, as they came.
    pub fn contents(&self) -> &[Value] {
        list(&self.0, "contents")
    }

    /// All text of the contents, with a newline between two of them.
    pub fn text(&self) -> String {
        texts(self.contents())
    }

    /// The text, read as JSON of a type.
    ///
    /// # Panics
    ///
    /// Panics if the text is not JSON of this type.
    #[track_caller]
    pub fn structured<T: DeserializeOwned>(&self) -> T {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("the text is not of this type: {error}\n  in {text}"))
    }

    /// The bytes of the first contents that are a blob.
    ///
    /// # Panics
    ///
    /// Panics if there is no blob, or if it is not base64.
    #[track_caller]
    pub fn bytes(&self) -> Vec<u8> {
        let blob = self.contents().iter().find_map(|contents| contents["blob"].as_str());
        let Some(blob) = blob else { panic!("there is no blob in {}", self.0) };
        BASE64_STANDARD.decode(blob).unwrap_or_else(|error| panic!("the blob is not base64: {error}"))
    }

    /// The whole result, as it came.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// What a prompt has become.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptReply(Value);

impl PromptReply {
    pub(super) fn new(result: Value, _: Revision) -> PromptReply {
        PromptReply(result)
    }

    /// The messages, as they came.
    pub fn messages(&self) -> &[Value] {
        list(&self.0, "messages")
    }

    /// All text of the messages, with a newline between two of them.
    pub fn text(&self) -> String {
        texts(self.messages().iter().map(|message| &message["content"]))
    }

    /// The whole result, as it came.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// The values that were suggested for an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletionReply(Value);

impl CompletionReply {
    pub(super) fn new(result: Value, _: Revision) -> CompletionReply {
        CompletionReply(result)
    }

    /// The values, best first.
    pub fn values(&self) -> Vec<&str> {
        list(&self.0["completion"], "values").iter().filter_map(Value::as_str).collect()
    }

    /// How many values there are, sent or not, if the server says.
    pub fn total(&self) -> Option<u64> {
        self.0["completion"]["total"].as_u64()
    }

    /// Whether there are more values than were sent.
    pub fn has_more(&self) -> bool {
        self.0["completion"]["hasMore"] == true
    }

    /// The whole result, as it came.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().map_or(&[], Vec::as_slice)
}

fn texts<'a>(blocks: impl IntoIterator<Item = &'a Value>) -> String {
    let texts: Vec<&str> = blocks.into_iter().filter_map(|block| block["text"].as_str()).collect();
    texts.join("\n")
}

/// A notification from the server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// Its method, such as `notifications/progress`.
    pub method: String,
    /// Its parameters, as they came; `null` if there are none.
    pub params: Value,
}

/// A request that got no result: the error that was answered.
///
/// A tool that fails is not one of these, but a [`ToolReply`] that [is an error](ToolReply::is_error).
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Failure {
    /// The failure that the `error` of a response tells.
    pub(super) fn new(error: &Value) -> Failure {
        Failure {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().into(),
            data: error.get("data").cloned(),
        }
    }

    pub(super) fn unanswered(questions: &str) -> Failure {
        Failure {
            code: 0,
            message: format!("the server asked, and the script did not answer: {questions}"),
            data: None,
        }
    }

    /// The code of JSON-RPC or of the protocol, such as −32602; 0 if it [is unanswered](Failure::is_unanswered).
    pub fn code(&self) -> i64 {
        self.code
    }

    /// What is wrong, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the error says besides.
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// Whether no error was answered, but a script has left a question of the server without an answer, so that the
    /// request cannot be made again ([`Answer::silence`](super::Answer::silence)).
    pub fn is_unanswered(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_unanswered(), &self.data) {
            (true, _) => formatter.write_str(&self.message),
            (false, None) => write!(formatter, "error {}: {}", self.code, self.message),
            (false, Some(data)) => write!(formatter, "error {}: {} ({data})", self.code, self.message),
        }
    }
}

impl std::error::Error for Failure {}
