//! What one call has asked its client, and what it was told.
//!
//! A client with a handshake is asked by a request of its own, and the handler waits for the answer. A modern
//! client cannot be asked that way: what it is to be asked is recorded here, the call ends with
//! `input_required`, and the client repeats the request with the answers. The handler then runs again from its
//! beginning, and is given each answer where it asked for it; so the same handler serves both.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ask::{AskError, Question};
use crate::client_requests::ClientRequests;
use crate::context::Request;
use crate::seal::State;

/// How long an answer is waited for unless the handler says otherwise. People think.
const TIME_TO_ANSWER: Duration = Duration::from_secs(600);

/// How a call can ask its client.
#[derive(Debug)]
pub(crate) enum Channel {
    /// Not at all: the protocol allows no questions while this is answered.
    None,
    /// By ending with the questions, and being called again with the answers.
    Rounds,
    /// By requests on the same connection.
    Requests(Arc<ClientRequests>),
}

#[derive(Debug)]
pub(crate) struct Questions {
    channel: Channel,
    state: Mutex<Conversation>,
    /// Whether there is a question that only another round can answer.
    is_asking: AtomicBool,
    /// Told when there is one, as it may come from a task that the handler has spawned.
    asked: Notify,
    /// Whether the call has ended.
    has_ended: AtomicBool,
    /// Told of that, if anybody has ever waited for it. Only what a handler has spawned can still wait then.
    ended: Notify,
    is_waited_for: AtomicBool,
    /// Whether the client was sent a request.
    has_sent: AtomicBool,
}

#[derive(Debug, Default)]
struct Conversation {
    /// How many questions of each kind were asked, for their keys, by how these begin.
    counts: Vec<(String, u32)>,
    /// The digests of this run's questions, by key.
    keys: BTreeMap<String, String>,
    /// What earlier rounds have left, and what this one adds to it.
    state: State,
    /// Whether it is known what the client was asked before.
    is_known: bool,
    /// The answers that came with this request.
    responses: Map<String, Value>,
    /// What the client is to be asked.
    requests: Vec<Wanted>,
    waiting: Waiting,
}

/// One thing that the client is to be asked.
#[derive(Debug)]
struct Wanted {
    key: String,
    request: Value,
    /// How many wait for the answer.
    askers: u32,
}

/// How long the call has waited for people.
#[derive(Debug, Default)]
struct Waiting {
    questions: u32,
    since: Option<Instant>,
    before: Duration,
}

impl Questions {
    pub(crate) fn new(channel: Channel, state: State, responses: Map<String, Value>) -> Questions {
        let is_known = state.has_asked();
        Questions {
            channel,
            state: Mutex::new(Conversation { state, is_known, responses, ..Conversation::default() }),
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

    /// Whether the call can only go on in another round.
    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking.load(Ordering::Acquire)
    }

    /// Waits until [`Questions::is_asking`].
    pub(crate) async fn asked(&self) {
        loop {
            self.asked.notified().await;
            // The handler may have given its question up since.
            if self.is_asking() {
                return;
            }
        }
    }

    /// What the client is asked, and what must come back with its answers. It must be taken before the handler is
    /// dropped, as questions go with those who ask them.
    pub(crate) fn round(&self) -> Round {
        let mut conversation = self.lock();
        let requests = std::mem::take(&mut conversation.requests);
        Round {
            requests: requests.into_iter().map(|wanted| (wanted.key, wanted.request)).collect(),
            state: std::mem::take(&mut conversation.state),
        }
    }

    /// Whether the client was sent a request, which may have to be withdrawn.
    pub(crate) fn has_sent(&self) -> bool {
        self.has_sent.load(Ordering::Acquire)
    }

    /// The call has ended: nobody is asked any more.
    pub(crate) fn end(&self) {
        // Each side writes its flag before it reads the other's, so one of them sees the other.
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

    /// How long the call has waited for answers, and whether it waits for one now. It does not count towards
    /// the call's time limit.
    pub(crate) fn waited(&self) -> (Duration, bool) {
        let waiting = &self.lock().waiting;
        let now = waiting.since.map_or(Duration::ZERO, |since| since.elapsed());
        (waiting.before + now, waiting.questions > 0)
    }

    /// The value that was remembered under a key.
    pub(crate) fn recall(&self, key: &str) -> Option<Value> {
        self.lock().state.remembered.get(key).cloned()
    }

    pub(crate) fn remember(&self, key: String, value: Value) {
        self.lock().state.remembered.insert(key, value);
    }
}

impl Conversation {
    /// The key of a question: its own, or one that tells its place among those of its kind.
    fn key(&mut self, question: &Question, prefix: &str, own: Option<String>) -> Result<String, AskError> {
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
        let digest = question.digest();
        match self.keys.get(&key) {
            Some(other) if *other != digest => Err(AskError::DuplicateKey { key }),
            Some(_) => Ok(key),
            None => {
                self.keys.insert(key.clone(), digest);
                Ok(key)
            }
        }
    }

    /// The answer of an earlier round or of this request's, if it is one to this very question.
    fn answer(&mut self, key: &str, question: &Question) -> Option<Value> {
        let digest = question.digest();
        if let Some(result) = self.state.answer(key, &digest) {
            return Some(result.clone());
        }
        // What was asked in other words, or not at all, has no answer: it must not pass for somebody's consent. A
        // client that brings answers without a state has lost what it was asked, and is believed.
        let was_asked = self.state.asked(key).map_or(!self.is_known, |asked| asked == digest);
        if !was_asked {
            return None;
        }
        let result = self.responses.get(key)?.clone();
        self.state.keep_answer(key, &digest, result.clone());
        Some(result)
    }

    fn ask(&mut self, key: &str, question: &Question) {
        self.state.ask(key, question.digest());
        match self.requests.iter_mut().find(|wanted| wanted.key == key) {
            Some(wanted) => wanted.askers += 1,
            None => {
                let request = json!({ "method": question.method, "params": question.params });
                self.requests.push(Wanted { key: key.to_owned(), request, askers: 1 });
            }
        }
    }
}

impl Request {
    /// Asks the client, and waits for the result that it gives.
    pub(crate) async fn ask(
        &self,
        question: Question,
        prefix: &str,
        key: Option<String>,
        timeout: Option<Duration>,
    ) -> Result<Value, AskError> {
        let questions = &self.questions;
        match &questions.channel {
            Channel::None => Err(AskError::NotPossibleHere),
            Channel::Rounds => {
                let _asking = {
                    let mut conversation = questions.lock();
                    let key = conversation.key(&question, prefix, key)?;
                    if let Some(result) = conversation.answer(&key, &question) {
                        return Ok(result);
                    }
                    if questions.has_ended.load(Ordering::SeqCst) {
                        return Err(AskError::Ended);
                    }
                    conversation.ask(&key, &question);
                    questions.is_asking.store(true, Ordering::Release);
                    Asking { questions, key }
                };
                questions.asked.notify_one();
                // The engine ends the call with what was asked, and the handler, which never comes further. What it
                // has spawned must not wait for ever.
                questions.end_of_call().await;
                Err(AskError::Ended)
            }
            Channel::Requests(requests) => self.ask_now(requests, &question, timeout.unwrap_or(TIME_TO_ANSWER)).await,
        }
    }

    async fn ask_now(
        &self,
        requests: &ClientRequests,
        question: &Question,
        timeout: Duration,
    ) -> Result<Value, AskError> {
        let (id, answer) = requests.open().ok_or(AskError::TooMany)?;
        let mut open = Open { request: self, requests, id, was_sent: false, reason: "the call that asked has ended" };
        let mut frame = json!({ "jsonrpc": "2.0", "id": id, "method": question.method });
        if !question.params.is_null() {
            frame["params"] = question.params.clone();
        }
        let mut frame = frame.to_string().into_bytes();
        frame.push(b'\n');
        self.questions.has_sent.store(true, Ordering::Release);
        open.was_sent = self.send(frame).await;
        if !open.was_sent {
            self.questions.end_of_call().await;
            return Err(AskError::Ended);
        }
        let _waiting = WaitingFor::new(&self.questions);
        let mut reply = pin!(tokio::time::timeout(timeout, answer));
        let mut ended = pin!(self.questions.end_of_call());
        let reply = poll_fn(|task| match reply.as_mut().poll(task) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending => ended.as_mut().poll(task).map(|()| None),
        });
        match reply.await {
            Some(Ok(Ok(Ok(result)))) => Ok(result),
            Some(Ok(Ok(Err((code, message))))) => Err(AskError::refused(code, &message)),
            // The call is over, or the connection is gone, and the call with it.
            None | Some(Ok(Err(_))) => Err(AskError::Ended),
            Some(Err(_)) => {
                open.reason = "no answer came in time";
                Err(AskError::TimedOut { after: timeout })
            }
        }
    }
}

/// What a call ends with that asks its client.
pub(crate) struct Round {
    pub(crate) requests: Map<String, Value>,
    pub(crate) state: State,
}

/// A question of this round, which is asked only as long as somebody waits for its answer.
struct Asking<'a> {
    questions: &'a Questions,
    key: String,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut conversation = self.questions.lock();
        if let Some(at) = conversation.requests.iter().position(|wanted| wanted.key == self.key) {
            let wanted = &mut conversation.requests[at];
            wanted.askers -= 1;
            if wanted.askers == 0 {
                conversation.requests.remove(at);
            }
            self.questions.is_asking.store(!conversation.requests.is_empty(), Ordering::Release);
        }
    }
}

/// A request to the client that is withdrawn when nobody waits for its answer any more.
struct Open<'a> {
    request: &'a Request,
    requests: &'a ClientRequests,
    id: i64,
    was_sent: bool,
    reason: &'static str,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(frame) = self.requests.withdraw(self.id, self.reason).filter(|_| self.was_sent) {
            self.request.send_if_there_is_room(frame);
        }
    }
}

/// The time while this is alive is spent waiting for people.
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
