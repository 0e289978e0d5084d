//! Calls of handlers: tools, resources, prompts, completions.
//!
//! A call is polled once in place. If it is ready, its response is in the batch and nothing else was made for it: no
//! task, no entry, no timer. Only a call that waits gets these, as a pending call.

pub(crate) mod admission;
pub(crate) mod arguments;
mod first_poll;
pub(crate) mod in_flight;
pub(crate) mod input_required;
pub(crate) mod middleware;
pub(crate) mod pending;

use std::sync::Arc;
use std::time::Duration;

use self::input_required::{CallArguments, EarlierRounds, new_client_requests, open_earlier_rounds};
use self::pending::PendingCall;
use super::connection::Connection;
use super::request::{CallerInfo, IncomingRequest};
use super::response::{ResponseStatus, write_error, write_frame};
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::{ResponseFrame, ResultWriter, Subject};
use crate::context::{self, ComponentEnv, Context, current_call};
use crate::protocol::{Outcome, Revision};
use crate::registry::PollPace;
use crate::util::catch_panic::{CaughtPanic, run_catching};
use crate::util::operator_log;

/// The result of dispatching a message.
pub(crate) enum DispatchResult {
    /// The response needs no task of this message.
    Done(ResponseStatus),
    /// The response comes from a call that is not ready.
    Pending(Box<PendingCall>),
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

/// Calls a handler: `start` creates its future, or returns the problems of the arguments.
pub(crate) fn run(
    spec: &CallSpec<'_>,
    request: &IncomingRequest<'_>,
    caller: &CallerInfo<'_>,
    out: &mut Vec<u8>,
    start: impl FnOnce(&dyn Fn() -> Context) -> Result<BoxedCall, String>,
) -> DispatchResult {
    let earlier = match open_earlier_rounds(request, caller, &spec.subject, &spec.component.name) {
        Ok(earlier) => earlier,
        Err(error) => return DispatchResult::Done(write_error(out, request.id.as_str(), &error)),
    };
    let call = StartedCall::new(spec, request, caller, earlier);
    let _entered = current_call::enter(|| Some(call.context()));
    let started = run_catching(|| start(&|| call.context()));
    match call.poll_first(started, out) {
        Ok(unready) => DispatchResult::Pending(call.into_pending(unready)),
        Err(status) => DispatchResult::Done(status),
    }
}

/// A call on its way to the end of its first poll.
struct StartedCall<'a> {
    spec: &'a CallSpec<'a>,
    request: &'a IncomingRequest<'a>,
    caller: &'a CallerInfo<'a>,
    timeout: Duration,
    /// The part of the request that contexts refer to; `None` if neither the handler nor its code can use it.
    for_context: Option<Arc<context::CallRequest>>,
    /// Whether the handler may send requests to its client.
    may_ask: bool,
}

/// A handler that is not ready.
struct UnreadyHandler {
    future: BoxedCall,
    was_polled: bool,
}

impl<'a> StartedCall<'a> {
    #[inline(always)]
    fn new(
        spec: &'a CallSpec<'a>,
        request: &'a IncomingRequest<'a>,
        caller: &'a CallerInfo<'a>,
        earlier: Option<Box<EarlierRounds>>,
    ) -> StartedCall<'a> {
        let timeout = spec.timeout.unwrap_or(request.connection.server.config.timeout);
        let is_large = request.retained().is_some();
        let may_ask = spec.needs_request || current_call::is_enabled();
        let for_context = if may_ask || is_large {
            let client_requests = new_client_requests(request, caller, &spec.subject, earlier);
            Some(request.for_context(caller, timeout, client_requests))
        } else {
            None
        };
        StartedCall { spec, request, caller, timeout, for_context, may_ask }
    }

    fn name(&self) -> &str {
        &self.spec.component.name
    }

    fn context(&self) -> Context {
        Context::new(self.spec.component, self.for_context.clone())
    }

    fn frame(&self) -> ResponseFrame<'_> {
        let id = self.request.id.as_str();
        response_frame(self.request.connection, self.name(), &self.spec.subject, id, self.caller.revision)
    }

    /// Polls a handler that has started, unless it is known to be slow. The error is the status of the response, if that
    /// is ready.
    fn poll_first(
        &self,
        started: Result<Result<BoxedCall, String>, CaughtPanic>,
        out: &mut Vec<u8>,
    ) -> Result<UnreadyHandler, ResponseStatus> {
        let future = match started {
            Ok(Ok(future)) => future,
            Ok(Err(problems)) => {
                let outcome = write_response(out, self.frame(), |writer| writer.invalid_arguments(&problems));
                return Err(ResponseStatus::Written(outcome));
            }
            Err(panicked) => return Err(ResponseStatus::Written(write_panic(out, self.frame(), &panicked))),
        };
        // A handler that has proved to be slow would block the reader, and with it all other calls.
        if self.spec.pace.is_some_and(|pace| pace.is_slow()) {
            return Ok(UnreadyHandler { future, was_polled: false });
        }
        let future = self.poll_in_place(future, out)?;
        Ok(UnreadyHandler { future, was_polled: true })
    }

    /// Converts a call that is not ready into one with a permit and, later, a task of its own.
    fn into_pending(self, unready: UnreadyHandler) -> Box<PendingCall> {
        let StartedCall { spec, request, caller, timeout, for_context, may_ask } = self;
        let acquire = || request.connection.in_flight().acquire(request.id.key());
        let permit = request.permit.take().unwrap_or_else(acquire);
        let arguments = for_context
            .as_ref()
            .filter(|_| may_ask && caller.client.is_none())
            .map(|_| CallArguments::from_request(request));
        Box::new(PendingCall {
            connection: Arc::clone(request.connection),
            outgoing: Arc::clone(request.outgoing()),
            component: Arc::clone(spec.component),
            subject: spec.subject.clone(),
            id: request.id.as_str().into(),
            revision: caller.revision,
            future: Some(unready.future),
            request: for_context,
            arguments,
            permit,
            timeout,
            pace: spec.pace.cloned(),
            was_polled: unready.was_polled,
            instrumentation: None,
            retained: request.retained().cloned(),
        })
    }
}

/// Returns the parts of a response that do not depend on the handler's result.
fn response_frame<'a>(
    connection: &'a Connection,
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
        server_info: &connection.server.server_info,
        show_errors: connection.server.config.show_errors,
    }
}

/// Writes one response and its newline. Returns the outcome that it reports.
fn write_response(out: &mut Vec<u8>, frame: ResponseFrame<'_>, write: impl FnOnce(&mut ResultWriter<'_>)) -> Outcome {
    let mut outcome = Outcome::Ok;
    write_frame(out, |out| {
        let mut writer = ResultWriter::new(out, frame);
        write(&mut writer);
        outcome = writer.outcome();
    });
    outcome
}

fn write_panic(out: &mut Vec<u8>, frame: ResponseFrame<'_>, panicked: &CaughtPanic) -> Outcome {
    write_response(out, frame, |writer| writer.panicked(panicked))
}

/// Drops a handler. It may own user values, and dropping them may panic; the panic is logged.
fn drop_future(future: BoxedCall, name: &str) {
    if let Err(panicked) = run_catching(|| drop(future)) {
        operator_log::error(format_args!("`{name}` panicked when it was dropped: {}", panicked.0));
    }
}
