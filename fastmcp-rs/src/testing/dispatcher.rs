//! The connection of a test client: sends messages, and routes each frame to the future that waits for it.
//!
//! Frames are routed where they appear: by the sender if the response is ready at once, and by a task of the runtime
//! otherwise. So it does not matter which of several futures is polled, and a test may keep one for later.
//!
//! A frame that a server must not send, such as a response to no request, fails the whole client: all waiting futures
//! and all later calls panic with the reason.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, oneshot};

use super::peer::TestServer;
use super::reply::{Notification, RequestError};
use super::scripts::{ReplyKind, Scripts, panic_text};
use super::subscription_filter::OpenSubscription;
use crate::protocol::{Feature, ProtocolMethod, Revision};
use crate::util::sync::{Mutex, MutexGuard};

/// The `_meta` member that names the subscription of a notification.
pub(super) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// The sender of a frame.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Client,
    Server,
}

pub(super) type Observer = Box<dyn FnMut(Origin, &str) + Send>;

pub(super) struct Dispatcher {
    pub(super) peer: Box<dyn TestServer>,
    pub(super) revision: Revision,
    /// The capabilities that the client declares.
    pub(super) capabilities: Value,
    pub(super) scripts: Scripts,
    /// The result of `initialize`; `null` in 2026-07-28.
    pub(super) initialization: Mutex<Value>,
    state: Mutex<DispatcherState>,
    /// Notified of each notification.
    pub(super) arrived: Notify,
}

pub(super) struct DispatcherState {
    /// The id of the last request.
    last_id: i64,
    waiting: HashMap<i64, oneshot::Sender<Result<Value, RequestError>>>,
    /// Requests that are no longer awaited; the server may still respond to some.
    abandoned: HashSet<i64>,
    pub(super) notifications: VecDeque<Notification>,
    pub(super) subscriptions: Vec<OpenSubscription>,
    failed: Option<String>,
    /// Set when the failure was reported to a test.
    failure_was_told: bool,
    observer: Option<Observer>,
}

/// A request of the server.
struct ServerRequest {
    id: Value,
    method: String,
    params: Value,
}

impl Dispatcher {
    pub(super) fn new(
        peer: Box<dyn TestServer>,
        revision: Revision,
        capabilities: Value,
        scripts: Scripts,
        observer: Option<Observer>,
    ) -> Arc<Dispatcher> {
        let frames = peer.frames().clone();
        let state = DispatcherState {
            last_id: 0,
            waiting: HashMap::new(),
            abandoned: HashSet::new(),
            notifications: VecDeque::new(),
            subscriptions: Vec::new(),
            failed: None,
            failure_was_told: false,
            observer,
        };
        let dispatcher = Arc::new(Dispatcher {
            peer,
            revision,
            capabilities,
            scripts,
            initialization: Mutex::default(),
            state: Mutex::new(state),
            arrived: Notify::new(),
        });
        let weak: Weak<Dispatcher> = Arc::downgrade(&dispatcher);
        tokio::spawn(async move {
            loop {
                frames.wait().await;
                match weak.upgrade() {
                    Some(dispatcher) if !frames.is_closed() => dispatcher.take_frames(),
                    _ => return,
                }
            }
        });
        dispatcher
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, DispatcherState> {
        self.state.lock()
    }

    /// Takes and routes the frames in the queue.
    pub(super) fn take_frames(&self) {
        let requests = {
            let mut state = self.lock();
            let frames = self.peer.frames().take();
            self.route_frames(&mut state, &frames)
        };
        self.answer_requests(requests);
    }

    /// Sends one message, and routes the frames that are ready at once.
    pub(super) fn send(&self, message: &Value) {
        let text = message.to_string();
        let requests = {
            // The server has one reader, which takes one message after the other.
            let mut state = self.lock();
            state.observe(Origin::Client, &text);
            let mut answers = Vec::new();
            self.peer.receive(text.as_bytes(), &mut answers);
            // As on standard output, queued frames come first.
            let mut frames = self.peer.frames().take();
            frames.append(&mut answers);
            self.route_frames(&mut state, &frames)
        };
        self.answer_requests(requests);
    }

    pub(super) fn notify(&self, method: &str, params: Map<String, Value>) {
        let mut message = json!({ "jsonrpc": "2.0", "method": method });
        if !params.is_empty() {
            message["params"] = params.into();
        }
        self.send(&message);
    }

    /// Sends a request.
    pub(super) fn start_request(self: &Arc<Dispatcher>, method: &str, params: Map<String, Value>) -> PendingRequest {
        let (id, pending_request) = self.expect_response();
        self.send_request(id, method, params);
        pending_request
    }

    /// Registers a request. Returns its id, and a ticket for its response.
    pub(super) fn expect_response(self: &Arc<Dispatcher>) -> (i64, PendingRequest) {
        self.panic_if_failed();
        let (sender, receiver) = oneshot::channel();
        let id = self.fresh_id();
        self.lock().waiting.insert(id, sender);
        (id, PendingRequest { dispatcher: Arc::clone(self), id, receiver, is_over: false })
    }

    pub(super) fn fresh_id(&self) -> i64 {
        let mut state = self.lock();
        state.last_id += 1;
        state.last_id
    }

    pub(super) fn send_request(&self, id: i64, method: &str, params: Map<String, Value>) {
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_empty() {
            message["params"] = params.into();
        }
        self.send(&message);
    }

    /// Sends a request without waiting for its response.
    pub(super) fn send_unawaited(&self, method: &str, params: Map<String, Value>) {
        let id = self.fresh_id();
        self.abandon_request(id);
        self.send_request(id, method, params);
    }

    /// Stops waiting for a response.
    fn abandon_request(&self, id: i64) {
        let mut state = self.lock();
        state.waiting.remove(&id);
        state.abandoned.insert(id);
    }

    /// Stops waiting for a response, and cancels the request.
    fn cancel_request(&self, id: i64, reason: &str) {
        self.abandon_request(id);
        // A test may drop a request after its runtime has ended, and the server with it.
        if tokio::runtime::Handle::try_current().is_ok() {
            let mut params = Map::new();
            params.insert("requestId".into(), id.into());
            params.insert("reason".into(), reason.into());
            self.notify(ProtocolMethod::Cancelled.as_str(), params);
        }
    }

    /// Routes each frame to the future that waits for it. Returns the requests of the server.
    fn route_frames(&self, state: &mut DispatcherState, frames: &[u8]) -> Vec<ServerRequest> {
        let mut requests = Vec::new();
        for frame in frames.split(|&byte| byte == b'\n').filter(|frame| !frame.is_empty()) {
            let text = String::from_utf8_lossy(frame);
            // An observer belongs to the test, and its panic may occur on a thread where it would be lost.
            let routed = catch_unwind(AssertUnwindSafe(|| {
                state.observe(Origin::Server, &text);
                state.route_frame(&text, self.revision, &mut requests)
            }));
            match routed {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => state.fail_all(format!("{problem}\n  in {text}")),
                Err(panic) => state.fail_all(panic_text(&*panic).into()),
            }
        }
        if !frames.is_empty() {
            self.arrived.notify_waiters();
        }
        requests
    }

    /// Answers requests of the server, which exist only in sessions.
    fn answer_requests(&self, requests: Vec<ServerRequest>) {
        for ServerRequest { id, method, params } in requests {
            match self.scripts.answer_request(&self.capabilities, &method, &params, None) {
                Ok(answer) => match answer.0 {
                    ReplyKind::Result(result) => self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result })),
                    ReplyKind::Error { code, message } => {
                        let error = json!({ "code": code, "message": message });
                        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
                    }
                    ReplyKind::Silence => {}
                },
                Err(problem) => {
                    self.lock().fail_all(problem);
                    self.arrived.notify_waiters();
                }
            }
        }
    }

    /// Panics if the client has failed.
    #[track_caller]
    pub(super) fn panic_if_failed(&self) {
        let mut state = self.lock();
        if let Some(problem) = state.failed.clone() {
            state.failure_was_told = true;
            drop(state);
            panic!("{problem}");
        }
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.peer.close();
        let state = self.state.get_mut();
        if let (Some(problem), false) = (&state.failed, state.failure_was_told || std::thread::panicking()) {
            panic!("{problem}");
        }
    }
}

impl DispatcherState {
    fn observe(&mut self, origin: Origin, frame: &str) {
        if let Some(observer) = &mut self.observer {
            observer(origin, frame);
        }
    }

    /// Fails the client: all waiting futures and all later calls panic with this problem.
    fn fail_all(&mut self, problem: String) {
        self.failed.get_or_insert(problem);
        self.waiting.clear();
        self.subscriptions.clear();
    }

    fn route_frame(&mut self, text: &str, revision: Revision, requests: &mut Vec<ServerRequest>) -> Result<(), String> {
        let Ok(Value::Object(mut frame)) = serde_json::from_str(text) else {
            return Err("the server sent an invalid message".into());
        };
        let id = frame.remove("id");
        let params = frame.remove("params").unwrap_or_default();
        match (frame.remove("method"), id) {
            (Some(Value::String(method)), Some(_)) if !revision.has(Feature::ServerRequests) => {
                Err(format!("the server sent the request `{method}`, which does not exist in {revision}"))
            }
            (Some(Value::String(method)), Some(id)) => {
                requests.push(ServerRequest { id, method, params });
                Ok(())
            }
            (Some(Value::String(method)), None) => self.route_notification(Notification { method, params }, revision),
            (None, Some(id)) => {
                let answer = match (frame.remove("result"), frame.remove("error")) {
                    (Some(result), None) => Ok(result),
                    (None, Some(error)) if error["code"].as_i64().is_some_and(|code| code != 0) => {
                        Err(RequestError::new(&error))
                    }
                    _ => return Err("the server sent a response without a result or an error".into()),
                };
                self.route_answer(&id, answer)
            }
            _ => Err("the server sent a message without a method and an id".into()),
        }
    }

    fn route_answer(&mut self, id: &Value, answer: Result<Value, RequestError>) -> Result<(), String> {
        let id = id
            .as_i64()
            .ok_or_else(|| "the server sent a response with an id that the client did not send".to_owned())?;
        if let Some(waiting) = self.waiting.remove(&id) {
            // The future may have been dropped just now.
            let _ = waiting.send(answer);
        } else if !self.abandoned.remove(&id) {
            return Err("the server sent a response without a request, or a second response to one request".into());
        }
        // The response to `subscriptions/listen` ends the subscription.
        self.subscriptions.retain(|open| open.id != id);
        Ok(())
    }

    fn route_notification(&mut self, notification: Notification, revision: Revision) -> Result<(), String> {
        let subscription = notification.params["_meta"].get(SUBSCRIPTION_ID);
        let Some(subscription) = subscription.filter(|_| revision.has(Feature::ListenStreams)) else {
            let mut wanted = false;
            if !revision.has(Feature::ListenStreams) {
                for open in self.subscriptions.iter().filter(|open| open.accepts(&notification)) {
                    wanted |= open.notifications.send(notification.clone()).is_ok();
                }
            }
            if !wanted {
                self.notifications.push_back(notification);
            }
            return Ok(());
        };
        let id = subscription.as_i64();
        let Some(open) = self.subscriptions.iter_mut().find(|open| Some(open.id) == id) else {
            // The notification was already on its way when the subscription was cancelled.
            let was_cancelled = id.is_some_and(|id| self.abandoned.contains(&id));
            return if was_cancelled {
                Ok(())
            } else {
                Err("the server sent a notification for a subscription that is not open".into())
            };
        };
        let is_acknowledgement = notification.method == ProtocolMethod::SubscriptionAcknowledged.as_str();
        match (open.acknowledge.take(), is_acknowledgement) {
            (Some(acknowledge), true) => {
                // The future may have been dropped just now.
                let _ = acknowledge.send(notification.params["notifications"].clone());
                Ok(())
            }
            (None, false) => {
                let wanted = open.accepts(&notification);
                // The future may have been dropped just now.
                let _ = open.notifications.send(notification);
                if wanted {
                    Ok(())
                } else {
                    Err("the server sent a notification that the subscription did not ask for".into())
                }
            }
            (Some(_), false) => Err("the server sent a notification before it acknowledged the subscription".into()),
            (None, true) => Err("the server acknowledged a subscription twice".into()),
        }
    }
}

/// A request in flight. Dropping it before its response cancels the request.
pub(super) struct PendingRequest {
    dispatcher: Arc<Dispatcher>,
    id: i64,
    receiver: oneshot::Receiver<Result<Value, RequestError>>,
    is_over: bool,
}

impl PendingRequest {
    pub(super) async fn wait_for_response(mut self) -> Result<Value, RequestError> {
        let answer = (&mut self.receiver).await;
        self.is_over = true;
        answer.unwrap_or_else(|_| {
            self.dispatcher.panic_if_failed();
            panic!("the connection has ended")
        })
    }

    /// Returns the response, if it has arrived.
    pub(super) fn take_response(&mut self) -> Option<Result<Value, RequestError>> {
        let answer = self.receiver.try_recv().ok()?;
        self.is_over = true;
        Some(answer)
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        if !self.is_over {
            self.dispatcher.cancel_request(self.id, "the client no longer waits for the response");
        }
    }
}
