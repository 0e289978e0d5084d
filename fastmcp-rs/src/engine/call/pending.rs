//! Calls that were not ready at their first poll, and have a task of their own.
//!
//! The task is kept small. Values that live across an `await` are part of it, and with more than a kilobyte, each task
//! would be a large allocation, which costs more than the rest of the call. So the call stays in its box, and all work
//! that does not wait is done by functions that are not `async`.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::super::connection::Connection;
use super::super::http_exchange::ArgumentsGuard;
use super::super::instrument::Instrumentation;
use super::in_flight::CallPermit;
use super::input_required::{CallArguments, write_input_required};
use super::{drop_future, response_frame, write_panic, write_response};
use crate::client_features::conversation::InputRequired;
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::{ResultWriter, Subject};
use crate::context::{self, ComponentEnv, Context, current_call};
use crate::error::ToolError;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::{Outcome, Revision};
use crate::registry::PollPace;
use crate::util::catch_panic::{CaughtPanic, run_catching};
use crate::util::operator_log;

/// The interval at which the timeout of a call that waits for a person is checked again.
pub(crate) const TIMEOUT_RECHECK_INTERVAL: Duration = Duration::from_millis(100);

/// A call that was not ready at its first poll.
pub(crate) struct PendingCall {
    pub(crate) connection: Arc<Connection>,
    /// The queue for the response.
    pub(crate) outgoing: Arc<OutgoingQueue>,
    pub(crate) component: Arc<ComponentEnv>,
    pub(crate) subject: Subject,
    pub(crate) id: Box<str>,
    pub(crate) revision: Revision,
    /// `None` once the call has ended.
    pub(crate) future: Option<BoxedCall>,
    pub(crate) request: Option<Arc<context::CallRequest>>,
    /// The arguments of the request, if the client may be asked in another round.
    pub(crate) arguments: Option<CallArguments>,
    pub(crate) permit: CallPermit,
    pub(crate) timeout: Duration,
    pub(crate) pace: Option<Arc<PollPace>>,
    /// Whether the first poll, which determines the handler's pace, is over.
    pub(crate) was_polled: bool,
    pub(crate) instrumentation: Option<Box<Instrumentation>>,
    /// Dropped after the handler.
    pub(crate) retained: Option<ArgumentsGuard>,
}

/// A call that has ended and that is answered.
pub(crate) struct FinishedCall {
    /// The last notifications of the call, and its response.
    pub(crate) frames: Vec<u8>,
    /// The outcome that the response reports.
    pub(crate) outcome: Outcome,
    /// The permit that the call keeps until its frames are on their way.
    pub(crate) permit: CallPermit,
}

enum CallEnd {
    /// The response, without its newline.
    Response(Vec<u8>, Outcome),
    Panicked(CaughtPanic),
    /// The client gets requests, and sends its own request again with their results.
    InputRequired(Box<InputRequired>),
    TimedOut,
    Cancelled,
}

impl PendingCall {
    pub(crate) fn outgoing(&self) -> &Arc<OutgoingQueue> {
        &self.outgoing
    }

    /// Sends the notifications that were created before the call became a task. The frames that were ready before must
    /// be in the queue already.
    pub(crate) fn send_early_notifications(&self) {
        if let Some(request) = &self.request {
            request.start_delivery();
        }
    }

    /// Adds an observation, which ends with the call.
    pub(crate) fn set_instrumentation(&mut self, instrumentation: Instrumentation) {
        self.instrumentation = Some(Box::new(instrumentation));
    }

    /// Runs the call to its end. Returns `None` if it was cancelled.
    pub(crate) async fn run_to_end(mut self: Box<Self>) -> Option<FinishedCall> {
        let end = self.poll_to_end().await;
        let response = match self.end_call(&end) {
            Some(notifications) => {
                // The call keeps its permit until there is room for its response; otherwise, responses could pile up
                // for a client that does not read.
                self.outgoing.wait_for_capacity().await;
                Some(self.response_frames(notifications, end))
            }
            None => None,
        };
        if let Some(instrumentation) = &self.instrumentation {
            instrumentation.record_outcome(response.as_ref().map_or(Outcome::Cancelled, |(_, outcome)| *outcome));
        }
        let (frames, outcome) = response?;
        Some(FinishedCall { frames, outcome, permit: self.permit })
    }

    /// Drops the handler and the values that it owns, before the end of the call becomes visible. Returns the call's
    /// last notifications, or `None` if the call was cancelled and is not answered.
    fn end_call(&mut self, end: &CallEnd) -> Option<Vec<u8>> {
        let request = self.request.as_ref();
        if let (CallEnd::TimedOut | CallEnd::Cancelled, Some(request)) = (end, request) {
            request.cancel();
        }
        if let Some(future) = self.future.take() {
            drop_future(future, &self.component.name);
        }
        self.retained = None;
        let notifications = request.map_or_else(Vec::new, |request| {
            let notifications = request.take_notifications();
            // The client requests have been sent through the queue already.
            request.client_requests.close();
            notifications
        });
        if !self.permit.commit_response() || matches!(end, CallEnd::Cancelled) {
            return None;
        }
        self.permit.mark_response_certain();
        Some(notifications)
    }

    /// Returns the notifications and the response after them, with its outcome.
    fn response_frames(&self, notifications: Vec<u8>, end: CallEnd) -> (Vec<u8>, Outcome) {
        let name = &*self.component.name;
        let frame = response_frame(&self.connection, name, &self.subject, &self.id, self.revision);
        let mut frames = notifications;
        let outcome = match end {
            CallEnd::Response(mut answer, outcome) => {
                answer.push(b'\n');
                if frames.is_empty() {
                    return (answer, outcome);
                }
                frames.extend_from_slice(&answer);
                outcome
            }
            CallEnd::Panicked(panicked) => write_panic(&mut frames, frame, &panicked),
            CallEnd::InputRequired(input_required) => match &self.arguments {
                Some(arguments) => write_response(&mut frames, frame, |writer| {
                    write_input_required(&self.connection, writer, *input_required, &self.subject, name, arguments);
                }),
                None => Outcome::Cancelled,
            },
            CallEnd::TimedOut => {
                let timeout = self.timeout;
                operator_log::warn(format_args!("`{name}` timed out after {timeout:?}"));
                let error = ToolError::new(format!("`{name}` timed out after {timeout:?}."));
                write_response(&mut frames, frame, |writer| writer.error(error))
            }
            CallEnd::Cancelled => Outcome::Cancelled,
        };
        (frames, outcome)
    }

    async fn poll_to_end(&mut self) -> CallEnd {
        let begin = tokio::time::Instant::now();
        let mut timer = pin!(tokio::time::sleep(self.timeout));
        let cancellation = self.permit.cancellation();
        let mut cancelled = pin!(cancellation.cancelled());
        let request = self.request.clone();
        let mut input_needed = pin!(async {
            match &request {
                Some(request) => request.client_requests.wait_for_open_request().await,
                None => std::future::pending().await,
            }
        });
        let mut answer = Vec::with_capacity(256);
        poll_fn(|task| {
            if cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(CallEnd::Cancelled);
            }
            match self.poll_handler(task, &mut answer) {
                Ok(Poll::Ready(outcome)) => {
                    return Poll::Ready(CallEnd::Response(std::mem::take(&mut answer), outcome));
                }
                Err(panicked) => return Poll::Ready(CallEnd::Panicked(panicked)),
                Ok(Poll::Pending) => {}
            }
            if let Some(request) = request.as_ref().filter(|_| input_needed.as_mut().poll(task).is_ready()) {
                return Poll::Ready(CallEnd::InputRequired(Box::new(request.client_requests.take_input_required())));
            }
            // The time in which a person thinks does not count.
            while timer.as_mut().poll(task).is_ready() {
                let (waited, is_waiting) =
                    request.as_ref().map(|request| request.client_requests.user_wait()).unwrap_or_default();
                let deadline = begin + self.timeout + waited;
                if is_waiting {
                    timer.as_mut().reset(deadline.max(tokio::time::Instant::now() + TIMEOUT_RECHECK_INTERVAL));
                } else if deadline <= tokio::time::Instant::now() {
                    return Poll::Ready(CallEnd::TimedOut);
                } else {
                    timer.as_mut().reset(deadline);
                }
            }
            Poll::Pending
        })
        .await
    }

    fn poll_handler(
        &mut self,
        task: &mut std::task::Context<'_>,
        answer: &mut Vec<u8>,
    ) -> Result<Poll<Outcome>, CaughtPanic> {
        let Some(future) = &mut self.future else { return Ok(Poll::Pending) };
        let (connection, component) = (&self.connection, &self.component);
        let started = Instant::now();
        let polled = run_catching(|| {
            let _span = self.instrumentation.as_ref().map(|instrumentation| instrumentation.enter());
            let _entered = current_call::enter(|| Some(Context::new(component, self.request.clone())));
            let frame = response_frame(connection, &component.name, &self.subject, &self.id, self.revision);
            let mut writer = ResultWriter::new(answer, frame);
            future.as_mut().poll_call(task, &mut writer).map(|()| writer.outcome())
        });
        // A slow handler is timed here, so that it can move back to the reader when it is quick again.
        let took = started.elapsed();
        let is_first = !std::mem::replace(&mut self.was_polled, true);
        if let Some(pace) = self.pace.as_ref().filter(|_| is_first || took > PollPace::BLOCKING) {
            pace.record(took, answer.len(), 0, &component.name);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::app::App;
    use crate::component::dynamic::DynamicTool;
    use crate::context::Transport;
    use crate::engine::transport_api::Connection;
    use crate::error::ToolError;

    /// Waits for an effect of other tasks; all tasks of these tests need far fewer rounds.
    async fn until(what: &str, happened: impl Fn() -> bool) {
        for _ in 0..1000 {
            if happened() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{what}");
    }

    #[tokio::test]
    async fn a_response_that_waits_for_room_stays_pending_until_sent() {
        let tool = DynamicTool::new("later", json!({"type": "object"}), |_, _| async {
            tokio::task::yield_now().await;
            Ok::<_, ToolError>("done")
        });
        let server = App::empty("test").add_tool(tool).start().await.expect("the app is valid");
        let connection = Connection::new(server.into(), Transport::Stdio, None);
        // A client that does not read.
        connection.outgoing().push(&vec![b'\n'; 8 << 20]);
        let params = json!({"name": "later", "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        connection.receive(&mut connection.registry_snapshot(), Ok(&call), &mut Vec::new());
        assert_eq!((connection.calls_in_flight(), connection.unsent_responses()), (1, 0), "it may still be cancelled");

        until("its answer is certain", || connection.unsent_responses() == 1).await;
        // A stopping server may check at this moment: everything was written, and the response is not yet on its way.
        connection.outgoing().take_for_test();
        assert!(connection.outgoing().take_for_test().is_empty() && connection.unsent_responses() == 1);

        until("it has its answer", || connection.unsent_responses() == 0).await;
        assert_eq!(connection.calls_in_flight(), 0);
        let answer = String::from_utf8(connection.outgoing().take_for_test()).expect("UTF-8");
        assert!(answer.contains(r#""text":"done""#), "{answer}");
    }
}
