//! The error of a request to the client.

use std::time::Duration;

use serde_json::{Value, json};

use super::Capability;

use crate::util::count::counted;

/// The maximum number of characters of a client's text that an error repeats.
const MAX_QUOTED: usize = 256;

/// The reason that a request to the client has no answer.
///
/// A person who declines or dismisses a request has answered: see
/// [`ElicitationResult`](crate::elicitation::ElicitationResult). The texts are for the model: `?` in a tool passes them
/// on. [`ClientRequestError::Unsupported`] names the capability that the client lacks.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#error-handling>
///
/// # Example
///
/// ```
/// use fastmcp_rs::ClientRequestError;
///
/// let error = ClientRequestError::InvalidResponse { reason: "`/quantity`: missing".into() };
/// assert_eq!(error.to_string(), "the client's response is invalid: `/quantity`: missing");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientRequestError {
    /// The client did not declare the required capability, or its message accepts no stream that could carry the
    /// request: before 2026-07-28, its `Accept` must contain `text/event-stream`.
    #[error("{}", unsupported(.capability, .reason))]
    #[non_exhaustive]
    Unsupported {
        /// The missing capability: `elicitation.form`, `elicitation.url`, `sampling`, `sampling.tools` or `roots`.
        capability: &'static str,
        /// The part of the request that the client's revision of the protocol, or its `Accept`, lacks, if that is the
        /// reason.
        reason: Option<String>,
    },
    /// The protocol does not allow requests to the client here, for example in a notification or a list.
    #[error("requests to the client are possible only during `tools/call`, `resources/read` and `prompts/get`")]
    NotPossibleHere,
    /// No answer arrived in time.
    #[error("the client did not respond within {}: call again when the user can answer", counted(.after.as_secs(), "second"))]
    TimedOut {
        /// The time limit.
        after: Duration,
    },
    /// The client responded with an error, or with a response that cannot be read, such as one of more than 1 MiB.
    #[error("the client returned an error: {message} (code {code})")]
    Refused {
        /// The client's JSON-RPC error code.
        code: i64,
        /// The client's error message, cut after 256 characters.
        message: String,
    },
    /// The answer does not fit the request.
    #[error("the client's response is invalid: {reason}")]
    InvalidResponse {
        /// The fault and its place in the answer.
        reason: String,
    },
    /// The request itself is invalid: a mistake of the handler's author.
    #[error("invalid request to the client: {reason}")]
    InvalidRequest {
        /// The fault of the request.
        reason: String,
    },
    /// Two different requests of one call have the same key: a mistake of the handler's author.
    #[error("two requests to the client have the key `{key}`: give each its own key")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The call has ended or continues in another round, or the client has closed its end and can answer nothing more.
    /// In the first two cases the handler is dropped with its call and does not see this error; a task or a thread that
    /// the handler or middleware has spawned does see it, and should end too. At that moment the client may already
    /// answer in another round.
    #[error("the call that sent the request has ended")]
    Ended,
    /// Too many requests await this client's answers.
    #[error("too many requests are waiting for the client's responses: call again later")]
    TooMany,
}

impl ClientRequestError {
    pub(crate) fn unsupported(capability: Capability) -> ClientRequestError {
        ClientRequestError::Unsupported { capability: capability.name(), reason: None }
    }

    pub(crate) fn unsupported_because(capability: Capability, reason: String) -> ClientRequestError {
        ClientRequestError::Unsupported { capability: capability.name(), reason: Some(reason) }
    }

    /// Reports a client whose message accepts no stream, so that a request would never reach it.
    pub(crate) fn unreachable(capability: Capability) -> ClientRequestError {
        let name = capability.name();
        let reason = format!("`{name}` needs a request whose `Accept` includes text/event-stream");
        ClientRequestError::unsupported_because(capability, reason)
    }

    /// Wraps the error response of a client. The message is the client's text, so it is cut.
    pub(crate) fn from_error_response(code: i64, message: &str) -> ClientRequestError {
        ClientRequestError::Refused { code, message: truncate(message) }
    }

    pub(crate) fn invalid_answer(reason: impl Into<String>) -> ClientRequestError {
        ClientRequestError::InvalidResponse { reason: reason.into() }
    }

    pub(crate) fn invalid_question(reason: impl Into<String>) -> ClientRequestError {
        ClientRequestError::InvalidRequest { reason: reason.into() }
    }

    /// Returns the capabilities that a client must declare for this request: the `requiredCapabilities` of an error
    /// -32021.
    pub(crate) fn required_capabilities(&self) -> Option<Value> {
        let ClientRequestError::Unsupported { capability, .. } = self else { return None };
        Some(capability.rsplit('.').fold(json!({}), |inner, name| json!({ name: inner })))
    }

    /// Returns true if the handler must be changed. Such an error is for the operator, and of no use to a model.
    pub(crate) fn is_author_mistake(&self) -> bool {
        matches!(
            self,
            ClientRequestError::InvalidRequest { .. }
                | ClientRequestError::DuplicateKey { .. }
                | ClientRequestError::NotPossibleHere
        )
    }
}

fn unsupported(capability: &str, reason: &Option<String>) -> String {
    let action = match capability {
        "elicitation.form" => "ask its user",
        "elicitation.url" => "let its user open a web page",
        "sampling" => "ask its model",
        "sampling.tools" => "let its model call tools",
        _ => "list its roots",
    };
    match reason {
        Some(reason) => format!("the client cannot {action} here: {reason}"),
        None => format!("the client cannot {action}: it has not declared `{capability}`"),
    }
}

pub(super) fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_capabilities_are_reported_as_objects() {
        for (capability, required) in [
            (Capability::Form, json!({ "elicitation": { "form": {} } })),
            (Capability::Url, json!({ "elicitation": { "url": {} } })),
            (Capability::Sampling, json!({ "sampling": {} })),
            (Capability::SamplingTools, json!({ "sampling": { "tools": {} } })),
            (Capability::Roots, json!({ "roots": {} })),
        ] {
            let error = ClientRequestError::unsupported(capability);
            assert_eq!(error.required_capabilities(), Some(required));
            assert!(error.to_string().contains(capability.name()), "{error}");
        }
        assert_eq!(ClientRequestError::TooMany.required_capabilities(), None);
    }

    #[test]
    fn the_error_text_of_a_client_is_cut() {
        let ClientRequestError::Refused { message, .. } =
            ClientRequestError::from_error_response(-1, &"é".repeat(1000))
        else {
            unreachable!()
        };
        assert_eq!(message.chars().count(), MAX_QUOTED + 1);
        assert_eq!(
            ClientRequestError::from_error_response(-1, "the user is away").to_string(),
            "the client returned an error: the user is away (code -1)"
        );
    }
}
