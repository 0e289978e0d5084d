//! Calls of handlers: tools, resources, prompts, completions.
//!
//! A call is polled once in place. If it is ready, its response is in the batch and nothing else was made for it: no
//! task, no entry, no timer. Only a call that waits gets these, as a pending call.

pub(crate) mod in_flight;
pub(crate) mod input_required;
pub(crate) mod middleware;
pub(crate) mod pending;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use self::in_flight::Admission;
use self::input_required::Arguments;
use self::pending::PendingCall;
use super::{Admitted, Connection, Dispatched, Request, finish_frame};
use crate::client_features::conversation::Questions;
use crate::component::arguments::ArgumentError;
use crate::component::client_arguments::Ignored;
use crate::component::dynamic::Closure;
use crate::component::invocation::{Invocation, Invoked, Started};
use crate::component::result_writer::{Answer, AnswerFrame, Subject};
use crate::context::nested_calls::Siblings;
use crate::context::{self, ClientFacts, Context, Delivery, LogFilter, Shared, current_call};
use crate::protocol::Revision;
use crate::protocol::frame::meta_text;
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{Handler, Invoke, Pace};
use crate::schema::jsonschema::Full;
use crate::schema::{duplicate_keys, validate};
pub(crate) use crate::util::catch_panic::catch as caught;
use crate::util::{catch_panic, operator_log};

/// The maximum length of rejected arguments that are examined again: as a tree of values they take twenty times the
/// memory of their text.
const MAX_EXPLAINED: usize = 1 << 20;

/// The facts about a request that a call needs.
pub(crate) struct CallFacts<'a> {
    pub(crate) revision: Revision,
    pub(crate) client: Option<&'a Arc<ClientFacts>>,
    pub(crate) progress_token: Option<Id<'a>>,
    pub(crate) log: LogFilter,
}

/// Options for reading arguments.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Whether strings may be converted to the types of their parameters.
    pub(crate) lenient: bool,
    /// The arguments that are ignored if the tool does not declare them.
    pub(crate) ignored: Option<&'a Ignored>,
    /// Whether the arguments come from the form of a prompt, where an empty field stands for an absent argument.
    pub(crate) is_prompt: bool,
}

impl Reading<'_> {
    /// Options for arguments that are all strings, and so are read leniently.
    pub(crate) const TEXTS: Reading<'static> = Reading { lenient: true, ignored: None, is_prompt: false };
}

/// The handler to call, with its settings.
pub(crate) struct Job<'a> {
    pub(crate) component: &'a Arc<Shared>,
    pub(crate) subject: Subject,
    pub(crate) needs_request: bool,
    pub(crate) timeout: Option<Duration>,
    /// The pace of the handler, if it is measured.
    pub(crate) pace: Option<&'a Arc<Pace>>,
}

impl Connection {
    /// Returns true if the request can be served now, and false if it was kept to wait for a place.
    pub(crate) fn admit(&self, request: &Request<'_>) -> Result<bool, RpcError> {
        let admitted = request.admitted.take();
        let is_member = matches!(admitted, Admitted::Member);
        let is_reserved = matches!(admitted, Admitted::Reserved(_));
        request.admitted.set(admitted);
        if is_reserved {
            return Ok(true);
        }
        if request.exchange.is_some_and(|exchange| exchange.outbox.is_some()) {
            // Several threads serve the requests of a session, so the id is reserved before the handler is polled.
            let place = self.in_flight().reserve(request.id.key(), is_member).map_err(|refused| refusal(&refused))?;
            request.admitted.set(Admitted::Reserved(place));
            return Ok(true);
        }
        // Without a table, no call was ever in flight.
        let Some(calls) = self.in_flight.get() else { return Ok(true) };
        match calls.admit(|| request.id.key(), request.message, is_member, request.exchange.is_none()) {
            Admission::Start => Ok(true),
            Admission::Wait => Ok(false),
            refused => Err(refusal(&refused)),
        }
    }

    /// Calls a handler: `start` creates its future, or returns the problems of the arguments.
    pub(crate) fn run(
        self: &Arc<Self>,
        job: Job<'_>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
        start: impl FnOnce(&dyn Fn() -> Context) -> Result<Started, String>,
    ) -> Dispatched {
        let Job { component, subject, needs_request, timeout, pace } = job;
        let timeout = timeout.unwrap_or(self.server.config.timeout);
        let earlier = match self.earlier_rounds(request, facts, &subject, &component.name) {
            Ok(earlier) => earlier,
            Err(error) => {
                finish_frame(out, |out| write::error(out, Some(request.id.as_str()), &error));
                return Dispatched::Done;
            }
        };
        let is_large = request.exchange.is_some_and(|exchange| exchange.retained.is_some());
        let may_ask = needs_request || current_call::is_wanted();
        let call_request = (may_ask || is_large).then(|| {
            let questions = self.questions(request, facts, &subject, earlier);
            self.request(request, facts, timeout, questions)
        });
        let name = &*component.name;
        let context = || Context::new(component, call_request.clone());
        let frame = self.answer_frame(name, &subject, request.id.as_str(), facts.revision);
        let begin = out.len();

        let _entered = current_call::enter(|| Some(context()));
        let mut future = match caught(|| start(&context)) {
            Ok(Ok(future)) => future,
            Ok(Err(problems)) => {
                finish_frame(out, |out| Answer::new(out, frame).invalid_arguments(&problems));
                return Dispatched::Done;
            }
            Err(panicked) => {
                answer_panic(out, frame, &panicked);
                return Dispatched::Done;
            }
        };
        // A handler that has proved to be slow would block the reader, and with it all other calls.
        let was_polled = !pace.is_some_and(|pace| pace.is_slow());
        if was_polled {
            let timer = pace.filter(|pace| pace.wants_sample()).map(|pace| (pace, Instant::now()));
            let mut slot = Some(future);
            let polled = caught(|| {
                let mut answer = Answer::new(out, frame);
                let mut task = TaskContext::from_waker(Waker::noop());
                let polled =
                    slot.as_mut().map_or(Poll::Pending, |future| future.as_mut().poll_call(&mut task, &mut answer));
                if polled.is_ready() {
                    // The future may own user values, and dropping them may panic too.
                    slot = None;
                }
                polled
            });
            if let Some((pace, timer)) = timer {
                pace.record(timer.elapsed(), out.len() - begin, request.message.len(), name);
            }
            let asking = call_request.as_ref().filter(|request| request.questions.is_asking());
            match (polled, slot) {
                (Ok(Poll::Pending), Some(pending)) if asking.is_none() => future = pending,
                (ended, rest) => {
                    let round = asking.map(|asking| asking.questions.round());
                    if let Some(rest) = rest {
                        // The future is dropped before its last notifications are collected, because its destructors
                        // may send some.
                        drop_future(rest, name);
                    }
                    match ended {
                        Ok(Poll::Pending) => {
                            if let Some(round) = round {
                                let arguments = Arguments::of(request);
                                self.ask(&mut Answer::new(out, frame), round, &subject, name, &arguments);
                                out.push(b'\n');
                            }
                        }
                        Err(panicked) => {
                            out.truncate(begin);
                            answer_panic(out, frame, &panicked);
                        }
                        Ok(Poll::Ready(())) => out.push(b'\n'),
                    }
                    let mut begin = begin;
                    if let Some(call) = &call_request {
                        let notifications = call.finish();
                        let answer = begin + notifications.len();
                        if !notifications.is_empty() {
                            out.splice(begin..begin, notifications);
                        }
                        if call.questions.has_sent() && request.exchange.is_none() {
                            // Withdrawing a question that a task has sent goes through the outbox, so the question must
                            // be in the outbox before.
                            let rest = out.split_off(answer);
                            self.send_now(out);
                            out.extend_from_slice(&rest);
                            begin = 0;
                        }
                        call.questions.end();
                    }
                    if let Admitted::Reserved(place) = request.admitted.take() {
                        if !place.settle() {
                            out.truncate(begin);
                        }
                    }
                    return Dispatched::Done;
                }
            }
        }
        let retained = request.exchange.and_then(|exchange| exchange.retained.clone());
        let place = match request.admitted.take() {
            Admitted::Reserved(place) => place,
            Admitted::No | Admitted::Member => self.in_flight().insert(request.id.key()),
        };
        let arguments =
            call_request.as_ref().filter(|_| may_ask && facts.client.is_none()).map(|_| Arguments::of(request));
        Dispatched::Pending(Box::new(PendingCall {
            connection: Arc::clone(self),
            outbox: Arc::clone(request.outbox(self)),
            component: Arc::clone(component),
            subject,
            id: request.id.as_str().into(),
            revision: facts.revision,
            future: Some(future),
            request: call_request,
            arguments,
            place,
            timeout,
            pace: pace.cloned(),
            was_polled,
            observed: None,
            retained,
        }))
    }

    /// Reads the arguments and creates the future, or returns the problems of the arguments.
    pub(crate) fn invoke(
        handler: &Handler,
        arguments: &str,
        reading: Reading<'_>,
        context: &dyn Fn() -> Context,
    ) -> Result<Started, String> {
        let function = match &handler.invoke {
            Invoke::Function(function) => *function,
            Invoke::Closure { call, schema } => {
                return call_closure(handler, call, schema.as_ref(), arguments, reading, context);
            }
        };
        match function(Invocation::call(arguments, context())) {
            Invoked::Started(future) if handler.described.may_lose_members => {
                match lost_members(handler, arguments, reading) {
                    problems if problems.is_empty() => Ok(future),
                    problems => Err(explain(handler, &problems)),
                }
            }
            Invoked::Started(future) => Ok(future),
            Invoked::Refused(error) => Self::invoke_again(handler, function, arguments, &error, reading, context),
            Invoked::Described => Err("it could not be called".into()),
        }
    }

    /// Calls a handler with corrected arguments after its arguments were rejected, or returns all of their problems.
    #[cold]
    fn invoke_again(
        handler: &Handler,
        function: fn(Invocation<'_>) -> Invoked,
        arguments: &str,
        first: &ArgumentError,
        reading: Reading<'_>,
        context: &dyn Fn() -> Context,
    ) -> Result<Started, String> {
        let ignored = reading.ignored.filter(|_| arguments.len() <= MAX_EXPLAINED);
        if let Some(own) = ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name())) {
            return Self::invoke(handler, &own, Reading { ignored: None, ..reading }, context);
        }
        let refused = |lines: &[String]| Err(explain(handler, lines));
        if arguments.len() > MAX_EXPLAINED {
            return refused(&[describe(first)]);
        }
        if let Some(name) = duplicate_keys::first(arguments) {
            let name: String = name.chars().take(128).collect();
            return refused(&[format!("`{name}` is given twice")]);
        }
        let Ok(mut value) = serde_json::from_str::<Value>(arguments) else { return refused(&[describe(first)]) };
        let input = &handler.described.input;
        let mut found = validate::explain(input, &mut value, reading.lenient, reading.is_prompt);
        if reading.is_prompt && found.problems.is_empty() && !found.mended {
            // Only the type determines that it cannot be empty.
            found.mended = validate::leave_out_empty(input, &mut value, first.argument.as_deref());
        }
        if !found.problems.is_empty() {
            return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if !found.mended {
            return refused(&[describe(first)]);
        }
        // The corrected arguments are unambiguous, so the handler is called with them.
        match function(Invocation::call(&value.to_string(), context())) {
            Invoked::Started(future) => Ok(future),
            Invoked::Refused(error) => refused(&[describe(&error)]),
            Invoked::Described => Err("it could not be called".into()),
        }
    }

    pub(crate) fn request(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        timeout: Duration,
        questions: Questions,
    ) -> Arc<context::Request> {
        Arc::new(context::Request {
            id: request.id.key().into(),
            principal: self.principal.clone(),
            siblings: Arc::clone(self) as Arc<dyn Siblings>,
            siblings_asked: AtomicU32::new(0),
            revision: facts.revision,
            transport: self.transport,
            // The message is read again only if it has a `_meta`.
            meta: request
                .frame
                .params()
                .and_then(|params| params.meta.as_ref())
                .and_then(|_| meta_text(request.message))
                .map(Into::into),
            client: facts.client.cloned(),
            progress_token: facts.progress_token.map(|token| token.as_str().into()),
            log: facts.log.clone(),
            deadline: Instant::now().checked_add(timeout),
            outbox: Arc::clone(request.outbox(self)),
            ended: AtomicBool::new(false),
            end: Notify::new(),
            delivery: Delivery::new(),
            retained: request.exchange.and_then(|exchange| exchange.retained.as_ref()).map(Arc::downgrade),
            transport_trace: request.exchange.and_then(|exchange| exchange.carrier.trace()),
            questions,
        })
    }

    pub(crate) fn answer_frame<'a>(
        &'a self,
        name: &'a str,
        subject: &'a Subject,
        id: &'a str,
        revision: Revision,
    ) -> AnswerFrame<'a> {
        AnswerFrame {
            id,
            revision,
            name,
            subject,
            server_info: &self.server.server_info,
            show_errors: self.server.config.show_errors,
        }
    }
}

fn refusal(refused: &Admission) -> RpcError {
    match refused {
        Admission::DuplicateId => {
            let text = "Invalid request: another request with this id is not yet answered";
            RpcError::new(code::INVALID_REQUEST, text)
        }
        Admission::Start | Admission::Wait | Admission::Overload => {
            let text = "Internal error: too many calls wait already; call again when some are answered";
            RpcError::new(code::INTERNAL_ERROR, text)
        }
    }
}

/// Calls a closure that was created at run time, with arguments that fit its schema; or returns their problems.
fn call_closure(
    handler: &Handler,
    call: &Closure,
    schema: Option<&Full>,
    arguments: &str,
    reading: Reading<'_>,
    context: &dyn Fn() -> Context,
) -> Result<Started, String> {
    let own = reading.ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name()));
    let arguments = own.as_deref().unwrap_or(arguments);
    let refused = |problems: &[String]| Err(explain(handler, problems));
    if let Some(name) = duplicate_keys::first(arguments) {
        let name: String = name.chars().take(128).collect();
        return refused(&[format!("`{name}` is given twice")]);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else {
        return refused(&["they cannot be read: a number in them is out of range".into()]);
    };
    let found = validate::walk(&handler.described.input, &mut value, reading.lenient);
    if !found.problems.is_empty() {
        return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    if found.unfinished {
        return refused(&["they hold too many values to be checked: send less at a time".into()]);
    }
    let problems = schema.map(|schema| schema.problems(&value)).unwrap_or_default();
    match value {
        Value::Object(arguments) if problems.is_empty() => {
            call.call(arguments, context()).ok_or_else(|| "it could not be called".into())
        }
        _ => refused(&problems),
    }
}

/// Drops a handler. It may own user values, and dropping them may panic; the panic is logged.
pub(crate) fn drop_future(future: Started, name: &str) {
    if let Err(panicked) = caught(|| drop(future)) {
        operator_log::error(format_args!("`{name}` panicked when it was dropped: {}", panicked.0));
    }
}

pub(crate) fn answer_panic(out: &mut Vec<u8>, frame: AnswerFrame<'_>, panicked: &catch_panic::Panicked) {
    finish_frame(out, |out| Answer::new(out, frame).panicked(panicked));
}

fn describe(error: &ArgumentError) -> String {
    match &error.argument {
        Some(argument) => format!("`/{argument}`: {}", error.message),
        None => error.message.clone(),
    }
}

fn explain(handler: &Handler, problems: &[String]) -> String {
    let mut text = format!("Invalid arguments for `{}`:", handler.name());
    for problem in problems {
        text.push_str("\n- ");
        text.push_str(problem);
    }
    // In several clients, this text is the only sign by which a model can tell a rejected call from an executed one.
    text.push_str("\nNothing was done. Correct the arguments and call again.");
    text
}

/// Returns the unknown members of values whose types cannot detect them.
fn lost_members(handler: &Handler, arguments: &str, reading: Reading<'_>) -> Vec<String> {
    if arguments.len() > MAX_EXPLAINED {
        return Vec::new();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else { return Vec::new() };
    let found = validate::explain(&handler.described.input, &mut value, reading.lenient, reading.is_prompt);
    found.problems.iter().filter(|problem| problem.is_unknown_member).map(ToString::to_string).collect()
}
