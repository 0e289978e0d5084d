//! Calls from a handler to other components of its server.
//!
//! Such a call takes the way of a client's request: the same look-up, the same layers, the same check of arguments. The
//! engine does this behind [`NestedCalls`], because a context does not know the engine. Results pass as the JSON text of
//! the newest revision, whatever the client's revision is, so that nothing is lost between two handlers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::content::message::Message;
use crate::content::resource_contents::{ContentsData, ResourceContents};
use crate::content::tool_result::ToolResult;
use crate::content::{Content, EmbeddedResource, Role};
use crate::context::Context;
use crate::error::ToolError;
use crate::protocol::method::Method;

/// The most handlers that may call each other in a chain.
pub(crate) const MAX_DEPTH: u8 = 8;

/// A future of the members of a result.
pub(crate) type NestedCallFuture = Pin<Box<dyn Future<Output = Result<Map<String, Value>, ToolError>> + Send>>;

/// Calls a component for a handler; implemented by the engine.
pub(crate) trait NestedCalls: Send + Sync {
    /// Calls the component `name`. `arguments` is the text of a JSON object; `context` is the context of the calling
    /// handler.
    fn call_component(
        self: Arc<Self>,
        kind: Method,
        name: String,
        arguments: String,
        context: Context,
    ) -> NestedCallFuture;

    /// Sends a notification that belongs to no request, as far as there is room, if the client has a session with a
    /// stream for such messages.
    fn send_to_session(&self, frame: &[u8]);
}

impl Context {
    /// Reads another resource of this server, as a client would.
    ///
    /// The resource sees the principal of the current request, and its progress and log messages belong to that
    /// request. Handlers may call each other up to 8 deep.
    ///
    /// # Errors
    ///
    /// Fails if the resource does not exist, or if it fails itself. The error's text may be shown to the model.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// The rules for refunds.
    /// #[mcp::resource("orders://rules")]
    /// fn rules() -> &'static str {
    ///     "Within 14 days."
    /// }
    ///
    /// /// Explains when an order can be refunded.
    /// #[mcp::tool]
    /// async fn explain_refunds(ctx: &Context) -> Result<String, ToolError> {
    ///     let contents = ctx.read_resource("orders://rules").await?;
    ///     Ok(contents.iter().filter_map(|item| item.as_text()).collect())
    /// }
    /// # let _ = App::empty("orders").resource::<rules>().tool::<explain_refunds>();
    /// ```
    pub async fn read_resource(&self, uri: &str) -> Result<Vec<ResourceContents>, ToolError> {
        let result = self.call_nested(Method::ReadResource, uri, Value::Null).await?;
        let contents = result.get("contents").and_then(Value::as_array).into_iter().flatten();
        contents.map(ResourceContents::read_own).collect::<Option<_>>().ok_or_else(unreadable_result)
    }

    /// Reads another resource of this server, as [`Context::read_resource`] does, to embed it in a result or a message.
    ///
    /// # Errors
    ///
    /// Fails if the resource does not exist, if it fails itself, or if it has several items. The error's text may be
    /// shown to the model.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// An order.
    /// #[mcp::resource("orders://{id}")]
    /// fn order(id: u32) -> String {
    ///     format!("Order {id}: two chairs")
    /// }
    ///
    /// /// Checks an order.
    /// #[mcp::prompt]
    /// async fn check_order(id: u32, ctx: &Context) -> Result<Vec<Message>, ToolError> {
    ///     let order = ctx.embed_resource(format!("orders://{id}")).await?;
    ///     Ok(vec![Message::user(order), Message::user("Is this order complete?")])
    /// }
    /// # let _ = App::empty("orders").resource::<order>().prompt::<check_order>();
    /// ```
    pub async fn embed_resource(&self, uri: impl AsRef<str>) -> Result<EmbeddedResource, ToolError> {
        let uri = uri.as_ref();
        let items = self.read_resource(uri).await?;
        let [item] = <[ResourceContents; 1]>::try_from(items).map_err(|items| {
            let count = items.len();
            ToolError::internal(format!("`{uri}` has {count} items, and one item can be embedded: use `read_resource`"))
        })?;
        Ok(EmbeddedResource::from_contents(uri, item))
    }

    /// Gets the messages of another prompt of this server, as a client would. `arguments` is an object or `null`; its
    /// members need not be strings.
    ///
    /// # Errors
    ///
    /// Fails if the prompt does not exist, if the arguments do not fit, or if the prompt fails itself. The error's text
    /// may be shown to the model.
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::{Context, Message, ToolError};
    /// # use serde_json::json;
    /// # async fn example(ctx: &Context) -> Result<(), ToolError> {
    /// let messages: Vec<Message> = ctx.get_prompt("review", json!({"number": 17})).await?;
    /// # let _ = messages;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> Result<Vec<Message>, ToolError> {
        let texts = match arguments {
            // Arguments of prompts are strings; a parameter of another type is read from the JSON in its string.
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => (name, Value::String(text)),
                    other => (name, Value::String(other.to_string())),
                })
                .collect::<Map<_, _>>()
                .into(),
            other => other,
        };
        let result = self.call_nested(Method::GetPrompt, name, texts).await?;
        let messages = result.get("messages").and_then(Value::as_array).into_iter().flatten();
        messages.map(Message::read_own).collect::<Option<_>>().ok_or_else(unreadable_result)
    }

    /// Calls another tool of this server, as a client would. `arguments` is an object or `null`.
    ///
    /// # Errors
    ///
    /// Fails if the tool does not exist, if the arguments do not fit, or if the tool fails itself. The error of a tool
    /// that fails itself has the text that the tool wrote for the model.
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::{Context, ToolError};
    /// # use serde_json::json;
    /// # async fn example(ctx: &Context) -> Result<(), ToolError> {
    /// let order = ctx.call_tool("get_order", json!({"order_id": "ORD-101"})).await?;
    /// let total = order.structured_content().and_then(|order| order["total"].as_f64());
    /// # let _ = total;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<ToolResult, ToolError> {
        let result = self.call_nested(Method::CallTool, name, arguments).await?;
        let result = ToolResult::read_own(result).ok_or_else(unreadable_result)?;
        if result.is_error { Err(ToolError::new(result.as_text())) } else { Ok(result) }
    }

    async fn call_nested(&self, kind: Method, name: &str, arguments: Value) -> Result<Map<String, Value>, ToolError> {
        let Some(request) = &self.request else {
            return Err(ToolError::internal("a context without a request cannot call other components"));
        };
        let arguments = match arguments {
            Value::Null => "{}".to_owned(),
            Value::Object(_) => arguments.to_string(),
            _ => return Err(ToolError::internal(format!("the arguments for `{name}` are not a JSON object"))),
        };
        if self.depth() >= MAX_DEPTH {
            return Err(ToolError::new(format!(
                "`{name}` was not called: {MAX_DEPTH} nested calls are in progress, which suggests a loop."
            )));
        }
        Arc::clone(&request.nested_calls).call_component(kind, name.to_owned(), arguments, self.clone()).await
    }
}

/// The error for a result that a layer has changed to something the protocol does not allow.
fn unreadable_result() -> ToolError {
    ToolError::internal("the result of a component is not valid in the protocol")
}

impl ResourceContents {
    fn read_own(item: &Value) -> Option<ResourceContents> {
        let text = |name: &str| item.get(name)?.as_str().map(str::to_owned);
        let body = match text("text") {
            Some(text) => ContentsData::Text(text),
            None => ContentsData::Blob(text("blob")?),
        };
        let meta = item.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(ResourceContents { uri: text("uri"), mime_type: text("mimeType"), body, meta })
    }
}

impl Message {
    fn read_own(message: &Value) -> Option<Message> {
        let role = match message.get("role")?.as_str()? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return None,
        };
        Some(Message { role, content: Content::read_own(message.get("content")?)? })
    }
}

impl ToolResult {
    fn read_own(mut result: Map<String, Value>) -> Option<ToolResult> {
        let blocks = result.get("content")?.as_array()?;
        let content = blocks.iter().map(Content::read_own).collect::<Option<Vec<_>>>()?;
        let mut meta = match result.remove("_meta") {
            Some(Value::Object(meta)) => meta,
            _ => Map::new(),
        };
        meta.shift_remove("io.modelcontextprotocol/serverInfo");
        let is_error = result.get("isError") == Some(&Value::Bool(true));
        Some(ToolResult {
            content,
            structured: result.remove("structuredContent"),
            is_error,
            meta,
            is_scalar: false,
            fault: None,
        })
    }
}
