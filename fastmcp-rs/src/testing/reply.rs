//! Results and errors as a test reads them: the JSON as it arrived, with views that are easy to assert on.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::{Feature, Revision};

/// The result of a tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolReply {
    result: Value,
    revision: Revision,
}

impl ToolReply {
    pub(super) fn new(result: Value, revision: Revision) -> ToolReply {
        ToolReply { result, revision }
    }

    /// Returns the texts of the content blocks, joined by newlines.
    pub fn text(&self) -> String {
        texts(self.content())
    }

    /// Returns the content blocks, as they arrived.
    pub fn content(&self) -> &[Value] {
        list(&self.result, "content")
    }

    /// Returns true if the tool has failed; the text gives the reason.
    pub fn is_error(&self) -> bool {
        self.result["isError"] == true
    }

    /// Reads the structured content into a type.
    ///
    /// Before 2026-07-28 a result that is not an object is sent as the member `result` of an object, and is unwrapped
    /// here; before 2025-06-18 there is only text, which is read as JSON.
    ///
    /// # Panics
    ///
    /// Panics if the tool has failed, if there is no structured content, or if it does not fit the type.
    #[track_caller]
    pub fn structured<T: DeserializeOwned>(&self) -> T {
        assert!(!self.is_error(), "the tool failed: {}", self.text());
        if let Some(value) = self.result.get("structuredContent") {
            let whole = serde_json::from_value(value.clone());
            let inner = value.get("result").filter(|_| !self.revision.has(Feature::StructuredValues));
            return match (whole, inner.map(|inner| serde_json::from_value(inner.clone()))) {
                (Ok(value), _) | (Err(_), Some(Ok(value))) => value,
                (Err(error), None) | (Err(_), Some(Err(error))) => {
                    panic!("the structured result does not fit the type: {error}\n  in {value}")
                }
            };
        }
        assert!(
            !self.revision.has(Feature::StructuredContent),
            "the result has no structured content: {}",
            self.result
        );
        let text = self.text();
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("the text does not fit the type: {error}\n  in {text}"))
    }

    /// Returns the whole result, as it arrived.
    pub fn json(&self) -> &Value {
        &self.result
    }
}

/// The result of reading a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceReply(Value);

impl ResourceReply {
    pub(super) fn new(result: Value, _: Revision) -> ResourceReply {
        ResourceReply(result)
    }

    /// Returns the contents, as they arrived.
    pub fn contents(&self) -> &[Value] {
        list(&self.0, "contents")
    }

    /// Returns the texts of the contents, joined by newlines.
    pub fn text(&self) -> String {
        texts(self.contents())
    }

    /// Reads the text as JSON of a type.
    ///
    /// # Panics
    ///
    /// Panics if the text is not JSON of this type.
    #[track_caller]
    pub fn structured<T: DeserializeOwned>(&self) -> T {
        let text = self.text();
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("the text does not fit the type: {error}\n  in {text}"))
    }

    /// Returns the bytes of the first blob.
    ///
    /// # Panics
    ///
    /// Panics if there is no blob, or if it is not base64.
    #[track_caller]
    pub fn bytes(&self) -> Vec<u8> {
        let blob = self.contents().iter().find_map(|contents| contents["blob"].as_str());
        let Some(blob) = blob else { panic!("the result has no blob: {}", self.0) };
        BASE64_STANDARD.decode(blob).unwrap_or_else(|error| panic!("the blob is not valid Base64: {error}"))
    }

    /// Returns the whole result, as it arrived.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// The result of getting a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptReply(Value);

impl PromptReply {
    pub(super) fn new(result: Value, _: Revision) -> PromptReply {
        PromptReply(result)
    }

    /// Returns the messages, as they arrived.
    pub fn messages(&self) -> &[Value] {
        list(&self.0, "messages")
    }

    /// Returns the texts of the messages, joined by newlines.
    pub fn text(&self) -> String {
        texts(self.messages().iter().map(|message| &message["content"]))
    }

    /// Returns the whole result, as it arrived.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// The completions of an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct CompletionReply(Value);

impl CompletionReply {
    pub(super) fn new(result: Value, _: Revision) -> CompletionReply {
        CompletionReply(result)
    }

    /// Returns the values, best first.
    pub fn values(&self) -> Vec<&str> {
        list(&self.0["completion"], "values").iter().filter_map(Value::as_str).collect()
    }

    /// Returns the number of all values, including those not sent, if the server gives it.
    pub fn total(&self) -> Option<u64> {
        self.0["completion"]["total"].as_u64()
    }

    /// Returns true if there are more values than were sent.
    pub fn has_more(&self) -> bool {
        self.0["completion"]["hasMore"] == true
    }

    /// Returns the whole result, as it arrived.
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
    /// The method, such as `notifications/progress`.
    pub method: String,
    /// The parameters, as they arrived; `null` if there are none.
    pub params: Value,
}

/// The error response to a request.
///
/// A failed tool is not a `RequestError`, but a [`ToolReply`] that [is an error](ToolReply::is_error).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestError {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl RequestError {
    /// Reads the `error` of a response.
    pub(super) fn new(error: &Value) -> RequestError {
        RequestError {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().into(),
            data: error.get("data").cloned(),
        }
    }

    pub(super) fn unanswered(questions: &str) -> RequestError {
        RequestError { code: 0, message: format!("the script did not respond to {questions}"), data: None }
    }

    /// Returns the error code, such as -32602; 0 if the failure [is unanswered](RequestError::is_unanswered).
    pub fn code(&self) -> i64 {
        self.code
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the `data` of the error.
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// Returns true if the server sent no error, but a script left a request of the server unanswered, so that the call
    /// cannot be repeated ([`ClientReply::silence`](super::ClientReply::silence)).
    pub fn is_unanswered(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_unanswered(), &self.data) {
            (true, _) => formatter.write_str(&self.message),
            (false, None) => write!(formatter, "error {}: {}", self.code, self.message),
            (false, Some(data)) => write!(formatter, "error {}: {} ({data})", self.code, self.message),
        }
    }
}

impl std::error::Error for RequestError {}
