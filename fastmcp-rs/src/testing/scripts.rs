//! Requests of a server to a test client, and the scripts that answer them.
//!
//! Both eras of the protocol have the same requests and answers: as entries of `inputRequests` and `inputResponses`, or
//! as JSON-RPC requests of the server and their responses. This module treats them alike, so one script serves both.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value, json};

use crate::protocol::{Feature, ProtocolMethod, Revision};
use crate::util::sync::Mutex;

/// A request to the user: `elicitation/create`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ElicitationQuestion {
    /// The text for the user.
    pub message: String,
    /// The JSON Schema of the form; `null` if the request is to open a web page.
    pub schema: Value,
    /// The web page to open, if the request is for one.
    pub url: Option<String>,
    /// The key in `inputRequests`. Before 2026-07-28 there are no keys.
    pub key: Option<String>,
    /// All parameters, as they arrived.
    pub params: Value,
}

/// A request to the model: `sampling/createMessage`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplingQuestion {
    /// The conversation so far, as it arrived.
    pub messages: Vec<Value>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// The most tokens that the model may write.
    pub max_tokens: u64,
    /// The key in `inputRequests`. Before 2026-07-28 there are no keys.
    pub key: Option<String>,
    /// All parameters, as they arrived.
    pub params: Value,
}

impl SamplingQuestion {
    /// Returns the text of the last message, or an empty text.
    pub fn prompt(&self) -> &str {
        let content = self.messages.last().map_or(&Value::Null, |message| &message["content"]);
        let block = if content.is_array() { &content[0] } else { content };
        block["text"].as_str().unwrap_or_default()
    }
}

/// The answer of a script.
///
/// A script may also return a `serde_json::Value`, which is sent as the result without changes.
///
/// # Example
///
/// ```
/// use fastmcp_rs::testing::ClientReply;
/// use serde_json::json;
///
/// let answers = [
///     ClientReply::accept(json!({"confirm": true})),
///     ClientReply::decline(),
///     ClientReply::cancel(),
///     ClientReply::message("The capital of France is Paris."),
///     ClientReply::refuse(-1, "the user has rejected it"),
///     ClientReply::silence(),
///     ClientReply::from(json!({"action": "accept", "content": {"confirm": true}})),
/// ];
/// assert_eq!(answers[0], answers[6]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ClientReply(pub(super) ReplyKind);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReplyKind {
    Result(Value),
    Error { code: i64, message: String },
    Silence,
}

impl ClientReply {
    /// Accepts an elicitation with this content; `null` sends no content, as for a web page.
    pub fn accept(content: impl Into<Value>) -> ClientReply {
        match content.into() {
            Value::Null => ClientReply::from(json!({ "action": "accept" })),
            content => ClientReply::from(json!({ "action": "accept", "content": content })),
        }
    }

    /// Declines an elicitation.
    pub fn decline() -> ClientReply {
        ClientReply::from(json!({ "action": "decline" }))
    }

    /// Dismisses an elicitation without an answer.
    pub fn cancel() -> ClientReply {
        ClientReply::from(json!({ "action": "cancel" }))
    }

    /// Answers a sampling request with this text.
    pub fn message(text: impl Into<String>) -> ClientReply {
        let content = json!({ "type": "text", "text": text.into() });
        ClientReply::from(
            json!({ "role": "assistant", "content": content, "model": "test-model", "stopReason": "endTurn" }),
        )
    }

    /// Responds with an error.
    ///
    /// Only revisions before 2026-07-28 can express this; in 2026-07-28 it equals [`ClientReply::silence`].
    pub fn refuse(code: i64, message: impl Into<String>) -> ClientReply {
        ClientReply(ReplyKind::Error { code, message: message.into() })
    }

    /// Never answers.
    ///
    /// Before 2026-07-28 the server waits until its own time limit. In 2026-07-28 the call is not repeated, and ends
    /// with a [`RequestError`](super::RequestError) that [is unanswered](super::RequestError::is_unanswered).
    pub fn silence() -> ClientReply {
        ClientReply(ReplyKind::Silence)
    }
}

impl From<Value> for ClientReply {
    fn from(result: Value) -> ClientReply {
        ClientReply(ReplyKind::Result(result))
    }
}

type Script<Q> = Mutex<Box<dyn FnMut(Q) -> ClientReply + Send>>;

/// The scripts that answer the requests of a server.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) elicitation: Option<Script<ElicitationQuestion>>,
    pub(super) sampling: Option<Script<SamplingQuestion>>,
    pub(super) roots: Option<Vec<String>>,
}

impl Scripts {
    /// Returns the capabilities that these scripts declare in a revision.
    pub(super) fn capabilities(&self, revision: Revision) -> Map<String, Value> {
        let mut capabilities = Map::new();
        if self.elicitation.is_some() && revision.has(Feature::Elicitation) {
            let has_modes = revision.has(Feature::ElicitationModes);
            let modes = if has_modes { json!({ "form": {}, "url": {} }) } else { json!({}) };
            capabilities.insert("elicitation".into(), modes);
        }
        if self.sampling.is_some() {
            capabilities.insert("sampling".into(), json!({}));
        }
        if self.roots.is_some() {
            capabilities.insert("roots".into(), json!({}));
        }
        capabilities
    }

    /// Answers a request, or returns the reason that the server must not send it.
    pub(super) fn answer_request(
        &self,
        capabilities: &Value,
        method: &str,
        params: &Value,
        key: Option<&str>,
    ) -> Result<ClientReply, String> {
        let (capability, what, answer) = match ProtocolMethod::parse(method) {
            Some(ProtocolMethod::Elicit) => {
                let question = elicitation(params, key)?;
                let what = format!("`elicitation/create`: {}", question.message);
                if question.url.is_some() && capabilities["elicitation"].get("url").is_none() {
                    return Err(format!("the server sent {what}\nbut the client did not declare `elicitation.url`"));
                }
                ("elicitation", what, self.elicitation.as_ref().map(|script| run_script(script, question)))
            }
            Some(ProtocolMethod::CreateMessage) => {
                let question = sampling(params, key)?;
                let what = format!("`sampling/createMessage`: {}", question.prompt());
                ("sampling", what, self.sampling.as_ref().map(|script| run_script(script, question)))
            }
            Some(ProtocolMethod::ListRoots) => {
                let roots = self.roots.as_ref().map(|uris| {
                    let roots: Vec<Value> = uris.iter().map(|uri| json!({ "uri": uri })).collect();
                    Ok(ClientReply::from(json!({ "roots": roots })))
                });
                ("roots", "`roots/list`".to_owned(), roots)
            }
            Some(ProtocolMethod::Ping) if key.is_none() => return Ok(ClientReply::from(json!({}))),
            _ => return Err(format!("the server sent `{method}`, which is not a request to a client: {params}")),
        };
        if capabilities.get(capability).is_none() {
            return Err(format!("the server sent {what}\nbut the client did not declare `{capability}`"));
        }
        answer.unwrap_or_else(|| {
            let method = match capability {
                "elicitation" => "on_elicitation(|question| …)",
                "sampling" => "on_sampling(|question| …)",
                _ => "roots([…])",
            };
            Err(format!("the server sent {what}\nbut no script responds: add `.{method}` to the test client"))
        })
    }
}

/// Runs a script. Its panic becomes an error, because the waiting test may be on another thread.
fn run_script<Q>(script: &Script<Q>, question: Q) -> Result<ClientReply, String> {
    let mut script = script.lock();
    catch_unwind(AssertUnwindSafe(|| script(question)))
        .map_err(|panic| format!("a script panicked: {}", panic_text(&*panic)))
}

/// Returns the text of a panic.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)")
}

fn elicitation(params: &Value, key: Option<&str>) -> Result<ElicitationQuestion, String> {
    let url = params["url"].as_str().map(String::from);
    let is_url = params["mode"] == "url";
    let schema = params["requestedSchema"].clone();
    let message = params["message"].as_str();
    match message {
        Some(message) if is_url == url.is_some() && is_url == schema.is_null() => Ok(ElicitationQuestion {
            message: message.into(),
            schema,
            url,
            key: key.map(String::from),
            params: params.clone(),
        }),
        _ => Err(format!("the server sent an `elicitation/create` with neither a form nor a URL: {params}")),
    }
}

fn sampling(params: &Value, key: Option<&str>) -> Result<SamplingQuestion, String> {
    match (params["messages"].as_array(), params["maxTokens"].as_u64()) {
        (Some(messages), Some(max_tokens)) => Ok(SamplingQuestion {
            messages: messages.clone(),
            system_prompt: params["systemPrompt"].as_str().map(String::from),
            max_tokens,
            key: key.map(String::from),
            params: params.clone(),
        }),
        _ => Err(format!("the server sent a `sampling/createMessage` without `messages` or `maxTokens`: {params}")),
    }
}

/// The next step after a result that requires input.
#[derive(Debug, PartialEq)]
pub(super) enum InputRound {
    /// Repeat the request with these members.
    Repeat(Map<String, Value>),
    /// Give up, because a script does not answer the named request.
    GiveUp(String),
}

/// Answers the requests in a result whose `resultType` is `input_required`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>
pub(super) fn answer_input_requests(
    scripts: &Scripts,
    capabilities: &Value,
    result: &Value,
) -> Result<InputRound, String> {
    let mut more = Map::new();
    let state = result.get("requestState");
    let questions = match result.get("inputRequests") {
        Some(Value::Object(questions)) => Some(questions),
        None if state.is_some() => None,
        _ => return Err(format!("the result needs input, but has no `inputRequests`: {result}")),
    };
    if let Some(questions) = questions {
        let mut responses = Map::new();
        for (key, question) in questions {
            let Some(method) = question["method"].as_str() else {
                return Err(format!("the input request `{key}` has no method: {question}"));
            };
            let params = question.get("params").cloned().unwrap_or_else(|| json!({}));
            match scripts.answer_request(capabilities, method, &params, Some(key))?.0 {
                ReplyKind::Result(result) => {
                    responses.insert(key.clone(), result);
                }
                ReplyKind::Error { .. } | ReplyKind::Silence => {
                    return Ok(InputRound::GiveUp(format!("`{key}` ({method})")));
                }
            }
        }
        more.insert("inputResponses".into(), responses.into());
    }
    if let Some(state) = state {
        more.insert("requestState".into(), state.clone());
    }
    Ok(InputRound::Repeat(more))
}
