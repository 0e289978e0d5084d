//! The test client: one set of methods for every revision.

use std::collections::HashSet;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::link::{Link, Observer, Origin};
use super::peer::{InProcess, Peer};
use super::question::{Answer, ElicitationQuestion, Round, SamplingQuestion, Scripts, answer_round};
use super::reply::{CompletionReply, Failure, Notification, PromptReply, ResourceReply, ToolReply};
use super::subscription::{Subscription, SubscriptionFilter};
use crate::app::App;
use crate::error::Error;
use crate::principal::Principal;
use crate::protocol::{Level, Revision};

/// How often a request is sent, with answers to its questions. A handler that asks more often never ends.
const MAX_ROUNDS: usize = 32;

impl App {
    /// A client of this app in the same process, for tests; `.await` connects it.
    ///
    /// It speaks revision 2026-07-28, declares no capabilities, and answers no questions, unless the builder is
    /// told otherwise.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    /// use serde_json::json;
    ///
    /// /// Doubles a number.
    /// #[mcp::tool]
    /// fn double(number: i64) -> i64 {
    ///     number * 2
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = App::empty("numbers").tool::<double>().test_client().await?;
    /// assert_eq!(client.call("double", json!({"number": 21})).await?.text(), "42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn test_client(self) -> TestClientBuilder {
        TestClientBuilder::new(Box::new(move |principal| Ok(Box::new(InProcess::new(self.build()?, principal)))))
    }
}

type Start = Box<dyn FnOnce(Option<Principal>) -> Result<Box<dyn Peer>, Error> + Send>;

/// A test client while it is being set up; `.await` connects it.
///
/// # Errors
///
/// Connecting fails if the app cannot be served as it is configured (see [`App::check`]).
///
/// # Panics
///
/// Connecting panics outside a tokio runtime.
#[must_use = "a test client connects when it is awaited"]
pub struct TestClientBuilder {
    start: Start,
    principal: Option<Principal>,
    revision: Revision,
    capabilities: Map<String, Value>,
    client_info: Value,
    log_level: Option<Level>,
    scripts: Scripts,
    observer: Option<Observer>,
}

impl TestClientBuilder {
    pub(super) fn new(start: Start) -> TestClientBuilder {
        TestClientBuilder {
            start,
            principal: None,
            revision: Revision::V2026_07_28,
            capabilities: Map::new(),
            client_info: json!({ "name": "fastmcp-rs test client", "version": env!("CARGO_PKG_VERSION") }),
            log_level: None,
            scripts: Scripts::default(),
            observer: None,
        }
    }

    /// The revision that the client speaks. Default: 2026-07-28.
    ///
    /// With an earlier one the client opens a session by `initialize`.
    pub fn revision(mut self, revision: Revision) -> TestClientBuilder {
        self.revision = revision;
        self
    }

    /// Connects as somebody whom the transport knows: what [`Context::principal`](crate::Context::principal) gives.
    /// By default nobody is known.
    pub fn principal(mut self, principal: Principal) -> TestClientBuilder {
        self.principal = Some(principal);
        self
    }

    /// Capabilities that the client declares, as they stand on the wire: `json!({"sampling": {"tools": {}}})`.
    ///
    /// Scripts declare theirs by themselves; what is said here goes before. What is not an object declares nothing.
    pub fn capabilities(mut self, capabilities: Value) -> TestClientBuilder {
        if let Value::Object(capabilities) = capabilities {
            self.capabilities.extend(capabilities);
        }
        self
    }

    /// The name and the version that the client says it has.
    pub fn client_info(mut self, name: &str, version: &str) -> TestClientBuilder {
        self.client_info = json!({ "name": name, "version": version });
        self
    }

    /// Wants log messages of this level and above. By default there are none in 2026-07-28, and those of
    /// [`Level::Info`] and above in a session.
    pub fn log_level(mut self, level: Level) -> TestClientBuilder {
        self.log_level = Some(level);
        self
    }

    /// Answers what the server asks the user, and declares `elicitation` with both modes.
    ///
    /// The script may keep count of what it was asked, and may assert: what it panics with fails the test.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    /// use fastmcp_rs::testing::Answer;
    /// use serde_json::json;
    ///
    /// let client = App::new("orders").test_client().on_elicitation(|question| {
    ///     assert!(question.message.contains("ORD-101"), "{}", question.message);
    ///     Answer::accept(json!({"confirm": true}))
    /// });
    /// ```
    pub fn on_elicitation<A: Into<Answer>>(
        mut self,
        mut script: impl FnMut(ElicitationQuestion) -> A + Send + 'static,
    ) -> TestClientBuilder {
        self.scripts.elicitation = Some(Mutex::new(Box::new(move |question| script(question).into())));
        self
    }

    /// Answers what the server asks the model, and declares `sampling`.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    /// use fastmcp_rs::testing::Answer;
    ///
    /// let client = App::new("atlas").test_client().on_sampling(|question| {
    ///     assert_eq!(question.prompt(), "What is the capital of France?");
    ///     Answer::message("Paris")
    /// });
    /// ```
    pub fn on_sampling<A: Into<Answer>>(
        mut self,
        mut script: impl FnMut(SamplingQuestion) -> A + Send + 'static,
    ) -> TestClientBuilder {
        self.scripts.sampling = Some(Mutex::new(Box::new(move |question| script(question).into())));
        self
    }

    /// The roots that the client has, as `file://` URIs, and declares `roots`.
    pub fn roots<U: Into<String>>(mut self, uris: impl IntoIterator<Item = U>) -> TestClientBuilder {
        self.scripts.roots = Some(uris.into_iter().map(Into::into).collect());
        self
    }

    /// Shows each frame in the order in which it is sent or taken. What it panics with fails the test.
    #[doc(hidden)]
    pub fn observe(mut self, observer: impl FnMut(Origin, &str) + Send + 'static) -> TestClientBuilder {
        self.observer = Some(Box::new(observer));
        self
    }

    async fn connect(self) -> Result<TestClient, Error> {
        let TestClientBuilder { start, principal, revision, capabilities, client_info, log_level, scripts, observer } =
            self;
        let mut declared = scripts.capabilities(revision);
        declared.extend(capabilities);
        let declared = Value::from(declared);
        let mut envelope = Map::new();
        if revision.is_modern() {
            envelope.insert("io.modelcontextprotocol/protocolVersion".into(), revision.as_str().into());
            envelope.insert("io.modelcontextprotocol/clientCapabilities".into(), declared.clone());
            envelope.insert("io.modelcontextprotocol/clientInfo".into(), client_info.clone());
            if let Some(level) = log_level {
                envelope.insert("io.modelcontextprotocol/logLevel".into(), json!(level.as_str()));
            }
        }
        let link = Link::new(start(principal)?, revision, declared.clone(), scripts, observer);
        let client = TestClient { link, envelope };
        if !revision.is_modern() {
            let params = json!({
                "protocolVersion": revision.as_str(),
                "capabilities": declared,
                "clientInfo": client_info,
            });
            let result = client.request("initialize", params).await.map_err(Error::other)?;
            let agreed = result["protocolVersion"].as_str().unwrap_or_default();
            if agreed != revision.as_str() {
                return Err(Error::other(format!("asked for {revision}, the server wants {agreed:?}")));
            }
            *client.link.initialization.lock().unwrap_or_else(PoisonError::into_inner) = result;
            client.notify("notifications/initialized", Value::Null);
            if let Some(level) = log_level {
                client.request("logging/setLevel", json!({ "level": level.as_str() })).await.map_err(Error::other)?;
            }
        }
        Ok(client)
    }
}

impl IntoFuture for TestClientBuilder {
    type Output = Result<TestClient, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<TestClient, Error>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

impl std::fmt::Debug for TestClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TestClientBuilder").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// A client of an app in the same process: [`App::test_client`].
///
/// A request is sent when it is first awaited. Several may be on their way at once, by `tokio::join!` or as tasks;
/// one that is dropped before its answer is cancelled by `notifications/cancelled`, as real clients do.
///
/// # Panics
///
/// Every method panics, as a test that fails, when the server has done what no server may: a frame that is no
/// message, a second answer, a question for which no script is there or whose capability was not declared. A client
/// that is dropped with such a problem untold panics too.
pub struct TestClient {
    link: Arc<Link>,
    /// The `_meta` of each request.
    envelope: Map<String, Value>,
}

impl TestClient {
    /// Calls a tool. The arguments are what becomes a JSON object: `json!({…})`, or a struct that serialises.
    ///
    /// Questions are answered by the scripts, until the call is complete.
    pub fn call(&self, tool: &str, arguments: impl Serialize) -> Request<ToolReply> {
        let params = with_arguments(json!({ "name": tool }), arguments);
        self.draft("tools/call", params, true, ToolReply::new)
    }

    /// Reads a resource.
    ///
    /// Questions are answered by the scripts, until the contents are there.
    pub fn read(&self, uri: &str) -> Request<ResourceReply> {
        self.draft("resources/read", json!({ "uri": uri }), true, ResourceReply::new)
    }

    /// Gets a prompt. The arguments are strings to the protocol: others are sent as their JSON text.
    ///
    /// Questions are answered by the scripts, until the messages are there.
    pub fn get_prompt(&self, prompt: &str, arguments: impl Serialize) -> Request<PromptReply> {
        let mut params = with_arguments(json!({ "name": prompt }), arguments);
        for (_, value) in params["arguments"].as_object_mut().into_iter().flatten() {
            if !value.is_string() {
                *value = value.to_string().into();
            }
        }
        self.draft("prompts/get", params, true, PromptReply::new)
    }

    /// Asks for values of a prompt's argument, of which this much is typed.
    pub fn complete_prompt(&self, prompt: &str, argument: &str, typed: &str) -> Request<CompletionReply> {
        self.complete(json!({ "type": "ref/prompt", "name": prompt }), argument, typed)
    }

    /// Asks for values of a variable of a resource template, of which this much is typed.
    pub fn complete_resource(&self, template: &str, variable: &str, typed: &str) -> Request<CompletionReply> {
        self.complete(json!({ "type": "ref/resource", "uri": template }), variable, typed)
    }

    fn complete(&self, reference: Value, argument: &str, typed: &str) -> Request<CompletionReply> {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": typed } });
        self.draft("completion/complete", params, false, CompletionReply::new)
    }

    /// All tools, page after page, as they are listed.
    ///
    /// # Errors
    ///
    /// Fails if the server answers a page with an error.
    pub async fn list_tools(&self) -> Result<Vec<Value>, Failure> {
        self.list("tools/list", "tools").await
    }

    /// All resources, page after page, as they are listed.
    ///
    /// # Errors
    ///
    /// Fails if the server answers a page with an error.
    pub async fn list_resources(&self) -> Result<Vec<Value>, Failure> {
        self.list("resources/list", "resources").await
    }

    /// All resource templates, page after page, as they are listed.
    ///
    /// # Errors
    ///
    /// Fails if the server answers a page with an error.
    pub async fn list_resource_templates(&self) -> Result<Vec<Value>, Failure> {
        self.list("resources/templates/list", "resourceTemplates").await
    }

    /// All prompts, page after page, as they are listed.
    ///
    /// # Errors
    ///
    /// Fails if the server answers a page with an error.
    pub async fn list_prompts(&self) -> Result<Vec<Value>, Failure> {
        self.list("prompts/list", "prompts").await
    }

    async fn list(&self, method: &'static str, member: &str) -> Result<Vec<Value>, Failure> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        let mut params = Value::Null;
        loop {
            let mut result = self.request(method, params).await?;
            match result[member].take() {
                Value::Array(page) => entries.extend(page),
                _ => panic!("`{method}` was answered without `{member}`: {result}"),
            }
            let Some(cursor) = result["nextCursor"].as_str() else { return Ok(entries) };
            assert!(seen.insert(cursor.to_owned()), "`{method}` gave the cursor {cursor:?} twice");
            params = json!({ "cursor": cursor });
        }
    }

    /// What the server is and offers: the result of `server/discover`, or what it answered to `initialize`.
    ///
    /// # Errors
    ///
    /// Fails if the server answers with an error.
    pub async fn discover(&self) -> Result<Value, Failure> {
        if self.link.revision.is_modern() {
            return self.request("server/discover", Value::Null).await;
        }
        Ok(self.link.initialization.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Asks to be told of changes: by `subscriptions/listen`, or before 2026-07-28 by a `resources/subscribe` for
    /// each URI.
    ///
    /// What a subscription is told is not among [`TestClient::notifications`].
    ///
    /// # Errors
    ///
    /// Fails if the server answers with an error.
    pub async fn listen(&self, filter: SubscriptionFilter) -> Result<Subscription, Failure> {
        let mut params = Map::new();
        if !self.envelope.is_empty() {
            params.insert("_meta".into(), self.envelope.clone().into());
        }
        Subscription::open(Arc::clone(&self.link), filter, params).await
    }

    /// Sends any request, once, and gives its result as it came: a question of 2026-07-28, which is a result whose
    /// `resultType` is `input_required`, is not answered.
    ///
    /// What every request carries is added to the parameters, and does not replace what they have.
    ///
    /// # Example: a request that is repeated by hand
    ///
    /// ```
    /// # use fastmcp_rs::testing::{Failure, TestClient};
    /// # use serde_json::json;
    /// # async fn example(client: TestClient) -> Result<(), Failure> {
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
        self.link.check();
        self.link.notify(method, object(to_json(params)));
    }

    /// The notifications that have come since the last look, in their order: what came beside answers.
    ///
    /// Those of a call come before its answer.
    pub fn notifications(&self) -> Vec<Notification> {
        self.link.take_frames();
        self.link.check();
        self.link.lock().notifications.drain(..).collect()
    }

    /// Waits for a notification, and takes it from the [others](TestClient::notifications).
    pub async fn next_notification(&self) -> Notification {
        loop {
            // Made before the look, so that one which comes in between is not missed.
            let arrived = self.link.arrived.notified();
            self.link.take_frames();
            self.link.check();
            let next = self.link.lock().notifications.pop_front();
            match next {
                Some(notification) => return notification,
                None => arrived.await,
            }
        }
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
        let link = Arc::clone(&self.link);
        let method = method.to_owned();
        let revision = link.revision;
        Request { step: Step::Draft(Draft { link, method, params, meta, answers_questions }), revision, view }
    }
}

impl std::fmt::Debug for TestClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TestClient").field("revision", &self.link.revision).finish_non_exhaustive()
    }
}

/// A request of a [`TestClient`], which is sent when it is first awaited.
///
/// It borrows nothing, so it may become a task: `tokio::spawn(client.call("slow", json!({})))`. Dropped before its
/// answer, it is cancelled.
///
/// # Errors
///
/// Fails if the server answers with an error. A tool that fails is a reply.
#[must_use = "a request is sent when it is awaited"]
pub struct Request<R> {
    step: Step,
    revision: Revision,
    view: fn(Value, Revision) -> R,
}

enum Step {
    Draft(Draft),
    Sent(Exchange),
    Over,
}

type Exchange = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

struct Draft {
    link: Arc<Link>,
    method: String,
    params: Map<String, Value>,
    meta: Map<String, Value>,
    answers_questions: bool,
}

impl<R> Request<R> {
    /// Adds a member to the request's `_meta`, or replaces it.
    pub fn meta(mut self, name: impl Into<String>, value: impl Into<Value>) -> Request<R> {
        if let Step::Draft(draft) = &mut self.step {
            draft.meta.insert(name.into(), value.into());
        }
        self
    }

    /// Wants to be told of progress: by notifications that carry this token, a string or an integer.
    pub fn progress_token(self, token: impl Into<Value>) -> Request<R> {
        self.meta("progressToken", token)
    }
}

impl Request<CompletionReply> {
    /// Tells a value that was chosen for another argument before. Revisions before 2025-06-18 have no word for it.
    pub fn context(mut self, argument: impl Into<String>, value: impl Into<String>) -> Request<CompletionReply> {
        if let Step::Draft(draft) = &mut self.step {
            if draft.link.revision >= Revision::V2025_06_18 {
                let context = draft.params.entry("context").or_insert_with(|| json!({ "arguments": {} }));
                context["arguments"][argument.into()] = value.into().into();
            }
        }
        self
    }
}

impl<R> Future for Request<R> {
    type Output = Result<R, Failure>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut sent = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Draft(draft) => Box::pin(draft.exchange()),
            Step::Sent(sent) => sent,
            Step::Over => panic!("a request was polled after its answer"),
        };
        match sent.as_mut().poll(task) {
            Poll::Ready(answer) => Poll::Ready(answer.map(|result| (self.view)(result, self.revision))),
            Poll::Pending => {
                self.step = Step::Sent(sent);
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

impl Draft {
    async fn exchange(self) -> Result<Value, Failure> {
        let Draft { link, method, mut params, meta, answers_questions } = self;
        if !meta.is_empty() {
            params.insert("_meta".into(), meta.into());
        }
        let mut asked = Value::Null;
        for _ in 0..MAX_ROUNDS {
            let result = link.begin(&method, params.clone()).answer().await?;
            if !answers_questions || !link.revision.is_modern() || result["resultType"] != "input_required" {
                return Ok(result);
            }
            // Each round carries the answers to the one before, and no others.
            params.remove("inputResponses");
            params.remove("requestState");
            match answer_round(&link.scripts, &link.capabilities, &result) {
                Ok(Round::Repeat(more)) => params.extend(more),
                Ok(Round::GiveUp(questions)) => return Err(Failure::unanswered(&questions)),
                Err(problem) => panic!("{problem}"),
            }
            asked = result;
        }
        panic!("`{method}` was sent {MAX_ROUNDS} times and still asks: {}", asked["inputRequests"])
    }
}

#[track_caller]
fn to_json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("the parameters have no JSON form: {error}"))
}

#[track_caller]
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        other => panic!("parameters are an object, not {other}"),
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
