//! `tools/list` and `tools/call`.
//!
//! A call is polled once in place. If it is ready, its answer is in the batch and nothing else was made
//! for it: no task, no entry, no timer. Only a call that waits gets these, as a [`PendingCall`].

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use super::in_flight::{Admission, Cancellation};
use super::{Connection, Dispatched, Request, finish_frame};
use crate::component::answer::{Answer, AnswerFrame};
use crate::component::arguments::ArgumentError;
use crate::component::invocation::{CallFuture, Invocation, Invoked};
use crate::context::{self, ClientFacts, Context, Delivery, LogFilter};
use crate::error::ToolError;
use crate::operator;
use crate::panics;
use crate::protocol::Revision;
use crate::protocol::frame::meta_text;
use crate::protocol::id::{Id, Key};
use crate::protocol::object::text;
use crate::protocol::write::{self, RpcError, code};
use crate::registry::ToolEntry;
use crate::schema::walk::walk;

/// The longest arguments that are looked at again when they were refused: as a tree of values they take
/// twenty times the room of their text.
const MAX_EXPLAINED: usize = 1 << 20;

/// What a call must know of who makes it.
pub(super) struct CallFacts<'a> {
    pub(super) revision: Revision,
    pub(super) client: Option<&'a Arc<ClientFacts>>,
    pub(super) progress_token: Option<Id<'a>>,
    pub(super) log: LogFilter,
}

impl Connection {
    pub(super) fn list_tools(
        &self,
        request: &Request<'_>,
        revision: Revision,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let invalid = || RpcError::invalid_params("Invalid params: `cursor` must be one that an earlier page gave");
        let cursor = match request.frame.params().and_then(|params| params.cursor) {
            Some(raw) => Some(text(raw).ok_or_else(invalid)?),
            None => None,
        };
        let page = self.server.registry.list_tools(revision, cursor.as_deref(), &self.server.server_info);
        let page = page.ok_or_else(invalid)?;
        finish_frame(out, |out| write::result(out, request.id.as_str(), &page));
        Ok(Dispatched::Done)
    }

    pub(super) fn call_tool(
        self: &Arc<Self>,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Dispatched, RpcError> {
        let params = request.frame.params();
        let name = params.and_then(|params| params.name).and_then(text);
        let name =
            name.ok_or_else(|| RpcError::invalid_params("Invalid params: `tools/call` wants a `name`, a string"))?;
        let tool = self.server.registry.tool(&name).ok_or_else(|| self.unknown_tool(&name))?;
        let arguments = match params.and_then(|params| params.arguments).map(|raw| raw.get()) {
            // Some clients send `null` for a tool without parameters.
            None | Some("null") => "{}",
            Some(object) if object.starts_with('{') => object,
            Some(_) => return Err(RpcError::invalid_params("Invalid params: `arguments` must be an object")),
        };
        match self.in_flight.admit(|| request.id.key(), request.message) {
            Admission::Start => {}
            Admission::Wait => return Ok(Dispatched::Done),
            Admission::DuplicateId => {
                let text = "Invalid request: another request with this id is not yet answered";
                return Err(RpcError::new(code::INVALID_REQUEST, text));
            }
            Admission::Overload => {
                let text = "Internal error: too many calls wait already; call again when some are answered";
                return Err(RpcError::new(code::INTERNAL_ERROR, text));
            }
        }
        Ok(self.run(tool, arguments, request, facts, out))
    }

    fn unknown_tool(&self, name: &str) -> RpcError {
        let shown: String = name.chars().take(128).collect();
        let mut message = format!("Unknown tool: {shown}");
        if let Some(nearest) = self.server.registry.nearest_tool(name) {
            message.push_str(&format!("; did you mean \"{nearest}\"?"));
        }
        RpcError::invalid_params(message)
    }

    fn run(
        self: &Arc<Self>,
        tool: &ToolEntry,
        arguments: &str,
        request: &Request<'_>,
        facts: &CallFacts<'_>,
        out: &mut Vec<u8>,
    ) -> Dispatched {
        let timeout = tool.definition.timeout.unwrap_or(self.server.config.timeout);
        let call_request = tool.described.needs_request.then(|| self.request(request, facts, timeout));
        let context = || Context::new(Arc::clone(&self.server.states), tool.name(), call_request.clone());
        let frame = self.answer_frame(tool, request.id.as_str(), facts.revision);
        let start = out.len();

        let invoked = caught(|| self.invoke(tool, arguments, context));
        let mut future = match invoked {
            Ok(Ok(future)) => future,
            Ok(Err(problems)) => {
                finish_frame(out, |out| Answer::new(out, frame).failure(&problems));
                return Dispatched::Done;
            }
            Err(panicked) => {
                answer_panic(out, frame, &panicked);
                return Dispatched::Done;
            }
        };
        // A tool that has shown to be slow would hold up the reader, and with it every other call.
        if !tool.pace.is_slow() {
            let timer = tool.pace.wants_sample().then(Instant::now);
            let polled = caught(|| {
                let mut answer = Answer::new(out, frame);
                future.as_mut().poll_call(&mut TaskContext::from_waker(Waker::noop()), &mut answer)
            });
            if let Some(timer) = timer {
                tool.pace.record(timer.elapsed(), tool.name());
            }
            match polled {
                Ok(Poll::Ready(())) => {
                    finish_in_place(call_request.as_deref(), out, start);
                    return Dispatched::Done;
                }
                Ok(Poll::Pending) => {}
                Err(panicked) => {
                    out.truncate(start);
                    answer_panic(out, frame, &panicked);
                    return Dispatched::Done;
                }
            }
        }
        let key = request.id.key();
        let cancellation = self.in_flight.insert(key.clone());
        Dispatched::Pending(
            PendingCall {
                connection: Arc::clone(self),
                tool: tool.name(),
                id: request.id.as_str().into(),
                key,
                revision: facts.revision,
                future,
                request: call_request,
                cancellation,
                timeout,
                early: Vec::new(),
            }
            .detached(),
        )
    }

    /// Reads the arguments and makes the future; or tells what is wrong with the arguments.
    fn invoke(
        &self,
        tool: &ToolEntry,
        arguments: &str,
        context: impl Fn() -> Context,
    ) -> Result<Pin<Box<dyn CallFuture>>, String> {
        let first = match (tool.definition.invoke)(Invocation::call(arguments, context())) {
            Invoked::Started(future) => return Ok(future),
            Invoked::Refused(error) => error,
            Invoked::Described => return Err("The tool could not be called.".into()),
        };
        let mut problems = Vec::new();
        if arguments.len() <= MAX_EXPLAINED {
            if let Ok(mut value) = serde_json::from_str::<Value>(arguments) {
                let lenient = !self.server.config.strict_arguments;
                problems = walk(&tool.described.input, &mut value, lenient);
                if problems.is_empty() {
                    // What was meant is plain, so that is what is called.
                    match (tool.definition.invoke)(Invocation::call(&value.to_string(), context())) {
                        Invoked::Started(future) => return Ok(future),
                        Invoked::Refused(error) => return Err(explain(tool, &[describe(&error)])),
                        Invoked::Described => {}
                    }
                }
            }
        }
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        if lines.is_empty() {
            lines.push(describe(&first));
        }
        Err(explain(tool, &lines))
    }

    fn request(&self, request: &Request<'_>, facts: &CallFacts<'_>, timeout: Duration) -> Arc<context::Request> {
        Arc::new(context::Request {
            revision: facts.revision,
            transport: self.transport,
            meta: meta_text(request.message).map(Into::into),
            client: facts.client.cloned(),
            progress_token: facts.progress_token.map(|token| token.as_str().into()),
            log: facts.log.clone(),
            deadline: Instant::now().checked_add(timeout),
            outbox: Arc::clone(&self.outbox),
            ended: AtomicBool::new(false),
            end: Notify::new(),
            delivery: Delivery::new(),
        })
    }

    fn answer_frame<'a>(&'a self, tool: &'a ToolEntry, id: &'a str, revision: Revision) -> AnswerFrame<'a> {
        AnswerFrame {
            id,
            revision,
            tool: tool.name(),
            wrap: tool.wraps(),
            server_info: &self.server.server_info,
            show_errors: self.server.config.show_errors,
        }
    }
}

/// Ends a frame that was written in place, with the notifications of its call before it.
fn finish_in_place(request: Option<&context::Request>, out: &mut Vec<u8>, start: usize) {
    out.push(b'\n');
    if let Some(request) = request {
        let notifications = request.finish();
        if !notifications.is_empty() {
            out.splice(start..start, notifications);
        }
    }
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, panics::Panicked> {
    panics::watched(|| catch_unwind(AssertUnwindSafe(work))).map_err(panics::record)
}

fn answer_panic(out: &mut Vec<u8>, frame: AnswerFrame<'_>, panicked: &panics::Panicked) {
    finish_frame(out, |out| Answer::new(out, frame).masked(&format!("panicked: {}", panicked.0)));
}

fn describe(error: &ArgumentError) -> String {
    match &error.argument {
        Some(argument) => format!("`/{argument}`: {}", error.message),
        None => error.message.clone(),
    }
}

fn explain(tool: &ToolEntry, problems: &[String]) -> String {
    let mut text = format!("Invalid arguments for `{}`:", tool.name());
    for problem in problems {
        text.push_str("\n- ");
        text.push_str(problem);
    }
    text
}

/// A call that was not ready at its first poll.
pub(crate) struct PendingCall {
    connection: Arc<Connection>,
    tool: &'static str,
    id: Box<str>,
    key: Key,
    revision: Revision,
    future: Pin<Box<dyn CallFuture>>,
    request: Option<Arc<context::Request>>,
    cancellation: Arc<Cancellation>,
    timeout: Duration,
    early: Vec<u8>,
}

enum End {
    Answered,
    Panicked(panics::Panicked),
    TimedOut,
    Cancelled,
}

impl PendingCall {
    fn detached(mut self) -> Self {
        self.early = self.request.as_ref().map_or_else(Vec::new, |request| request.detach());
        self
    }

    /// The notifications that were made before the call became a task.
    pub(super) fn early_notifications(&self) -> &[u8] {
        &self.early
    }

    /// Runs the call to its end. Returns its last notifications and its answer, or `None` if it was
    /// cancelled.
    pub(crate) async fn finish(mut self) -> Option<Vec<u8>> {
        let mut answer = Vec::with_capacity(256);
        let end = self.poll_to_end(&mut answer).await;
        if !matches!(end, End::Answered) {
            answer.clear();
        }
        // The handler and what it holds are dropped before anybody hears of the end.
        let PendingCall { connection, tool, id, key, revision, future, request, cancellation, timeout, .. } = self;
        if matches!(end, End::TimedOut | End::Cancelled) {
            if let Some(request) = &request {
                request.cancel();
            }
        }
        drop(future);
        let mut frames = request.as_ref().map_or_else(Vec::new, |request| request.finish());
        // The call keeps its place until its answer has one, or a client that does not read could make
        // answers pile up.
        connection.outbox.room().await;
        if !connection.in_flight.remove(&key, &cancellation) {
            return None;
        }
        let entry = connection.server.registry.tool(tool)?;
        let frame = connection.answer_frame(entry, &id, revision);
        match end {
            End::Answered => {
                answer.push(b'\n');
                if frames.is_empty() {
                    return Some(answer);
                }
                frames.extend_from_slice(&answer);
            }
            End::Panicked(panicked) => answer_panic(&mut frames, frame, &panicked),
            End::TimedOut => {
                operator::warn(format_args!("tool `{tool}` timed out after {timeout:?}"));
                let error = ToolError::new(format!("The tool timed out after {timeout:?}."));
                finish_frame(&mut frames, |out| Answer::new(out, frame).error(error));
            }
            End::Cancelled => return None,
        }
        Some(frames)
    }

    async fn poll_to_end(&mut self, out: &mut Vec<u8>) -> End {
        let connection = Arc::clone(&self.connection);
        let cancellation = Arc::clone(&self.cancellation);
        let Some(tool) = connection.server.registry.tool(self.tool) else { return End::Cancelled };
        let mut timer = pin!(tokio::time::sleep(self.timeout));
        let mut cancelled = pin!(cancellation.cancelled());
        let mut first = tool.pace.is_slow();
        poll_fn(|task| {
            if cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(End::Cancelled);
            }
            let started = Instant::now();
            let polled = caught(|| {
                let frame = connection.answer_frame(tool, &self.id, self.revision);
                self.future.as_mut().poll_call(task, &mut Answer::new(out, frame))
            });
            // A slow tool is timed here, so that it can come back when it is quick again.
            let took = started.elapsed();
            if std::mem::take(&mut first) || took > Duration::from_millis(100) {
                tool.pace.record(took, tool.name());
            }
            match polled {
                Ok(Poll::Ready(())) => return Poll::Ready(End::Answered),
                Err(panicked) => return Poll::Ready(End::Panicked(panicked)),
                Ok(Poll::Pending) => {}
            }
            timer.as_mut().poll(task).map(|()| End::TimedOut)
        })
        .await
    }
}
