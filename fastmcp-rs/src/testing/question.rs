//! What a server asks a test client, and the scripts that answer.
//!
//! The two eras carry the same questions and answers: as entries of `inputRequests` and `inputResponses`, or as
//! requests of the server and their responses. Here they are one, so that a script serves both.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::protocol::Revision;

/// A question to the user: what an `elicitation/create` asks.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ElicitationQuestion {
    /// What the user reads.
    pub message: String,
    /// The JSON Schema of the form; `null` if the question is a page on the web.
    pub schema: Value,
    /// The page on the web that the user is sent to, if the question is one.
    pub url: Option<String>,
    /// The question's key in `inputRequests`. Before 2026-07-28 questions have none.
    pub key: Option<String>,
    /// All that was asked, as it came.
    pub params: Value,
}

/// A question to the model: what a `sampling/createMessage` asks.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplingQuestion {
    /// The conversation so far, as it came.
    pub messages: Vec<Value>,
    /// What the model is told before the conversation.
    pub system_prompt: Option<String>,
    /// The most tokens that the model may write.
    pub max_tokens: u64,
    /// The question's key in `inputRequests`. Before 2026-07-28 questions have none.
    pub key: Option<String>,
    /// All that was asked, as it came.
    pub params: Value,
}

impl SamplingQuestion {
    /// The text of the last message, or an empty one.
    pub fn prompt(&self) -> &str {
        let content = self.messages.last().map_or(&Value::Null, |message| &message["content"]);
        let block = if content.is_array() { &content[0] } else { content };
        block["text"].as_str().unwrap_or_default()
    }
}

/// What a script answers to a question.
///
/// A script may also return a `serde_json::Value`: it is sent as the result, as it is.
///
/// # Example
///
/// ```
/// use fastmcp_rs::testing::Answer;
/// use serde_json::json;
///
/// let answers = [
///     Answer::accept(json!({"confirm": true})),
///     Answer::decline(),
///     Answer::cancel(),
///     Answer::message("The capital of France is Paris."),
///     Answer::refuse(-1, "the user has rejected it"),
///     Answer::silence(),
///     Answer::from(json!({"action": "accept", "content": {"confirm": true}})),
/// ];
/// assert_eq!(answers[0], answers[6]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub(super) Kind);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Result(Value),
    Error { code: i64, message: String },
    Silence,
}

impl Answer {
    /// The user fills in the form with this content; `null` is an answer without content, as that of somebody who
    /// was sent to a page on the web.
    pub fn accept(content: impl Into<Value>) -> Answer {
        match content.into() {
            Value::Null => Answer::from(json!({ "action": "accept" })),
            content => Answer::from(json!({ "action": "accept", "content": content })),
        }
    }

    /// The user says no.
    pub fn decline() -> Answer {
        Answer::from(json!({ "action": "decline" }))
    }

    /// The user closes the question without an answer.
    pub fn cancel() -> Answer {
        Answer::from(json!({ "action": "cancel" }))
    }

    /// The model writes this text.
    pub fn message(text: impl Into<String>) -> Answer {
        let content = json!({ "type": "text", "text": text.into() });
        Answer::from(json!({ "role": "assistant", "content": content, "model": "test-model", "stopReason": "endTurn" }))
    }

    /// The client answers with an error.
    ///
    /// Only revisions before 2026-07-28 have words for it; in 2026-07-28 it is [`Answer::silence`].
    pub fn refuse(code: i64, message: impl Into<String>) -> Answer {
        Answer(Kind::Error { code, message: message.into() })
    }

    /// There is never an answer.
    ///
    /// Before 2026-07-28 the server waits for one until its own time limit. In 2026-07-28 the call is not repeated,
    /// and ends with a [`Failure`](super::Failure) that [is unanswered](super::Failure::is_unanswered).
    pub fn silence() -> Answer {
        Answer(Kind::Silence)
    }
}

impl From<Value> for Answer {
    fn from(result: Value) -> Answer {
        Answer(Kind::Result(result))
    }
}

type Script<Q> = Mutex<Box<dyn FnMut(Q) -> Answer + Send>>;

/// Who answers the questions of a server.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) elicitation: Option<Script<ElicitationQuestion>>,
    pub(super) sampling: Option<Script<SamplingQuestion>>,
    pub(super) roots: Option<Vec<String>>,
}

impl Scripts {
    /// The capabilities that a client with these scripts has, unless it was told others.
    pub(super) fn capabilities(&self, revision: Revision) -> Map<String, Value> {
        let mut capabilities = Map::new();
        if self.elicitation.is_some() && revision >= Revision::V2025_06_18 {
            let modes = if revision >= Revision::V2025_11_25 { json!({ "form": {}, "url": {} }) } else { json!({}) };
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

    /// Answers a question, or tells what is wrong with its being asked.
    pub(super) fn answer(
        &self,
        capabilities: &Value,
        method: &str,
        params: &Value,
        key: Option<&str>,
    ) -> Result<Answer, String> {
        let (capability, what, answer) = match method {
            "elicitation/create" => {
                let question = elicitation(params, key)?;
                let what = format!("`elicitation/create`: {}", question.message);
                if question.url.is_some() && capabilities["elicitation"].get("url").is_none() {
                    return Err(format!("the server asked {what}, and the client did not declare `elicitation.url`"));
                }
                ("elicitation", what, self.elicitation.as_ref().map(|script| play(script, question)))
            }
            "sampling/createMessage" => {
                let question = sampling(params, key)?;
                let what = format!("`sampling/createMessage`: {}", question.prompt());
                ("sampling", what, self.sampling.as_ref().map(|script| play(script, question)))
            }
            "roots/list" => {
                let roots = self.roots.as_ref().map(|uris| {
                    let roots: Vec<Value> = uris.iter().map(|uri| json!({ "uri": uri })).collect();
                    Ok(Answer::from(json!({ "roots": roots })))
                });
                ("roots", "`roots/list`".to_owned(), roots)
            }
            "ping" if key.is_none() => return Ok(Answer::from(json!({}))),
            other => return Err(format!("the server asked `{other}`, which is no question to a client: {params}")),
        };
        if capabilities.get(capability).is_none() {
            return Err(format!("the server asked {what}\nbut the client did not declare `{capability}`"));
        }
        answer.unwrap_or_else(|| {
            let method = match capability {
                "elicitation" => "on_elicitation(|question| …)",
                "sampling" => "on_sampling(|question| …)",
                _ => "roots([…])",
            };
            Err(format!("the server asked {what}\nbut no script answers: add `.{method}` to the test client"))
        })
    }
}

/// Asks a script. What it panics with is told to the test that waits, which may be on another thread.
fn play<Q>(script: &Script<Q>, question: Q) -> Result<Answer, String> {
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    catch_unwind(AssertUnwindSafe(|| script(question))).map_err(|panic| format!("a script panicked: {}", said(&*panic)))
}

/// What a panic said.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> &str {
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
        _ => Err(format!("the server asked an `elicitation/create` that is neither a form nor a page: {params}")),
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
        _ => Err(format!("the server asked a `sampling/createMessage` without `messages` and `maxTokens`: {params}")),
    }
}

/// What is to be sent for a result that asks for input.
#[derive(Debug, PartialEq)]
pub(super) enum Round {
    /// The request again, with these members.
    Repeat(Map<String, Value>),
    /// Nothing, as a script does not answer what was asked.
    GiveUp(String),
}

/// Answers the questions of a result whose `resultType` is `input_required`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>
pub(super) fn answer_round(scripts: &Scripts, capabilities: &Value, result: &Value) -> Result<Round, String> {
    let mut more = Map::new();
    let state = result.get("requestState");
    let questions = match result.get("inputRequests") {
        Some(Value::Object(questions)) => Some(questions),
        None if state.is_some() => None,
        _ => return Err(format!("the server wants input and does not say what: {result}")),
    };
    if let Some(questions) = questions {
        let mut responses = Map::new();
        for (key, question) in questions {
            let Some(method) = question["method"].as_str() else {
                return Err(format!("the question `{key}` has no method: {question}"));
            };
            let params = question.get("params").cloned().unwrap_or_else(|| json!({}));
            match scripts.answer(capabilities, method, &params, Some(key))?.0 {
                Kind::Result(result) => {
                    responses.insert(key.clone(), result);
                }
                Kind::Error { .. } | Kind::Silence => return Ok(Round::GiveUp(format!("`{key}` ({method})"))),
            }
        }
        more.insert("inputResponses".into(), responses.into());
    }
    if let Some(state) = state {
        more.insert("requestState".into(), state.clone());
    }
    Ok(Round::Repeat(more))
}
