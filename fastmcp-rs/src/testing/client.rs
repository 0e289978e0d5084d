//! The test client, with the same methods for every revision.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::dispatcher::Dispatcher;
use super::reply::{CompletionReply, Notification, PromptReply, RequestError, ResourceReply, ToolReply};
use super::request::{Request, RequestDraft};
use super::subscription::Subscription;
use super::subscription_filter::SubscriptionFilter;
use crate::json::dual_serializer::to_value;
use crate::protocol::{Feature, ProtocolMethod, Revision};

/// A client of an app in the same process, created by [`App::test_client`](crate::App::test_client).
///
/// A request is sent when it is first awaited. Several requests may be in flight at once, by `tokio::join!` or as
/// tasks. A request that is dropped before its response is cancelled by `notifications/cancelled`, as real clients do.
///
/// # Panics
///
/// Every method panics, and so fails the test, if the server has violated the protocol: by a frame that is not a
/// message, by a second response, or by a request that has no script or whose capability was not declared. Dropping a
/// client panics too if such a violation was not reported before.
pub struct TestClient {
    pub(super) dispatcher: Arc<Dispatcher>,
    /// The `_meta` of each request.
    pub(super) envelope: Map<String, Value>,
}

impl TestClient {
    /// Calls a tool. `arguments` is any value that serialises to a JSON object: `json!({…})`, or a struct.
    ///
    /// The scripts answer requests of the server until the call is complete.
    pub fn call(&self, tool: &str, arguments: impl Serialize) -> Request<ToolReply> {
        let params = with_arguments(json!({ "name": tool }), arguments);
        self.draft(ProtocolMethod::CallTool.as_str(), params, true, ToolReply::new)
    }

    /// Reads a resource.
    ///
    /// The scripts answer requests of the server until the contents arrive.
    pub fn read(&self, uri: &str) -> Request<ResourceReply> {
        self.draft(ProtocolMethod::ReadResource.as_str(), json!({ "uri": uri }), true, ResourceReply::new)
    }

    /// Gets a prompt. In the protocol, arguments of prompts are strings; other values are sent as their JSON text.
    ///
    /// The scripts answer requests of the server until the messages arrive.
    pub fn get_prompt(&self, prompt: &str, arguments: impl Serialize) -> Request<PromptReply> {
        let mut params = with_arguments(json!({ "name": prompt }), arguments);
        for (_, value) in params.get_mut("arguments").and_then(Value::as_object_mut).into_iter().flatten() {
            if !value.is_string() {
                *value = value.to_string().into();
            }
        }
        self.draft(ProtocolMethod::GetPrompt.as_str(), params, true, PromptReply::new)
    }

    /// Requests completions of a prompt's argument; `typed` is its value so far.
    pub fn complete_prompt(&self, prompt: &str, argument: &str, typed: &str) -> Request<CompletionReply> {
        self.complete(json!({ "type": "ref/prompt", "name": prompt }), argument, typed)
    }

    /// Requests completions of a variable of a resource template; `typed` is its value so far.
    pub fn complete_resource(&self, template: &str, variable: &str, typed: &str) -> Request<CompletionReply> {
        self.complete(json!({ "type": "ref/resource", "uri": template }), variable, typed)
    }

    fn complete(&self, reference: Value, argument: &str, typed: &str) -> Request<CompletionReply> {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": typed } });
        self.draft(ProtocolMethod::Complete.as_str(), params, false, CompletionReply::new)
    }

    /// Lists all tools in their wire form, page after page.
    ///
    /// # Errors
    ///
    /// Fails if the server responds to a page with an error.
    pub async fn list_tools(&self) -> Result<Vec<Value>, RequestError> {
        self.list(ProtocolMethod::ListTools, "tools").await
    }

    /// Lists all resources in their wire form, page after page.
    ///
    /// # Errors
    ///
    /// Fails if the server responds to a page with an error.
    pub async fn list_resources(&self) -> Result<Vec<Value>, RequestError> {
        self.list(ProtocolMethod::ListResources, "resources").await
    }

    /// Lists all resource templates in their wire form, page after page.
    ///
    /// # Errors
    ///
    /// Fails if the server responds to a page with an error.
    pub async fn list_resource_templates(&self) -> Result<Vec<Value>, RequestError> {
        self.list(ProtocolMethod::ListResourceTemplates, "resourceTemplates").await
    }

    /// Lists all prompts in their wire form, page after page.
    ///
    /// # Errors
    ///
    /// Fails if the server responds to a page with an error.
    pub async fn list_prompts(&self) -> Result<Vec<Value>, RequestError> {
        self.list(ProtocolMethod::ListPrompts, "prompts").await
    }

    async fn list(&self, method: ProtocolMethod, member: &str) -> Result<Vec<Value>, RequestError> {
        let method = method.as_str();
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        let mut params = Value::Null;
        loop {
            let mut result = self.request(method, params).await?;
            match result[member].take() {
                Value::Array(page) => entries.extend(page),
                _ => panic!("the result of `{method}` has no `{member}`: {result}"),
            }
            let Some(cursor) = result["nextCursor"].as_str() else { return Ok(entries) };
            assert!(seen.insert(cursor.to_owned()), "`{method}` returned the cursor {cursor:?} twice");
            params = json!({ "cursor": cursor });
        }
    }

    /// Returns the server's description and capabilities: the result of `server/discover`, or in a session the result
    /// of `initialize`.
    ///
    /// # Errors
    ///
    /// Fails if the server responds with an error.
    pub async fn discover(&self) -> Result<Value, RequestError> {
        if self.dispatcher.revision.has(Feature::Stateless) {
            return self.request(ProtocolMethod::Discover.as_str(), Value::Null).await;
        }
        Ok(self.dispatcher.initialization.lock().clone())
    }

    /// Subscribes to changes: by `subscriptions/listen`, or before 2026-07-28 by `resources/subscribe` for each URI.
    ///
    /// Notifications of a subscription are not among [`TestClient::notifications`].
    ///
    /// # Errors
    ///
    /// Fails if the server responds with an error.
    pub async fn listen(&self, filter: SubscriptionFilter) -> Result<Subscription, RequestError> {
        let mut params = Map::new();
        if !self.envelope.is_empty() {
            params.insert("_meta".into(), self.envelope.clone().into());
        }
        Subscription::open(Arc::clone(&self.dispatcher), filter, params).await
    }

    /// Sends any request once, and returns its result as it arrived. A result of 2026-07-28 whose `resultType` is
    /// `input_required` is returned too; no script answers it.
    ///
    /// The members that every request has are added to the parameters, and do not replace existing ones.
    ///
    /// # Example: a request that is repeated by hand
    ///
    /// ```
    /// # use fastmcp_rs::testing::{RequestError, TestClient};
    /// # use serde_json::json;
    /// # async fn example(client: TestClient) -> Result<(), RequestError> {
    /// let mut params = json!({"name": "cancel_order", "arguments": {"order_id": "ORD-101"}});
    /// let asked = client.request("tools/call", &params).await?;
    /// params["requestState"] = format!("{}x", asked["requestState"].as_str().unwrap_or_default()).into();
    /// let refused = client.request("tools/call", &params).await.unwrap_err();
    /// assert_eq!(refused.code(), -32602);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: &str, params: impl Serialize) -> Request<Value> {
        self.draft(method, to_json(params), false, |result, _| result)
    }

    /// Sends a notification, such as `notifications/roots/list_changed`.
    pub fn notify(&self, method: &str, params: impl Serialize) {
        self.dispatcher.panic_if_failed();
        self.dispatcher.notify(method, object(to_json(params)));
    }

    /// Returns the notifications received since the last call, in their order, except those of subscriptions.
    ///
    /// Notifications of a call precede its response.
    pub fn notifications(&self) -> Vec<Notification> {
        self.dispatcher.take_frames();
        self.dispatcher.panic_if_failed();
        self.dispatcher.lock().notifications.drain(..).collect()
    }

    /// Waits for a notification, and removes it from the [others](TestClient::notifications).
    pub async fn next_notification(&self) -> Notification {
        loop {
            // The future is created before the frames are taken, so that no notification in between is missed.
            let arrived = self.dispatcher.arrived.notified();
            self.dispatcher.take_frames();
            self.dispatcher.panic_if_failed();
            let next = self.dispatcher.lock().notifications.pop_front();
            match next {
                Some(notification) => return notification,
                None => arrived.await,
            }
        }
    }

    /// Closes the client's end, and waits until the app has ended: its calls, and what
    /// [`App::on_shutdown`](crate::App::on_shutdown) was given. Its states are dropped then.
    ///
    /// Without this, that function runs as a task when the client is dropped inside of a runtime.
    pub async fn close(self) {
        self.dispatcher.panic_if_failed();
        self.dispatcher.peer.shut_down().await;
    }

    fn draft<R>(
        &self,
        method: &str,
        params: Value,
        answers_questions: bool,
        view: fn(Value, Revision) -> R,
    ) -> Request<R> {
        let mut params = object(params);
        let mut meta = self.envelope.clone();
        if let Some(Value::Object(own)) = params.remove("_meta") {
            meta.extend(own);
        }
        let dispatcher = Arc::clone(&self.dispatcher);
        Request::new(RequestDraft { dispatcher, method: method.to_owned(), params, meta, answers_questions }, view)
    }
}

impl std::fmt::Debug for TestClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TestClient").field("revision", &self.dispatcher.revision).finish_non_exhaustive()
    }
}

#[track_caller]
fn to_json(value: impl Serialize) -> Value {
    to_value(&value).unwrap_or_else(|error| panic!("the parameters have no JSON form: {error}"))
}

#[track_caller]
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        other => panic!("the parameters must be an object, not {other}"),
    }
}

#[track_caller]
fn with_arguments(mut params: Value, arguments: impl Serialize) -> Value {
    match to_json(arguments) {
        Value::Null => {}
        arguments => params["arguments"] = arguments,
    }
    params
}
