//! The methods of [`Context`] by which a handler sends a request to its client: elicitation, sampling and roots.
//!
//! Each method returns a [`ClientRequest`], which is sent when it is awaited, so that it can be given a key and a time
//! limit first. [`conversation`](crate::client_features::conversation) decides how the request travels and when its
//! result arrives.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::client_features::elicitation::{self, ElicitationResult};
use crate::client_features::form::Form;
use crate::client_features::roots::{self, Root};
use crate::client_features::sampling::{self, SamplingRequest, SamplingResult};
use crate::client_features::{ClientRequestError, ClientRequestSpec};
use crate::context::Context;
use crate::error::ToolError;
use crate::json::dual_serializer::to_value;

impl Context {
    /// Asks the person at the client to fill in a form: a struct or an enum with [`#[mcp::model]`](crate::mcp::model),
    /// or a single `bool`, `String` or number.
    ///
    /// The same code serves every client. With a modern client the call ends here, and **the handler runs again from
    /// its beginning** when the answer arrives; questions that were answered before are then ready at once. Therefore:
    ///
    /// - do nothing before a question that must not be done twice, or put it into [`Context::remember`];
    /// - given the same answers, ask the same questions in the same order and words: an answer counts only for the
    ///   question that was asked, and a question that differs in 8 rounds ends the call with an error;
    /// - leave work that must happen exactly once, however often a client repeats its request, to the database, for
    ///   example to a conditional `UPDATE`.
    ///
    /// To ask several questions at once, join them: `tokio::join!`.
    ///
    /// Never ask for secrets with a form; use [`Context::elicit_url`].
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::Unsupported`] if the client did not declare that it can show forms. `?` then reports the
    /// missing capability to a modern client as a protocol error, and to the model of any other client as text; match
    /// on the error to respond in another way. [`ClientRequestError`] lists the other errors.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// The form for the user.
    /// #[mcp::model]
    /// struct Confirmation {
    ///     /// Whether to really cancel the order.
    ///     confirm: bool,
    ///     /// The reason, for the customer.
    ///     reason: Option<String>,
    /// }
    ///
    /// /// Cancels an order after the user has confirmed.
    /// #[mcp::tool(destructive)]
    /// async fn cancel_order(order_id: &str, ctx: &Context) -> Result<String, ToolError> {
    ///     let answer = ctx.elicit::<Confirmation>(format!("Really cancel {order_id}?")).await?;
    ///     match answer {
    ///         ElicitationResult::Accepted(Confirmation { confirm: true, .. }) => Ok(format!("{order_id} is cancelled.")),
    ///         _ => Ok(format!("{order_id} was kept: the user did not confirm.")),
    ///     }
    /// }
    /// ```
    pub fn elicit<T: Form>(&self, message: impl Into<String>) -> ClientRequest<'_, ElicitationResult<T>> {
        let message = message.into();
        let revision = self.revision();
        let form = elicitation::derive_form::<T>();
        let spec =
            form.as_ref().map_err(Clone::clone).and_then(|form| elicitation::form_request(&message, form, revision));
        ClientRequest::new(self, spec, move |result| elicitation::read(&form?, result))
    }

    /// Asks the person at the client to fill in a form whose schema is written by hand: a flat object of strings,
    /// numbers, booleans and choices.
    ///
    /// The answer has been checked against the schema. [`Context::elicit`] describes how a call asks, and derives the
    /// schema from a type.
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::InvalidRequest`] if the schema is outside of the subset that forms may use; otherwise the
    /// errors of [`Context::elicit`].
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    /// use serde_json::json;
    ///
    /// /// Lets the user pick a size.
    /// #[mcp::tool]
    /// async fn pick_size(sizes: Vec<String>, ctx: &Context) -> Result<String, ToolError> {
    ///     let schema = json!({
    ///         "type": "object",
    ///         "properties": { "size": { "type": "string", "enum": sizes } },
    ///         "required": ["size"]
    ///     });
    ///     let answer = ctx.elicit_form("Which size?", schema).await?;
    ///     Ok(answer.accepted().map_or("none".into(), |form| form["size"].to_string()))
    /// }
    /// ```
    pub fn elicit_form(
        &self,
        message: impl Into<String>,
        schema: Value,
    ) -> ClientRequest<'_, ElicitationResult<Map<String, Value>>> {
        let message = message.into();
        let revision = self.revision();
        let form = elicitation::form_from_schema(&schema);
        let spec =
            form.as_ref().map_err(Clone::clone).and_then(|form| elicitation::form_request(&message, form, revision));
        ClientRequest::new(self, spec, move |result| elicitation::read_schema_form(&form?, result))
    }

    /// Asks the person at the client to open a web page, for example to sign in, to pay or to type a secret.
    ///
    /// [`ElicitationResult::Accepted`] means that the person agreed to open the page. Only the page's own server knows
    /// the outcome. Put no secret into the URL, and let the page authenticate its visitor.
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::Unsupported`] if the client did not declare that it can open pages, which clients can
    /// since 2025-11-25; [`ClientRequestError::InvalidRequest`] if the text is not an `https` or `http` URL.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Connects the user's account.
    /// #[mcp::tool]
    /// async fn connect_account(ctx: &Context) -> Result<String, ToolError> {
    ///     let answer = ctx.elicit_url("Sign in to your account", "https://accounts.example.com/connect").await?;
    ///     Ok(if answer.is_accepted() { "The page was opened." } else { "The user does not want to." }.into())
    /// }
    /// ```
    pub fn elicit_url(
        &self,
        message: impl Into<String>,
        url: impl AsRef<str>,
    ) -> ClientRequest<'_, ElicitationResult<()>> {
        let spec = elicitation::url_request(&message.into(), url.as_ref(), self.revision());
        ClientRequest::new(self, spec, elicitation::read_url)
    }

    /// Asks the client's model for a completion (sampling).
    ///
    /// The protocol deprecates sampling since 2026-07-28, and few clients offer it. [`Context::elicit`] describes the
    /// rules for handlers that ask.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::Unsupported`] if the client did not declare `sampling`, or `sampling.tools` where the
    /// request has tools; [`ClientRequestError::InvalidRequest`] if its messages are not in an order that the protocol
    /// allows.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Summarizes a text.
    /// #[mcp::tool]
    /// async fn summarize(text: &str, ctx: &Context) -> Result<String, ToolError> {
    ///     let question = SamplingRequest::new(format!("Summarize this in one sentence:\n\n{text}")).max_tokens(200);
    ///     Ok(ctx.sample(question).await?.text())
    /// }
    /// ```
    pub fn sample(&self, question: SamplingRequest) -> ClientRequest<'_, SamplingResult> {
        ClientRequest::new(self, question.request_spec(self.revision()), sampling::read)
    }

    /// Asks the client for its roots: the folders in which it works.
    ///
    /// The protocol deprecates roots since 2026-07-28. A root is a hint where to look, not a permission.
    /// [`Context::elicit`] describes the rules for handlers that ask.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots>
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::Unsupported`] if the client did not declare `roots`.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Lists the folders that the user works in.
    /// #[mcp::tool]
    /// async fn folders(ctx: &Context) -> Result<Vec<String>, ToolError> {
    ///     Ok(ctx.roots().await?.into_iter().map(|root| root.uri).collect())
    /// }
    /// ```
    pub fn roots(&self) -> ClientRequest<'_, Vec<Root>> {
        ClientRequest::new(self, Ok(roots::request_spec()), roots::read)
    }

    /// Runs `work` once for all rounds of a call: when the handler runs again after a client request, it gets the
    /// value of the first run.
    ///
    /// Each handler has its own keys, even if another handler calls it twice ([`Context::call_tool`]).
    ///
    /// The value travels to the client and back, sealed, so keep it small: all remembered values and all answers must
    /// fit into [`App::max_request_state`](crate::App::max_request_state). A failure is not remembered. In a call
    /// without later client requests this only runs `work`.
    ///
    /// This saves work; it does not guarantee that `work` runs once, because a client may repeat its first request.
    ///
    /// # Errors
    ///
    /// Fails if `work` fails, or if the value has no JSON form, such as a float that is NaN or infinite.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    /// # async fn quote(item: &str) -> Result<u64, std::io::Error> { Ok(item.len() as u64) }
    ///
    /// /// Buys an item after the user has confirmed.
    /// #[mcp::tool]
    /// async fn buy(item: &str, ctx: &Context) -> Result<String, ToolError> {
    ///     let price: u64 = ctx.remember("price", quote(item)).await?;
    ///     let agreed = ctx.elicit::<bool>(format!("Buy it for {price}?")).await?.accepted() == Some(true);
    ///     Ok(if agreed { format!("Bought for {price}.") } else { "Not bought.".into() })
    /// }
    /// ```
    pub async fn remember<T, E>(
        &self,
        key: impl Into<String>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ToolError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<ToolError>,
    {
        let key = format!("{}{}", self.key_prefix(), key.into());
        let Some(request) = &self.request else { return work.await.map_err(Into::into) };
        if let Some(value) = request.client_requests.recall(&key) {
            return Ok(serde_json::from_value(value)?);
        }
        let value = work.await.map_err(Into::into)?;
        request.client_requests.remember(key, to_value(&value)?);
        Ok(value)
    }
}

type ResponseReader<'a, T> = Box<dyn FnOnce(&Value) -> Result<T, ClientRequestError> + Send + 'a>;

/// A request to the client, which is sent when it is awaited.
///
/// Created by [`Context::elicit`], [`Context::elicit_form`], [`Context::elicit_url`], [`Context::sample`] and
/// [`Context::roots`].
#[must_use = "a request to the client is sent when it is awaited"]
pub struct ClientRequest<'a, T> {
    /// The request until it is sent.
    draft: Option<Draft<'a, T>>,
    /// The wait for the response.
    response: Option<ResponseFuture<'a, T>>,
}

/// A request that is not sent yet.
struct Draft<'a, T> {
    context: &'a Context,
    spec: Result<ClientRequestSpec, ClientRequestError>,
    key: Option<String>,
    timeout: Option<Duration>,
    read: ResponseReader<'a, T>,
}

type ResponseFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ClientRequestError>> + Send + 'a>>;

impl<'a, T> ClientRequest<'a, T> {
    fn new(
        context: &'a Context,
        spec: Result<ClientRequestSpec, ClientRequestError>,
        read: impl FnOnce(&Value) -> Result<T, ClientRequestError> + Send + 'a,
    ) -> Self {
        let draft = Draft { context, spec, key: None, timeout: None, read: Box::new(read) };
        ClientRequest { draft: Some(draft), response: None }
    }

    /// Sets the key by which a modern client answers this request; for legacy clients it has no effect. If two
    /// different requests of a call have the same key, the later one fails with [`ClientRequestError::DuplicateKey`].
    ///
    /// The default is the kind and the position among the requests of that kind: `elicitation_1`, `sampling_1`,
    /// `roots_1`. Set a key where the number of earlier requests varies. In a handler that another handler calls
    /// ([`Context::call_tool`]), each key is prefixed with the handler's name and its position among the handlers
    /// called: `quote_1/elicitation_1`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.key = Some(key.into());
        }
        self
    }

    /// Limits the wait for the response of a client that gets this as a JSON-RPC request. Default: 10 minutes.
    ///
    /// This time does not count towards the time limit of the call. For modern clients, which send the answer with
    /// their next request, see [`App::request_state_ttl`](crate::App::request_state_ttl).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.timeout = Some(timeout);
        }
        self
    }
}

impl<T> Draft<'_, T> {
    async fn ask(self) -> Result<T, ClientRequestError> {
        let spec = self.spec?;
        let Some(request) = &self.context.request else { return Err(ClientRequestError::NotPossibleHere) };
        let capabilities = self.context.client_capabilities();
        if let Some(error) = spec.missing_capability(&capabilities, request.revision) {
            return Err(error);
        }
        let result = request
            .client_requests
            .request(&**request, spec, self.context.key_prefix(), self.key, self.timeout)
            .await?;
        (self.read)(&result)
    }
}

/// A future rather than an `IntoFuture`: rustc then suggests a missing `.await`, and the request can be joined.
impl<'a, T: Send + 'a> Future for ClientRequest<'a, T> {
    type Output = Result<T, ClientRequestError>;

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let ClientRequest { draft, response } = self.get_mut();
        if let Some(draft) = draft.take() {
            *response = Some(Box::pin(draft.ask()));
        }
        match response {
            Some(response) => response.as_mut().poll(task),
            None => Poll::Pending,
        }
    }
}

impl<T> std::fmt::Debug for ClientRequest<'_, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientRequest")
            .field("question", &self.draft.as_ref().map(|draft| &draft.spec))
            .field("key", &self.draft.as_ref().map(|draft| &draft.key))
            .finish_non_exhaustive()
    }
}
