//! A request of a test client, from its parameters to its final response.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use serde_json::{Map, Value, json};

use super::dispatcher::Dispatcher;
use super::reply::{CompletionReply, RequestError};
use super::scripts::{InputRound, answer_input_requests};
use crate::protocol::{Feature, Revision};

/// The most rounds of a request. A handler that asks in more rounds is taken to ask for ever.
const MAX_ROUNDS: usize = 32;

/// A request of a [`TestClient`](super::TestClient), which is sent when it is first awaited.
///
/// It borrows nothing, so it may become a task: `tokio::spawn(client.call("slow", json!({})))`. Dropping it before its
/// response cancels it.
///
/// # Errors
///
/// Fails if the server responds with an error. A failed tool is a reply.
#[must_use = "a request is sent when it is awaited"]
pub struct Request<R> {
    step: RequestStep,
    revision: Revision,
    view: fn(Value, Revision) -> R,
}

enum RequestStep {
    Draft(RequestDraft),
    Sent(ExchangeFuture),
    Over,
}

type ExchangeFuture = Pin<Box<dyn Future<Output = Result<Value, RequestError>> + Send>>;

/// A request that is not sent yet.
pub(super) struct RequestDraft {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
    pub(super) meta: Map<String, Value>,
    /// True if the scripts answer results that require input.
    pub(super) answers_questions: bool,
}

impl<R> Request<R> {
    pub(super) fn new(draft: RequestDraft, view: fn(Value, Revision) -> R) -> Request<R> {
        let revision = draft.dispatcher.revision;
        Request { step: RequestStep::Draft(draft), revision, view }
    }

    /// Adds a member to the request's `_meta`, or replaces it.
    pub fn meta(mut self, name: impl Into<String>, value: impl Into<Value>) -> Request<R> {
        if let RequestStep::Draft(draft) = &mut self.step {
            draft.meta.insert(name.into(), value.into());
        }
        self
    }

    /// Requests progress notifications with this token, a string or an integer.
    pub fn progress_token(self, token: impl Into<Value>) -> Request<R> {
        self.meta("progressToken", token)
    }
}

impl Request<CompletionReply> {
    /// Adds the value of another argument that is already chosen. Revisions before 2025-06-18 cannot express it, and it
    /// is left out.
    pub fn context(mut self, argument: impl Into<String>, value: impl Into<String>) -> Request<CompletionReply> {
        if let RequestStep::Draft(draft) = &mut self.step {
            if draft.dispatcher.revision.has(Feature::CompletionContext) {
                let context = draft.params.entry("context").or_insert_with(|| json!({ "arguments": {} }));
                context["arguments"][argument.into()] = value.into().into();
            }
        }
        self
    }
}

impl<R> Future for Request<R> {
    type Output = Result<R, RequestError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut sent = match std::mem::replace(&mut self.step, RequestStep::Over) {
            RequestStep::Draft(draft) => Box::pin(draft.exchange()),
            RequestStep::Sent(sent) => sent,
            RequestStep::Over => panic!("a request was polled after its answer"),
        };
        match sent.as_mut().poll(task) {
            Poll::Ready(answer) => Poll::Ready(answer.map(|result| (self.view)(result, self.revision))),
            Poll::Pending => {
                self.step = RequestStep::Sent(sent);
                Poll::Pending
            }
        }
    }
}

impl<R> std::fmt::Debug for Request<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").finish_non_exhaustive()
    }
}

impl RequestDraft {
    async fn exchange(self) -> Result<Value, RequestError> {
        let RequestDraft { dispatcher, method, mut params, meta, answers_questions } = self;
        if !meta.is_empty() {
            params.insert("_meta".into(), meta.into());
        }
        let mut asked = Value::Null;
        for _ in 0..MAX_ROUNDS {
            let result = dispatcher.start_request(&method, params.clone()).wait_for_response().await?;
            if !answers_questions
                || !dispatcher.revision.has(Feature::InputRequired)
                || result["resultType"] != "input_required"
            {
                return Ok(result);
            }
            // Each round carries only the answers to the round before.
            params.remove("inputResponses");
            params.remove("requestState");
            match answer_input_requests(&dispatcher.scripts, &dispatcher.capabilities, &result) {
                Ok(InputRound::Repeat(more)) => params.extend(more),
                Ok(InputRound::GiveUp(questions)) => return Err(RequestError::unanswered(&questions)),
                Err(problem) => panic!("{problem}"),
            }
            asked = result;
        }
        panic!("`{method}` still needs input after {MAX_ROUNDS} rounds: {}", asked["inputRequests"])
    }
}
