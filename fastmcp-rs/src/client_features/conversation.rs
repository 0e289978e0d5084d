//! The requests that one call sends to its client, and the answers.
//!
//! A legacy client, of a revision with a handshake, gets each of them as a JSON-RPC request, and the handler waits for
//! the response. A modern client cannot be sent requests: its questions are recorded here, the call ends with
//! `input_required`, and the client repeats its request with the answers. The handler then runs again from its
//! beginning and finds each answer at the place where it asks; so one handler serves both kinds of client.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client_features::pending_requests::ClientRequests;
use crate::client_features::{AskError, Question};
use crate::json::encode;
use crate::sealing::State;

/// The default time limit for an answer. People need time to think.
const TIME_TO_ANSWER: Duration = Duration::from_secs(600);

/// The number of rounds whose answers match no question, after which a call fails. A handler whose question differs in
/// each round, for example because it contains the time, would otherwise ask for ever.
pub(crate) const MAX_ROUNDS_IN_VAIN: u32 = 8;

/// The way in which a call can ask its client.
#[derive(Debug)]
pub(crate) enum Channel {
    /// None: the protocol allows no requests to the client while this request is handled.
    None,
    /// The call ends with the questions, and the client repeats it with the answers.
    Rounds,
    /// JSON-RPC requests on the same connection.
    Requests(Arc<ClientRequests>),
    /// Not at all, as the client takes nothing but the answer to this request.
    AnswerOnly,
}

#[derive(Debug)]
pub(crate) struct Questions {
    channel: Channel,
    state: Mutex<Conversation>,
    /// True while a question is open that needs another round.
    is_asking: AtomicBool,
    /// Notified when a question is opened, because a task that the handler has spawned may open it.
    asked: Notify,
    /// Set when the call has ended.
    has_ended: AtomicBool,
    /// Notified when the call has ended, if anything has ever waited for that. Only tasks that the handler has spawned
    /// can still wait then.
    ended: Notify,
    is_waited_for: AtomicBool,
    /// Set before the first request is sent to the client.
    has_sent: AtomicBool,
}

#[derive(Debug, Default)]
struct Conversation {
    /// The number of questions per kind, from which their keys are made; a kind includes the key's prefix.
    counts: Vec<(String, u32)>,
    /// The digests of this run's questions, by key.
    keys: BTreeMap<String, String>,
    /// The answers so far, including those of this request, and the remembered values.
    state: State,
    /// The keys of the open questions that this request answers.
    answered: HashSet<String>,
    /// True once the handler has asked again a question that this request answers.
    fits: bool,
    /// The questions that need another round, by key.
    open: HashMap<String, OpenQuestion>,
    /// The number of questions opened so far, which gives each its position.
    opened: usize,
    waiting: Waiting,
}

/// A question that the client gets at the end of this round.
#[derive(Debug)]
struct OpenQuestion {
    place: usize,
    digest: String,
    request: Value,
    /// The number of futures that wait for the answer.
    askers: u32,
}

/// The time that the call has spent waiting for answers.
#[derive(Debug, Default)]
struct Waiting {
    questions: u32,
    since: Option<Instant>,
    before: Duration,
}

impl Questions {
    /// Starts from the state of the earlier rounds and the answers of this request. An answer counts only if the state
    /// says that its question was asked.
    pub(crate) fn new(channel: Channel, mut state: State, responses: Map<String, Value>) -> Questions {
        let answered = state.take_answers(responses);
        Questions {
            channel,
            state: Mutex::new(Conversation { state, answered, ..Conversation::default() }),
            is_asking: AtomicBool::new(false),
            asked: Notify::new(),
            has_ended: AtomicBool::new(false),
            ended: Notify::new(),
            is_waited_for: AtomicBool::new(false),
            has_sent: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if the call cannot continue without another round.
    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking.load(Ordering::Acquire)
    }

    /// Waits until [`Questions::is_asking`] is true.
    pub(crate) async fn asked(&self) {
        loop {
            self.asked.notified().await;
            // The handler may have dropped its question in the meantime.
            if self.is_asking() {
                return;
            }
        }
    }

    /// Ends the round: returns the questions for the client, and the state that must come back with the answers. Call
    /// this before the handler is dropped, because dropping a future that waits for an answer withdraws its question.
    pub(crate) fn round(&self) -> Round {
        let mut conversation = self.lock();
        let mut state = std::mem::take(&mut conversation.state);
        let mut open: Vec<_> = std::mem::take(&mut conversation.open).into_iter().collect();
        open.sort_unstable_by_key(|(_, question)| question.place);
        let mut asked_in_vain = None;
        if !conversation.answered.is_empty() && !conversation.fits {
            state.rounds_in_vain += 1;
            let again = open.iter().find(|(key, _)| conversation.answered.contains(key));
            asked_in_vain = again.or(open.first()).map(|(key, _)| key.clone());
        }
        let mut requests = Map::new();
        for (key, OpenQuestion { digest, request, .. }) in open {
            state.ask(&key, digest);
            requests.insert(key, request);
        }
        Round { requests, asked_in_vain: asked_in_vain.filter(|_| state.rounds_in_vain >= MAX_ROUNDS_IN_VAIN), state }
    }

    /// Returns true if a request was sent to the client, which may have to be withdrawn.
    pub(crate) fn has_sent(&self) -> bool {
        self.has_sent.load(Ordering::Acquire)
    }

    /// Ends the call: from now on the client is asked nothing.
    pub(crate) fn end(&self) {
        // Each side writes its own flag before it reads the other's, so at least one of them sees the other.
        self.has_ended.store(true, Ordering::SeqCst);
        if self.is_waited_for.load(Ordering::SeqCst) {
            self.ended.notify_waiters();
        }
    }

    /// Waits until the call has ended.
    async fn end_of_call(&self) {
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

    /// Returns the time that the call has waited for answers so far, and whether it waits for one now. This time does
    /// not count towards the time limit of the call.
    pub(crate) fn waited(&self) -> (Duration, bool) {
        let waiting = &self.lock().waiting;
        let now = waiting.since.map_or(Duration::ZERO, |since| since.elapsed());
        (waiting.before + now, waiting.questions > 0)
    }

    /// Returns the value remembered under a key.
    pub(crate) fn recall(&self, key: &str) -> Option<Value> {
        self.lock().state.remembered.get(key).cloned()
    }

    pub(crate) fn remember(&self, key: String, value: Value) {
        self.lock().state.remembered.insert(key, value);
    }
}

impl Conversation {
    /// Returns the key of a question: the given one, or one made from its kind and its position within the kind.
    fn key(
        &mut self,
        question: &Question,
        digest: &str,
        prefix: &str,
        own: Option<String>,
    ) -> Result<String, AskError> {
        let key = own.map(|own| format!("{prefix}{own}")).unwrap_or_else(|| {
            let noun = match question.method {
                "sampling/createMessage" => "sampling",
                "roots/list" => "roots",
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
            Some(other) if other != digest => Err(AskError::DuplicateKey { key }),
            Some(_) => Ok(key),
            None => {
                self.keys.insert(key.clone(), digest.to_owned());
                Ok(key)
            }
        }
    }

    /// Returns the answer to exactly this question, from this request or an earlier round. An answer to a question in
    /// other words does not count, because it must not pass for a person's consent.
    fn answer(&mut self, key: &str, digest: &str) -> Option<Value> {
        let result = self.state.answer(key, digest)?.clone();
        self.fits |= self.answered.contains(key);
        Some(result)
    }

    fn ask(&mut self, key: &str, digest: String, question: Question) {
        match self.open.get_mut(key) {
            Some(open) => open.askers += 1,
            None => {
                let request = json!({ "method": question.method, "params": question.params });
                let open = OpenQuestion { place: self.opened, digest, request, askers: 1 };
                self.opened += 1;
                self.open.insert(key.to_owned(), open);
            }
        }
    }
}

/// A sink for the frames of one call.
pub(crate) trait FrameSink: Sync {
    /// Sends a frame once there is room for it; `false` if the call has ended.
    fn send(&self, frame: Vec<u8>) -> impl Future<Output = bool> + Send;

    /// Sends a frame if there is room for it.
    fn send_if_there_is_room(&self, frame: Vec<u8>);
}

impl Questions {
    /// Asks the client, and waits for the result.
    pub(crate) async fn ask(
        &self,
        sink: &impl FrameSink,
        question: Question,
        prefix: &str,
        key: Option<String>,
        timeout: Option<Duration>,
    ) -> Result<Value, AskError> {
        let questions = self;
        match &questions.channel {
            Channel::None => Err(AskError::NotPossibleHere),
            Channel::AnswerOnly => Err(AskError::unreachable(question.capability)),
            Channel::Rounds => {
                let digest = question.digest();
                let _asking = {
                    let mut conversation = questions.lock();
                    let key = conversation.key(&question, &digest, prefix, key)?;
                    if let Some(result) = conversation.answer(&key, &digest) {
                        return Ok(result);
                    }
                    if questions.has_ended.load(Ordering::SeqCst) {
                        return Err(AskError::Ended);
                    }
                    conversation.ask(&key, digest, question);
                    questions.is_asking.store(true, Ordering::Release);
                    Asking { questions, key }
                };
                questions.asked.notify_one();
                // The engine ends the call with the open questions and drops the handler, which never continues past
                // this point. A task that the handler has spawned must not wait for ever.
                questions.end_of_call().await;
                Err(AskError::Ended)
            }
            Channel::Requests(requests) => {
                self.ask_now(sink, requests, &question, timeout.unwrap_or(TIME_TO_ANSWER)).await
            }
        }
    }

    async fn ask_now(
        &self,
        sink: &impl FrameSink,
        requests: &ClientRequests,
        question: &Question,
        timeout: Duration,
    ) -> Result<Value, AskError> {
        let (id, answer) = requests.open()?;
        let mut open = Open { sink, requests, id, was_sent: false, reason: "the call that asked has ended" };
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": question.method });
        if !question.params.is_null() {
            request["params"] = question.params.clone();
        }
        let mut frame = Vec::new();
        // A `Value` always has a JSON form.
        let _ = encode::json(&mut frame, &request);
        frame.push(b'\n');
        self.has_sent.store(true, Ordering::Release);
        open.was_sent = sink.send(frame).await;
        if !open.was_sent {
            self.end_of_call().await;
            return Err(AskError::Ended);
        }
        let _waiting = WaitingFor::new(self);
        let mut reply = pin!(tokio::time::timeout(timeout, answer));
        let mut ended = pin!(self.end_of_call());
        let reply = poll_fn(|task| match reply.as_mut().poll(task) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending => ended.as_mut().poll(task).map(|()| None),
        });
        match reply.await {
            Some(Ok(Ok(Ok(result)))) => Ok(result),
            Some(Ok(Ok(Err((code, message))))) => Err(AskError::refused(code, &message)),
            // The call has ended, or the connection was closed, which ends the call.
            None | Some(Ok(Err(_))) => Err(AskError::Ended),
            Some(Err(_)) => {
                open.reason = "no answer came in time";
                Err(AskError::TimedOut { after: timeout })
            }
        }
    }
}

/// The questions and the state with which a call ends that asks its client.
pub(crate) struct Round {
    pub(crate) requests: Map<String, Value>,
    pub(crate) state: State,
    /// The key of a question that no answer matches; if set, the call must not ask again.
    pub(crate) asked_in_vain: Option<String>,
}

/// A question of this round. It is withdrawn when the last future that waits for its answer is dropped.
struct Asking<'a> {
    questions: &'a Questions,
    key: String,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut conversation = self.questions.lock();
        if let Some(open) = conversation.open.get_mut(&self.key) {
            open.askers -= 1;
            if open.askers == 0 {
                conversation.open.remove(&self.key);
            }
            self.questions.is_asking.store(!conversation.open.is_empty(), Ordering::Release);
        }
    }
}

/// A request sent to the client. It is withdrawn if this is dropped before the response arrives.
struct Open<'a, S: FrameSink> {
    sink: &'a S,
    requests: &'a ClientRequests,
    id: i64,
    was_sent: bool,
    reason: &'static str,
}

impl<S: FrameSink> Drop for Open<'_, S> {
    fn drop(&mut self) {
        if let Some(frame) = self.requests.withdraw(self.id, self.reason).filter(|_| self.was_sent) {
            self.sink.send_if_there_is_room(frame);
        }
    }
}

/// Counts the time until it is dropped as waiting for answers.
struct WaitingFor<'a>(&'a Questions);

impl<'a> WaitingFor<'a> {
    fn new(questions: &'a Questions) -> Self {
        let waiting = &mut questions.lock().waiting;
        waiting.questions += 1;
        waiting.since.get_or_insert_with(Instant::now);
        WaitingFor(questions)
    }
}

impl Drop for WaitingFor<'_> {
    fn drop(&mut self) {
        let waiting = &mut self.0.lock().waiting;
        waiting.questions -= 1;
        if waiting.questions == 0 {
            if let Some(since) = waiting.since.take() {
                waiting.before += since.elapsed();
            }
        }
    }
}
