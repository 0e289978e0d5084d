//! The requests that one call sends to its client, and their results.
//!
//! A legacy client, of a revision with a handshake, gets each of them as a JSON-RPC request, and the handler waits for
//! the response. A modern client cannot be sent requests: they are recorded here, the call ends with
//! `input_required`, and the client repeats its own request with the results. The handler then runs again from its
//! beginning and finds each result where it asks for it; so one handler serves both kinds of client.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client_features::pending_requests::PendingClientRequests;
use crate::client_features::{ClientRequestError, ClientRequestSpec};
use crate::json::encode;
use crate::protocol::ProtocolMethod;
use crate::sealing::RequestState;
use crate::util::sync::Mutex;

/// The default time limit for a result. People need time to think.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The number of rounds whose results match no request, after which a call fails. A handler whose request differs in
/// each round, for example because it contains the time, would otherwise repeat it for ever.
pub(crate) const MAX_FRUITLESS_ROUNDS: u32 = 8;

/// The way in which a call can ask its client.
#[derive(Debug)]
pub(crate) enum RequestChannel {
    /// None: the protocol allows no requests to the client while this request is handled.
    None,
    /// The call ends with the requests, and the client repeats it with their results.
    Rounds,
    /// JSON-RPC requests on the same connection.
    Requests(Arc<PendingClientRequests>),
    /// The protocol allows requests, but the client reads only the response to this request.
    ResponseOnly,
}

#[derive(Debug)]
pub(crate) struct CallClientRequests {
    channel: RequestChannel,
    state: Mutex<ClientRequestState>,
    /// True while a request is open that needs another round.
    has_open_requests: AtomicBool,
    /// Notified when a request is opened, because a task that the handler has spawned may open it.
    open_request_added: Notify,
    /// Set when the call has ended.
    has_ended: AtomicBool,
    /// Notified when the call has ended, if anything has ever waited for that. Only tasks that the handler has spawned
    /// can still wait then.
    ended: Notify,
    is_waited_for: AtomicBool,
    /// Set before the first request is sent to the client.
    has_sent_request: AtomicBool,
}

#[derive(Debug, Default)]
struct ClientRequestState {
    /// The number of requests per kind, from which their keys are made; a kind includes the key's prefix.
    counts: Vec<(String, u32)>,
    /// The digests of this run's requests, by key.
    keys: BTreeMap<String, String>,
    /// The results so far, including those in the client's message, and the remembered values.
    state: RequestState,
    /// The keys of the open requests whose results are in the client's message.
    answered: HashSet<String>,
    /// True once the handler has repeated a request whose result is in the client's message.
    has_matching_response: bool,
    /// The requests that need another round, by key.
    open_requests: HashMap<String, RoundRequest>,
    /// The number of requests opened so far, which gives each its position.
    open_count: usize,
    user_wait: UserWait,
}

/// A request that the client gets at the end of this round.
#[derive(Debug)]
struct RoundRequest {
    position: usize,
    digest: String,
    request: Value,
    /// The number of futures that wait for the result.
    waiters: u32,
}

/// The time that the call has spent waiting for results.
#[derive(Debug, Default)]
struct UserWait {
    active: u32,
    since: Option<Instant>,
    before: Duration,
}

impl CallClientRequests {
    /// Starts from the state of the earlier rounds and the results in the client's message. A result counts only if the
    /// state says that its request was sent.
    pub(crate) fn new(
        channel: RequestChannel,
        mut state: RequestState,
        responses: Map<String, Value>,
    ) -> CallClientRequests {
        let answered = state.accept_responses(responses);
        CallClientRequests {
            channel,
            state: Mutex::new(ClientRequestState { state, answered, ..ClientRequestState::default() }),
            has_open_requests: AtomicBool::new(false),
            open_request_added: Notify::new(),
            has_ended: AtomicBool::new(false),
            ended: Notify::new(),
            is_waited_for: AtomicBool::new(false),
            has_sent_request: AtomicBool::new(false),
        }
    }

    /// Returns true if the call cannot continue without another round.
    pub(crate) fn has_open_requests(&self) -> bool {
        self.has_open_requests.load(Ordering::Acquire)
    }

    /// Waits until [`CallClientRequests::has_open_requests`] is true.
    pub(crate) async fn wait_for_open_request(&self) {
        loop {
            self.open_request_added.notified().await;
            // The handler may have dropped its request in the meantime.
            if self.has_open_requests() {
                return;
            }
        }
    }

    /// Ends the round: returns the requests for the client, and the state that must come back with their results. Call
    /// this before the handler is dropped, because dropping a future that waits for a result withdraws its request.
    pub(crate) fn take_input_required(&self) -> InputRequired {
        let mut locked = self.state.lock();
        let mut state = std::mem::take(&mut locked.state);
        let mut open_requests: Vec<_> = std::mem::take(&mut locked.open_requests).into_iter().collect();
        open_requests.sort_unstable_by_key(|(_, request)| request.position);
        let mut fruitless_key = None;
        if !locked.answered.is_empty() && !locked.has_matching_response {
            state.fruitless_rounds += 1;
            let again = open_requests.iter().find(|(key, _)| locked.answered.contains(key));
            fruitless_key = again.or(open_requests.first()).map(|(key, _)| key.clone());
        }
        let mut requests = Map::new();
        for (key, RoundRequest { digest, request, .. }) in open_requests {
            state.add_request(&key, digest);
            requests.insert(key, request);
        }
        InputRequired {
            requests,
            fruitless_key: fruitless_key.filter(|_| state.fruitless_rounds >= MAX_FRUITLESS_ROUNDS),
            state,
        }
    }

    /// Returns true if a request was sent to the client, which may have to be withdrawn.
    pub(crate) fn has_sent_request(&self) -> bool {
        self.has_sent_request.load(Ordering::Acquire)
    }

    /// Ends the call: from now on no request is sent to the client.
    pub(crate) fn close(&self) {
        // Each side writes its own flag before it reads the other's, so at least one of them sees the other.
        self.has_ended.store(true, Ordering::SeqCst);
        if self.is_waited_for.load(Ordering::SeqCst) {
            self.ended.notify_waiters();
        }
    }

    /// Waits until the call has ended.
    async fn wait_for_end(&self) {
        self.is_waited_for.store(true, Ordering::SeqCst);
        let mut ended = pin!(self.ended.notified());
        loop {
            ended.as_mut().enable();
            if self.has_ended.load(Ordering::SeqCst) {
                return;
            }
            ended.as_mut().await;
            ended.set(self.ended.notified());
        }
    }

    /// Returns the time that the call has waited for results so far, and whether it waits for one now. This time does
    /// not count towards the time limit of the call.
    pub(crate) fn user_wait(&self) -> (Duration, bool) {
        let user_wait = &self.state.lock().user_wait;
        let now = user_wait.since.map_or(Duration::ZERO, |since| since.elapsed());
        (user_wait.before + now, user_wait.active > 0)
    }

    /// Returns the value remembered under a key.
    pub(crate) fn recall(&self, key: &str) -> Option<Value> {
        self.state.lock().state.remembered.get(key).cloned()
    }

    pub(crate) fn remember(&self, key: String, value: Value) {
        self.state.lock().state.remembered.insert(key, value);
    }
}

impl ClientRequestState {
    /// Returns the key of a request: the given one, or one made from its kind and its position within the kind.
    fn assign_key(
        &mut self,
        spec: &ClientRequestSpec,
        digest: &str,
        prefix: &str,
        own: Option<String>,
    ) -> Result<String, ClientRequestError> {
        let key = own.map(|own| format!("{prefix}{own}")).unwrap_or_else(|| {
            let noun = match spec.method {
                ProtocolMethod::CreateMessage => "sampling",
                ProtocolMethod::ListRoots => "roots",
                _ => "elicitation",
            };
            let kind = format!("{prefix}{noun}");
            let number = match self.counts.iter_mut().find(|(counted, _)| *counted == kind) {
                Some((_, count)) => {
                    *count += 1;
                    *count
                }
                None => {
                    self.counts.push((kind.clone(), 1));
                    1
                }
            };
            format!("{kind}_{number}")
        });
        match self.keys.get(&key) {
            Some(other) if other != digest => Err(ClientRequestError::DuplicateKey { key }),
            Some(_) => Ok(key),
            None => {
                self.keys.insert(key.clone(), digest.to_owned());
                Ok(key)
            }
        }
    }

    /// Returns the result of exactly this request, from the client's message or an earlier round. The result of a
    /// request in other words does not count, because it must not pass for a person's consent.
    fn find_response(&mut self, key: &str, digest: &str) -> Option<Value> {
        let result = self.state.response(key, digest)?.clone();
        self.has_matching_response |= self.answered.contains(key);
        Some(result)
    }

    fn add_round_request(&mut self, key: &str, digest: String, spec: ClientRequestSpec) {
        match self.open_requests.get_mut(key) {
            Some(request) => request.waiters += 1,
            None => {
                let request = json!({ "method": spec.method.as_str(), "params": spec.params });
                let added = RoundRequest { position: self.open_count, digest, request, waiters: 1 };
                self.open_count += 1;
                self.open_requests.insert(key.to_owned(), added);
            }
        }
    }
}

/// A sink for the frames of one call.
pub(crate) trait FrameSink: Sync {
    /// Sends a frame once there is room for it; `false` if the call has ended.
    fn send(&self, frame: Vec<u8>) -> impl Future<Output = bool> + Send;

    /// Sends a frame if there is room for it.
    fn try_send(&self, frame: Vec<u8>);
}

impl CallClientRequests {
    /// Asks the client, and waits for the result.
    pub(crate) async fn request(
        &self,
        sink: &impl FrameSink,
        spec: ClientRequestSpec,
        prefix: &str,
        key: Option<String>,
        timeout: Option<Duration>,
    ) -> Result<Value, ClientRequestError> {
        let call_requests = self;
        match &call_requests.channel {
            RequestChannel::None => Err(ClientRequestError::NotPossibleHere),
            RequestChannel::ResponseOnly => Err(ClientRequestError::unreachable(spec.capability)),
            RequestChannel::Rounds => {
                let digest = spec.digest();
                let _asking = {
                    let mut locked = call_requests.state.lock();
                    let key = locked.assign_key(&spec, &digest, prefix, key)?;
                    if let Some(result) = locked.find_response(&key, &digest) {
                        return Ok(result);
                    }
                    if call_requests.has_ended.load(Ordering::SeqCst) {
                        return Err(ClientRequestError::Ended);
                    }
                    locked.add_round_request(&key, digest, spec);
                    call_requests.has_open_requests.store(true, Ordering::Release);
                    RoundRequestGuard { call_requests, key }
                };
                call_requests.open_request_added.notify_one();
                // The engine ends the call with the open requests and drops the handler, which never continues past
                // this point. A task that the handler has spawned must not wait for ever.
                call_requests.wait_for_end().await;
                Err(ClientRequestError::Ended)
            }
            RequestChannel::Requests(requests) => {
                self.send_request(sink, requests, &spec, timeout.unwrap_or(DEFAULT_TIMEOUT)).await
            }
        }
    }

    async fn send_request(
        &self,
        sink: &impl FrameSink,
        requests: &PendingClientRequests,
        spec: &ClientRequestSpec,
        timeout: Duration,
    ) -> Result<Value, ClientRequestError> {
        let (id, answer) = requests.open_request()?;
        let mut sent = SentRequestGuard {
            sink,
            requests,
            id,
            was_sent: false,
            reason: "the call that sent the request has ended",
        };
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": spec.method.as_str() });
        if !spec.params.is_null() {
            request["params"] = spec.params.clone();
        }
        let mut frame = Vec::new();
        // A `Value` always has a JSON form.
        let _ = encode::write_json(&mut frame, &request);
        frame.push(b'\n');
        self.has_sent_request.store(true, Ordering::Release);
        sent.was_sent = sink.send(frame).await;
        if !sent.was_sent {
            self.wait_for_end().await;
            return Err(ClientRequestError::Ended);
        }
        let _wait = UserWaitGuard::new(self);
        let mut reply = pin!(tokio::time::timeout(timeout, answer));
        let mut ended = pin!(self.wait_for_end());
        let reply = poll_fn(|task| match reply.as_mut().poll(task) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending => ended.as_mut().poll(task).map(|()| None),
        });
        match reply.await {
            Some(Ok(Ok(Ok(result)))) => Ok(result),
            Some(Ok(Ok(Err((code, message))))) => Err(ClientRequestError::from_error_response(code, &message)),
            // The call has ended, or the connection was closed, which ends the call.
            None | Some(Ok(Err(_))) => Err(ClientRequestError::Ended),
            Some(Err(_)) => {
                sent.reason = "no response arrived in time";
                Err(ClientRequestError::TimedOut { after: timeout })
            }
        }
    }
}

/// The requests to the client and the state with which a call ends.
pub(crate) struct InputRequired {
    pub(crate) requests: Map<String, Value>,
    pub(crate) state: RequestState,
    /// The key of a request that no result matches; if set, the call must not send it again.
    pub(crate) fruitless_key: Option<String>,
}

/// A request of this round. It is withdrawn when the last future that waits for its result is dropped.
struct RoundRequestGuard<'a> {
    call_requests: &'a CallClientRequests,
    key: String,
}

impl Drop for RoundRequestGuard<'_> {
    fn drop(&mut self) {
        let mut locked = self.call_requests.state.lock();
        if let Some(request) = locked.open_requests.get_mut(&self.key) {
            request.waiters -= 1;
            if request.waiters == 0 {
                locked.open_requests.remove(&self.key);
            }
            self.call_requests.has_open_requests.store(!locked.open_requests.is_empty(), Ordering::Release);
        }
    }
}

/// A request sent to the client. It is withdrawn if this is dropped before the response arrives.
struct SentRequestGuard<'a, S: FrameSink> {
    sink: &'a S,
    requests: &'a PendingClientRequests,
    id: i64,
    was_sent: bool,
    reason: &'static str,
}

impl<S: FrameSink> Drop for SentRequestGuard<'_, S> {
    fn drop(&mut self) {
        if let Some(frame) = self.requests.withdraw(self.id, self.reason).filter(|_| self.was_sent) {
            self.sink.try_send(frame);
        }
    }
}

/// Counts the time until it is dropped as waiting for results.
struct UserWaitGuard<'a>(&'a CallClientRequests);

impl<'a> UserWaitGuard<'a> {
    fn new(call_requests: &'a CallClientRequests) -> Self {
        let user_wait = &mut call_requests.state.lock().user_wait;
        user_wait.active += 1;
        user_wait.since.get_or_insert_with(Instant::now);
        UserWaitGuard(call_requests)
    }
}

impl Drop for UserWaitGuard<'_> {
    fn drop(&mut self) {
        let user_wait = &mut self.0.state.lock().user_wait;
        user_wait.active -= 1;
        if user_wait.active == 0 {
            if let Some(since) = user_wait.since.take() {
                user_wait.before += since.elapsed();
            }
        }
    }
}
