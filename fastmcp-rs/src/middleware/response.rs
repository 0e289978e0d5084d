//! The result of an operation as layers see it: a [`Response`] with the text of a result, or an [`OperationError`].

use std::error::Error as StdError;
use std::fmt;
use std::mem::discriminant;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::component::result_writer::{ResponseFrame, ResultWriter, Subject};
use crate::content::message::Message;
use crate::content::resource_contents::ResourceContents;
use crate::content::tool_result::ToolResult;
use crate::context::ComponentEnv;
use crate::error::{Audience, ToolError};
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::{RpcError, code};
use crate::protocol::{Outcome, Revision};
use crate::util::catch_panic::CaughtPanic;

/// The id in frames that handlers write for layers. Such frames are never sent.
const ID: &str = "0";
/// The bytes before the result in such a frame.
const RESULT_START: &str = r#"{"jsonrpc":"2.0","id":0,"result":"#;

/// The settings with which the results of one operation are written.
#[derive(Clone, Debug)]
pub(crate) struct ResponseFormat {
    pub(crate) revision: Revision,
    pub(crate) component: Arc<ComponentEnv>,
    pub(crate) subject: Subject,
    pub(crate) server_info: Arc<ServerInfo>,
    pub(crate) show_errors: bool,
}

impl ResponseFormat {
    pub(crate) fn frame(&self) -> ResponseFrame<'_> {
        ResponseFrame {
            id: ID,
            revision: self.revision,
            name: &self.component.name,
            subject: &self.subject,
            server_info: &self.server_info,
            show_errors: self.show_errors,
        }
    }

    /// Renders the result that a [`ResultWriter`] writes.
    pub(crate) fn render(
        self: &Arc<ResponseFormat>,
        write: impl FnOnce(&mut ResultWriter<'_>),
    ) -> Result<Response, OperationError> {
        let mut response = InnerResponse::default();
        response.write(self, write);
        self.resolve_response(response)
    }

    /// Converts a response that was written for layers.
    pub(crate) fn resolve_response(
        self: &Arc<ResponseFormat>,
        response: InnerResponse,
    ) -> Result<Response, OperationError> {
        let InnerResponse { frame, error, outcome } = response;
        if let Some(error) = error {
            return Err(OperationError(OperationErrorKind::Rpc(error)));
        }
        if frame.len() <= RESULT_START.len() {
            return Err(OperationError::new(code::INTERNAL_ERROR, "Internal error: the response is missing"));
        }
        // The last byte is the brace that closes the frame.
        self.response(&frame[RESULT_START.len()..frame.len() - 1], outcome)
    }

    /// Wraps the text of a result that was written elsewhere.
    pub(crate) fn wrap_json(self: &Arc<ResponseFormat>, json: &[u8]) -> Result<Response, OperationError> {
        self.response(json, Outcome::Ok)
    }

    fn response(self: &Arc<ResponseFormat>, json: &[u8], outcome: Outcome) -> Result<Response, OperationError> {
        match std::str::from_utf8(json) {
            Ok(json) => Ok(Response { json: json.into(), outcome, response_format: Arc::clone(self) }),
            Err(_) => Err(OperationError::new(code::INTERNAL_ERROR, "Internal error: a response is not valid UTF-8")),
        }
    }

    pub(super) fn write(self: &Arc<ResponseFormat>, replacement: OperationResult) -> Result<Response, OperationError> {
        let fits = matches!(
            (&replacement, &self.subject),
            (OperationResult::Tool(_), Subject::ToolCall(_))
                | (OperationResult::Contents(_), Subject::ResourceRead { .. })
                | (OperationResult::Messages(_), Subject::PromptGet { .. })
                | (OperationResult::Values(_), Subject::Completion { .. })
        );
        if !fits {
            let made = replacement.noun();
            return self.render(|writer| writer.masked_error(&format!("a layer returned {made} as its response")));
        }
        self.render(|answer| match replacement {
            OperationResult::Tool(result) => answer.result(result),
            OperationResult::Contents(contents) => answer.contents(Some(contents)),
            OperationResult::Messages(messages) => answer.messages(&messages),
            OperationResult::Values(values) => answer.candidates(values),
        })
    }

    /// Converts the end of a layer into the form in which the next outer layer gets it: the error of a tool and a panic
    /// become failed results.
    pub(super) fn resolve_result(
        self: &Arc<ResponseFormat>,
        outcome: Result<Result<Response, OperationError>, CaughtPanic>,
    ) -> Result<Response, OperationError> {
        match outcome {
            Ok(Ok(reply)) if self.is_like(&reply.response_format) => Ok(reply),
            Ok(Ok(_)) => self.render(|writer| writer.masked_error("a layer returned the response to another request")),
            Ok(Err(OperationError(OperationErrorKind::Tool(error)))) => self.render(|writer| writer.error(error)),
            Ok(Err(refusal)) => Err(refusal),
            Err(panicked) => self.render(|writer| writer.panicked(&panicked)),
        }
    }

    fn is_like(&self, other: &ResponseFormat) -> bool {
        self.revision == other.revision && discriminant(&self.subject) == discriminant(&other.subject)
    }
}

/// The response that a handler writes for layers: a frame with a result, or a JSON-RPC error.
pub(crate) struct InnerResponse {
    frame: Vec<u8>,
    error: Option<RpcError>,
    outcome: Outcome,
}

impl Default for InnerResponse {
    fn default() -> InnerResponse {
        InnerResponse { frame: Vec::new(), error: None, outcome: Outcome::Ok }
    }
}

impl InnerResponse {
    /// Gives a writer of the response to `write`, which may leave the response for later.
    pub(crate) fn write<T>(
        &mut self,
        response_format: &ResponseFormat,
        write: impl FnOnce(&mut ResultWriter<'_>) -> T,
    ) -> T {
        let mut writer = ResultWriter::for_layers(&mut self.frame, response_format.frame(), &mut self.error);
        let written = write(&mut writer);
        self.outcome = writer.outcome();
        written
    }
}

/// The result of an operation as JSON text, written for the requesting client.
///
/// It contains only members that the client's revision has. So a cached result may only be returned to requests of the
/// same [method](super::Method) and [revision](super::Operation::revision); in any other place it is replaced by an
/// error.
#[derive(Clone)]
pub struct Response {
    json: Arc<str>,
    /// [`Outcome::Ok`] or [`Outcome::ToolError`].
    outcome: Outcome,
    response_format: Arc<ResponseFormat>,
}

impl Response {
    /// Returns the result as JSON text.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns true if this is the result of a tool that failed. Other failures are an [`OperationError`].
    pub fn is_error(&self) -> bool {
        self.outcome == Outcome::ToolError
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Parses the members of the result.
    pub fn members(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// Replaces the result.
    ///
    /// # Errors
    ///
    /// Fails if the new result does not belong to the operation's method. Return the error as it is.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::middleware::{self, Method};
    /// use fastmcp_rs::prelude::*;
    ///
    /// let discreet = middleware::from_fn(|operation, next| async move {
    ///     let is_call = operation.method() == Method::CallTool;
    ///     let response = next.run(operation).await?;
    ///     if is_call && response.json().contains("password") {
    ///         return response.replace(ToolResult::error("this is not for you"));
    ///     }
    ///     Ok(response)
    /// });
    /// # let _ = discreet;
    /// ```
    pub fn replace(&self, result: impl Into<OperationResult>) -> Result<Response, OperationError> {
        self.response_format.write(result.into())
    }

    /// Replaces the members of the result, for example by a list with fewer entries. The caller must keep the members
    /// valid for the protocol.
    #[must_use]
    pub fn with_members(self, members: Map<String, Value>) -> Response {
        let is_error = members.get("isError") == Some(&Value::Bool(true));
        let is_tool_call = matches!(self.response_format.subject, Subject::ToolCall(_));
        Response {
            outcome: if is_error && is_tool_call { Outcome::ToolError } else { Outcome::Ok },
            json: Value::from(members).to_string().into(),
            response_format: self.response_format,
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Response").field("bytes", &self.json.len()).finish_non_exhaustive()
    }
}

/// A result that a layer substitutes for the handler's: a [`ToolResult`] for a tool, a `Vec` of [`ResourceContents`]
/// for a resource, a `Vec` of [`Message`]s for a prompt, a `Vec` of strings for a completion.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OperationResult {
    /// The result of a tool.
    Tool(ToolResult),
    /// The contents of a resource.
    Contents(Vec<ResourceContents>),
    /// The messages of a prompt.
    Messages(Vec<Message>),
    /// The candidates of a completion. They are ranked like those of a completion function.
    Values(Vec<String>),
}

impl OperationResult {
    fn noun(&self) -> &'static str {
        match self {
            OperationResult::Tool(_) => "the result of a tool",
            OperationResult::Contents(_) => "the contents of a resource",
            OperationResult::Messages(_) => "the messages of a prompt",
            OperationResult::Values(_) => "the values of a completion",
        }
    }
}

macro_rules! replacements {
    ($($variant:ident($ty:ty)),*) => {$(
        impl From<$ty> for OperationResult {
            fn from(result: $ty) -> OperationResult {
                OperationResult::$variant(result)
            }
        }
    )*};
}
replacements!(Tool(ToolResult), Contents(Vec<ResourceContents>), Messages(Vec<Message>), Values(Vec<String>));

/// The reason that an operation has no result.
///
/// [`OperationError::new`] is a JSON-RPC error, which the client reads and the model usually does not. A [`ToolError`]
/// becomes the failed result of the tool, which the model reads; for other operations it becomes an internal error with
/// the same text. Any other error is for the operator, as in tools.
///
/// # Example
///
/// ```
/// use fastmcp_rs::ToolError;
/// use fastmcp_rs::middleware::OperationError;
/// use serde_json::json;
///
/// let error = OperationError::new(-32603, "Internal error: the quota is used up").data(json!({"quota": 100}));
/// assert_eq!(error.code(), -32603);
/// assert_eq!(OperationError::from(ToolError::new("ask for less")).message(), "ask for less");
/// ```
#[must_use]
pub struct OperationError(pub(crate) OperationErrorKind);

#[derive(Debug)]
pub(crate) enum OperationErrorKind {
    Rpc(RpcError),
    Tool(ToolError),
}

impl OperationError {
    /// Creates a JSON-RPC error. The codes from -32768 to -32000 are reserved for the protocol.
    pub fn new(code: i32, message: impl Into<String>) -> OperationError {
        OperationError(OperationErrorKind::Rpc(RpcError::new(code, message)))
    }

    /// Sets the `data` of a JSON-RPC error, for programs. A value without a JSON form is left out.
    pub fn data(self, data: impl Serialize) -> OperationError {
        match self.0 {
            OperationErrorKind::Rpc(error) => OperationError(OperationErrorKind::Rpc(error.with_data(&data))),
            tool => OperationError(tool),
        }
    }

    /// Returns the code of the JSON-RPC error. For a [`ToolError`] it is -32603, which the client gets unless a tool is
    /// called.
    pub fn code(&self) -> i32 {
        match &self.0 {
            OperationErrorKind::Rpc(error) => error.code,
            OperationErrorKind::Tool(_) => code::INTERNAL_ERROR,
        }
    }

    /// Returns the text that the client reads, or an empty text if only the operator may read the error.
    pub fn message(&self) -> &str {
        match &self.0 {
            OperationErrorKind::Rpc(error) => &error.message,
            OperationErrorKind::Tool(ToolError { audience: Audience::Model(text) }) => text,
            OperationErrorKind::Tool(_) => "",
        }
    }

    /// Returns the `data` of the JSON-RPC error, as JSON text.
    pub fn data_json(&self) -> Option<&str> {
        match &self.0 {
            OperationErrorKind::Rpc(error) => error.data.as_deref(),
            OperationErrorKind::Tool(_) => None,
        }
    }
}

impl From<RpcError> for OperationError {
    fn from(error: RpcError) -> OperationError {
        OperationError(OperationErrorKind::Rpc(error))
    }
}

impl From<ToolError> for OperationError {
    fn from(error: ToolError) -> OperationError {
        OperationError(OperationErrorKind::Tool(error))
    }
}

// `OperationError` itself must not implement `Error`, or this impl would overlap with `From<T> for T`.
impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for OperationError {
    fn from(error: E) -> OperationError {
        OperationError(OperationErrorKind::Tool(ToolError::from(error)))
    }
}

impl fmt::Debug for OperationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            OperationErrorKind::Rpc(error) => write!(formatter, "OperationError({}: {})", error.code, error.message),
            OperationErrorKind::Tool(error) => write!(formatter, "OperationError({error:?})"),
        }
    }
}
