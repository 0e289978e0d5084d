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
use self::input_required::CallArguments;
use self::pending::PendingCall;
use super::{Connection, DispatchStatus, IncomingRequest, PermitState, write_frame};
use crate::client_features::conversation::CallClientRequests;
use crate::component::arguments::ArgumentError;
use crate::component::client_arguments::IgnoredArguments;
use crate::component::dynamic::DynamicHandler;
use crate::component::invocation::{BoxedCall, Invocation, Invoked};
use crate::component::result_writer::{ResponseFrame, ResultWriter, Subject};
use crate::context::nested_calls::NestedCalls;
use crate::context::{self, ClientDeclaration, ComponentEnv, Context, Delivery, LogFilter, current_call};
use crate::protocol::Revision;
use crate::protocol::frame::find_meta;
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::{Callable, ComponentHandler, PollPace};
use crate::schema::jsonschema::CompiledSchema;
use crate::schema::{duplicate_keys, validate};
pub(crate) use crate::util::catch_panic::run_catching;
use crate::util::{catch_panic, operator_log};

/// The maximum length of rejected arguments that are examined again: as a tree of values they take twenty times the
/// memory of their text.
const MAX_EXPLAINED: usize = 1 << 20;

/// The facts about a request that a call needs.
pub(crate) struct CallerInfo<'a> {
    pub(crate) revision: Revision,
    pub(crate) client: Option<&'a Arc<ClientDeclaration>>,
    pub(crate) progress_token: Option<Id<'a>>,
    pub(crate) log: LogFilter,
}

/// Options for reading arguments.
#[derive(Clone, Copy)]
pub(crate) struct ArgumentPolicy<'a> {
    /// Whether strings may be converted to the types of their parameters.
    pub(crate) lenient: bool,
    /// The arguments that are ignored if the tool does not declare them.
    pub(crate) ignored: Option<&'a IgnoredArguments>,
    /// Whether the arguments come from the form of a prompt, where an empty field stands for an absent argument.
    pub(crate) is_prompt: bool,
}

impl ArgumentPolicy<'_> {
    /// Options for arguments that are all strings, and so are read leniently.
    pub(crate) const TEXTS: ArgumentPolicy<'static> = ArgumentPolicy { lenient: true, ignored: None, is_prompt: false };
}

/// The handler to call, with its settings.
pub(crate) struct CallSpec<'a> {
    pub(crate) component: &'a Arc<ComponentEnv>,
    pub(crate) subject: Subject,
    pub(crate) needs_request: bool,
    pub(crate) timeout: Option<Duration>,
    /// The pace of the handler, if it is measured.
    pub(crate) pace: Option<&'a Arc<PollPace>>,
}

impl Connection {
    /// Returns true if the request can be served now, and false if it was kept to wait for a place.
    pub(crate) fn admit(&self, request: &IncomingRequest<'_>) -> Result<bool, RpcError> {
        let permit_state = request.permit_state.take();
        let in_batch = matches!(permit_state, PermitState::Batch);
        let is_reserved = matches!(permit_state, PermitState::Held(_));
        request.permit_state.set(permit_state);
        if is_reserved {
            return Ok(true);
        }
        if request.exchange.is_some_and(|exchange| exchange.outgoing.is_some()) {
            // Several threads serve the requests of a session, so the id is reserved before the handler is polled.
            let permit = self
                .in_flight()
                .try_acquire(request.id.key(), in_batch)
                .map_err(|refused| admission_error(&refused))?;
            request.permit_state.set(PermitState::Held(permit));
            return Ok(true);
        }
        // Without a table, no call was ever in flight.
        let Some(calls) = self.in_flight.get() else { return Ok(true) };
        match calls.admit(|| request.id.key(), request.message, in_batch, request.exchange.is_none()) {
            Admission::Start => Ok(true),
            Admission::Wait => Ok(false),
            refused => Err(admission_error(&refused)),
        }
    }

    /// Calls a handler: `start` creates its future, or returns the problems of the arguments.
    pub(crate) fn run_call(
        self: &Arc<Self>,
        spec: CallSpec<'_>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        out: &mut Vec<u8>,
        start: impl FnOnce(&dyn Fn() -> Context) -> Result<BoxedCall, String>,
    ) -> DispatchStatus {
        let CallSpec { component, subject, needs_request, timeout, pace } = spec;
        let timeout = timeout.unwrap_or(self.server.config.timeout);
        let earlier = match self.open_earlier_rounds(request, caller, &subject, &component.name) {
            Ok(earlier) => earlier,
            Err(error) => {
                write_frame(out, |out| write::write_error(out, Some(request.id.as_str()), &error));
                return DispatchStatus::Done;
            }
        };
        let is_large = request.exchange.is_some_and(|exchange| exchange.retained.is_some());
        let may_ask = needs_request || current_call::is_enabled();
        let call_request = (may_ask || is_large).then(|| {
            let client_requests = self.new_client_requests(request, caller, &subject, earlier);
            self.request(request, caller, timeout, client_requests)
        });
        let name = &*component.name;
        let context = || Context::new(component, call_request.clone());
        let frame = self.response_frame(name, &subject, request.id.as_str(), caller.revision);
        let begin = out.len();

        let _entered = current_call::enter(|| Some(context()));
        let mut future = match run_catching(|| start(&context)) {
            Ok(Ok(future)) => future,
            Ok(Err(problems)) => {
                write_frame(out, |out| ResultWriter::new(out, frame).invalid_arguments(&problems));
                return DispatchStatus::Done;
            }
            Err(panicked) => {
                write_panic(out, frame, &panicked);
                return DispatchStatus::Done;
            }
        };
        // A handler that has proved to be slow would block the reader, and with it all other calls.
        let was_polled = !pace.is_some_and(|pace| pace.is_slow());
        if was_polled {
            let timer = pace.filter(|pace| pace.should_sample()).map(|pace| (pace, Instant::now()));
            let mut slot = Some(future);
            let polled = run_catching(|| {
                let mut answer = ResultWriter::new(out, frame);
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
            let asking = call_request.as_ref().filter(|request| request.client_requests.has_open_requests());
            match (polled, slot) {
                (Ok(Poll::Pending), Some(pending)) if asking.is_none() => future = pending,
                (ended, rest) => {
                    let input_required = asking.map(|asking| asking.client_requests.take_input_required());
                    if let Some(rest) = rest {
                        // The future is dropped before its last notifications are collected, because its destructors
                        // may send some.
                        drop_future(rest, name);
                    }
                    match ended {
                        Ok(Poll::Pending) => {
                            if let Some(input_required) = input_required {
                                let arguments = CallArguments::from_request(request);
                                self.write_input_required(
                                    &mut ResultWriter::new(out, frame),
                                    input_required,
                                    &subject,
                                    name,
                                    &arguments,
                                );
                                out.push(b'\n');
                            }
                        }
                        Err(panicked) => {
                            out.truncate(begin);
                            write_panic(out, frame, &panicked);
                        }
                        Ok(Poll::Ready(())) => out.push(b'\n'),
                    }
                    let mut begin = begin;
                    if let Some(call) = &call_request {
                        let notifications = call.take_notifications();
                        let answer = begin + notifications.len();
                        if !notifications.is_empty() {
                            out.splice(begin..begin, notifications);
                        }
                        if call.client_requests.has_sent_request() && request.exchange.is_none() {
                            // Withdrawing a question that a task has sent goes through the outbox, so the question must
                            // be in the outbox before.
                            let rest = out.split_off(answer);
                            self.queue_output(out);
                            out.extend_from_slice(&rest);
                            begin = 0;
                        }
                        call.client_requests.close();
                    }
                    if let PermitState::Held(permit) = request.permit_state.take() {
                        if !permit.commit_response() {
                            out.truncate(begin);
                        }
                    }
                    return DispatchStatus::Done;
                }
            }
        }
        let retained = request.exchange.and_then(|exchange| exchange.retained.clone());
        let permit = match request.permit_state.take() {
            PermitState::Held(permit) => permit,
            PermitState::Unrequested | PermitState::Batch => self.in_flight().acquire(request.id.key()),
        };
        let arguments = call_request
            .as_ref()
            .filter(|_| may_ask && caller.client.is_none())
            .map(|_| CallArguments::from_request(request));
        DispatchStatus::Pending(Box::new(PendingCall {
            connection: Arc::clone(self),
            outgoing: Arc::clone(request.outgoing(self)),
            component: Arc::clone(component),
            subject,
            id: request.id.as_str().into(),
            revision: caller.revision,
            future: Some(future),
            request: call_request,
            arguments,
            permit,
            timeout,
            pace: pace.cloned(),
            was_polled,
            instrumentation: None,
            retained,
        }))
    }

    /// Reads the arguments and creates the future, or returns the problems of the arguments.
    pub(crate) fn invoke(
        handler: &ComponentHandler,
        arguments: &str,
        policy: ArgumentPolicy<'_>,
        context: &dyn Fn() -> Context,
    ) -> Result<BoxedCall, String> {
        let function = match &handler.invoke {
            Callable::Function(function) => *function,
            Callable::Closure { call, schema } => {
                return call_closure(handler, call, schema.as_ref(), arguments, policy, context);
            }
        };
        match function(Invocation::call(arguments, context())) {
            Invoked::Started(future) if handler.described.may_lose_members => {
                match find_lost_members(handler, arguments, policy) {
                    problems if problems.is_empty() => Ok(future),
                    problems => Err(explain_problems(handler, &problems)),
                }
            }
            Invoked::Started(future) => Ok(future),
            Invoked::Refused(error) => Self::invoke_corrected(handler, function, arguments, &error, policy, context),
            Invoked::Described => Err("the handler could not be called".into()),
        }
    }

    /// Calls a handler with corrected arguments after its arguments were rejected, or returns all of their problems.
    #[cold]
    fn invoke_corrected(
        handler: &ComponentHandler,
        function: fn(Invocation<'_>) -> Invoked,
        arguments: &str,
        first: &ArgumentError,
        policy: ArgumentPolicy<'_>,
        context: &dyn Fn() -> Context,
    ) -> Result<BoxedCall, String> {
        let ignored = policy.ignored.filter(|_| arguments.len() <= MAX_EXPLAINED);
        if let Some(own) = ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name())) {
            return Self::invoke(handler, &own, ArgumentPolicy { ignored: None, ..policy }, context);
        }
        let refused = |lines: &[String]| Err(explain_problems(handler, lines));
        if arguments.len() > MAX_EXPLAINED {
            return refused(&[describe_argument_error(first)]);
        }
        if let Some(name) = duplicate_keys::find_duplicate(arguments) {
            let name: String = name.chars().take(128).collect();
            return refused(&[format!("`{name}` is given twice")]);
        }
        let Ok(mut value) = serde_json::from_str::<Value>(arguments) else {
            return refused(&[describe_argument_error(first)]);
        };
        let input = &handler.described.input;
        let mut found = validate::explain_refusal(input, &mut value, policy.lenient, policy.is_prompt);
        if policy.is_prompt && found.problems.is_empty() && !found.is_coerced {
            // Only the type determines that it cannot be empty.
            found.is_coerced = validate::leave_out_empty(input, &mut value, first.argument.as_deref());
        }
        if !found.problems.is_empty() {
            return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if !found.is_coerced {
            return refused(&[describe_argument_error(first)]);
        }
        // The corrected arguments are unambiguous, so the handler is called with them.
        match function(Invocation::call(&value.to_string(), context())) {
            Invoked::Started(future) => Ok(future),
            Invoked::Refused(error) => refused(&[describe_argument_error(&error)]),
            Invoked::Described => Err("the handler could not be called".into()),
        }
    }

    pub(crate) fn request(
        self: &Arc<Self>,
        request: &IncomingRequest<'_>,
        caller: &CallerInfo<'_>,
        timeout: Duration,
        client_requests: CallClientRequests,
    ) -> Arc<context::CallRequest> {
        Arc::new(context::CallRequest {
            id: request.id.key().into(),
            principal: self.principal.clone(),
            nested_calls: Arc::clone(self) as Arc<dyn NestedCalls>,
            nested_call_count: AtomicU32::new(0),
            revision: caller.revision,
            transport: self.transport,
            // The message is read again only if it has a `_meta`.
            meta: request
                .frame
                .params()
                .and_then(|params| params.meta.as_ref())
                .and_then(|_| find_meta(request.message))
                .map(Into::into),
            client: caller.client.cloned(),
            progress_token: caller.progress_token.map(|token| token.as_str().into()),
            log: caller.log.clone(),
            deadline: Instant::now().checked_add(timeout),
            outgoing: Arc::clone(request.outgoing(self)),
            is_cancelled: AtomicBool::new(false),
            cancel_notify: Notify::new(),
            delivery: Delivery::new(),
            retained: request.exchange.and_then(|exchange| exchange.retained.as_ref()).map(Arc::downgrade),
            transport_trace: request.exchange.and_then(|exchange| exchange.transport_info.trace()),
            client_requests,
        })
    }

    pub(crate) fn response_frame<'a>(
        &'a self,
        name: &'a str,
        subject: &'a Subject,
        id: &'a str,
        revision: Revision,
    ) -> ResponseFrame<'a> {
        ResponseFrame {
            id,
            revision,
            name,
            subject,
            server_info: &self.server.server_info,
            show_errors: self.server.config.show_errors,
        }
    }
}

fn admission_error(refused: &Admission) -> RpcError {
    match refused {
        Admission::DuplicateId => {
            let text = "Invalid request: another request with this id is in progress";
            RpcError::new(code::INVALID_REQUEST, text)
        }
        Admission::Start | Admission::Wait | Admission::Overload => {
            let text = "Internal error: too many calls are waiting; try again later";
            RpcError::new(code::INTERNAL_ERROR, text)
        }
    }
}

/// Calls a closure that was created at run time, with arguments that fit its schema; or returns their problems.
fn call_closure(
    handler: &ComponentHandler,
    call: &DynamicHandler,
    schema: Option<&CompiledSchema>,
    arguments: &str,
    policy: ArgumentPolicy<'_>,
    context: &dyn Fn() -> Context,
) -> Result<BoxedCall, String> {
    let own = policy.ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name()));
    let arguments = own.as_deref().unwrap_or(arguments);
    let refused = |problems: &[String]| Err(explain_problems(handler, problems));
    if let Some(name) = duplicate_keys::find_duplicate(arguments) {
        let name: String = name.chars().take(128).collect();
        return refused(&[format!("`{name}` is given twice")]);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else {
        return refused(&["the arguments cannot be read: a number is out of range".into()]);
    };
    let found = validate::validate_and_coerce(&handler.described.input, &mut value, policy.lenient);
    if !found.problems.is_empty() {
        return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    if found.is_incomplete {
        return refused(&["the arguments have too many values to check: send fewer at a time".into()]);
    }
    let problems = schema.map(|schema| schema.problems(&value)).unwrap_or_default();
    match value {
        Value::Object(arguments) if problems.is_empty() => {
            call.call(arguments, context()).ok_or_else(|| "the handler could not be called".into())
        }
        _ => refused(&problems),
    }
}

/// Drops a handler. It may own user values, and dropping them may panic; the panic is logged.
pub(crate) fn drop_future(future: BoxedCall, name: &str) {
    if let Err(panicked) = run_catching(|| drop(future)) {
        operator_log::error(format_args!("`{name}` panicked when it was dropped: {}", panicked.0));
    }
}

pub(crate) fn write_panic(out: &mut Vec<u8>, frame: ResponseFrame<'_>, panicked: &catch_panic::CaughtPanic) {
    write_frame(out, |out| ResultWriter::new(out, frame).panicked(panicked));
}

fn describe_argument_error(error: &ArgumentError) -> String {
    match &error.argument {
        Some(argument) => format!("`/{argument}`: {}", error.message),
        None => error.message.clone(),
    }
}

fn explain_problems(handler: &ComponentHandler, problems: &[String]) -> String {
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
fn find_lost_members(handler: &ComponentHandler, arguments: &str, policy: ArgumentPolicy<'_>) -> Vec<String> {
    if arguments.len() > MAX_EXPLAINED {
        return Vec::new();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else { return Vec::new() };
    let found = validate::explain_refusal(&handler.described.input, &mut value, policy.lenient, policy.is_prompt);
    found.problems.iter().filter(|problem| problem.is_unknown_member).map(ToString::to_string).collect()
}
