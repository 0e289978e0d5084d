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

use super::super::instrument::Observed;
use super::super::{Connection, Retained, finish_frame};
use super::in_flight::Place;
use super::input_required::Arguments;
use super::{answer_panic, caught, drop_future};
use crate::client_features::conversation::Round;
use crate::component::invocation::Started;
use crate::component::result_writer::{Answer, Subject};
use crate::context::{self, Context, Shared, current_call};
use crate::error::ToolError;
use crate::outgoing::queue::Outbox;
use crate::protocol::Revision;
use crate::registry::Pace;
use crate::util::catch_panic::Panicked;
use crate::util::operator_log;

/// The interval at which the timeout of a call that waits for a person is checked again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A call that was not ready at its first poll.
pub(crate) struct PendingCall {
    pub(crate) connection: Arc<Connection>,
    /// The outbox for the response.
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) component: Arc<Shared>,
    pub(crate) subject: Subject,
    pub(crate) id: Box<str>,
    pub(crate) revision: Revision,
    /// `None` once the call has ended.
    pub(crate) future: Option<Started>,
    pub(crate) request: Option<Arc<context::Request>>,
    /// The arguments of the request, if the client may be asked in another round.
    pub(crate) arguments: Option<Arguments>,
    pub(crate) place: Place,
    pub(crate) timeout: Duration,
    pub(crate) pace: Option<Arc<Pace>>,
    /// Whether the first poll, which determines the handler's pace, is over.
    pub(crate) was_polled: bool,
    pub(crate) observed: Option<Box<Observed>>,
    /// Dropped after the handler.
    pub(crate) retained: Option<Retained>,
}

enum End {
    /// The response, without its newline.
    Answered(Vec<u8>),
    Panicked(Panicked),
    /// The client is asked questions, and sends the request again with the answers.
    Asked(Box<Round>),
    TimedOut,
    Cancelled,
}

impl PendingCall {
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Sends the notifications that were created before the call became a task. The frames that were ready before must
    /// be in the outbox already.
    pub(crate) fn send_early_notifications(&self) {
        if let Some(request) = &self.request {
            request.detach();
        }
    }

    /// Adds an observation, which ends with the call.
    pub(crate) fn observe(&mut self, observed: Observed) {
        self.observed = Some(Box::new(observed));
    }

    /// Runs the call to its end. Returns its last notifications and its response, with the place that the call keeps
    /// until these are on their way; or `None` if the call was cancelled.
    pub(crate) async fn finish(mut self: Box<Self>) -> Option<(Vec<u8>, Place)> {
        let end = self.poll_to_end().await;
        let frames = match self.close(&end) {
            Some(notifications) => {
                // The call keeps its place until there is room for its response; otherwise, a client that does not read
                // could let responses pile up.
                self.outbox.room().await;
                Some(self.frames(notifications, end))
            }
            None => None,
        };
        if let Some(observed) = &self.observed {
            observed.end(frames.as_deref().unwrap_or_default(), &self.id);
        }
        Some((frames?, self.place))
    }

    /// Drops the handler and the values that it owns, before the end of the call becomes visible. Returns the call's
    /// last notifications, or `None` if the call was cancelled and is not answered.
    fn close(&mut self, end: &End) -> Option<Vec<u8>> {
        let request = self.request.as_ref();
        if let (End::TimedOut | End::Cancelled, Some(request)) = (end, request) {
            request.cancel();
        }
        if let Some(future) = self.future.take() {
            drop_future(future, &self.component.name);
        }
        self.retained = None;
        let notifications = request.map_or_else(Vec::new, |request| {
            let notifications = request.finish();
            // The questions have been sent through the outbox already.
            request.questions.end();
            notifications
        });
        if !self.place.settle() || matches!(end, End::Cancelled) {
            return None;
        }
        self.place.owe();
        Some(notifications)
    }

    /// Returns the notifications, and the response after them.
    fn frames(&self, notifications: Vec<u8>, end: End) -> Vec<u8> {
        let name = &*self.component.name;
        let frame = self.connection.answer_frame(name, &self.subject, &self.id, self.revision);
        let mut frames = notifications;
        match end {
            End::Answered(mut answer) => {
                answer.push(b'\n');
                if frames.is_empty() {
                    return answer;
                }
                frames.extend_from_slice(&answer);
            }
            End::Panicked(panicked) => answer_panic(&mut frames, frame, &panicked),
            End::Asked(round) => {
                if let Some(arguments) = &self.arguments {
                    finish_frame(&mut frames, |out| {
                        let mut answer = Answer::new(out, frame);
                        self.connection.ask(&mut answer, *round, &self.subject, name, arguments);
                    });
                }
            }
            End::TimedOut => {
                let timeout = self.timeout;
                operator_log::warn(format_args!("`{name}` timed out after {timeout:?}"));
                let error = ToolError::new(format!("`{name}` timed out after {timeout:?}."));
                finish_frame(&mut frames, |out| Answer::new(out, frame).error(error));
            }
            End::Cancelled => {}
        }
        frames
    }

    async fn poll_to_end(&mut self) -> End {
        let begin = tokio::time::Instant::now();
        let mut timer = pin!(tokio::time::sleep(self.timeout));
        let cancellation = self.place.cancellation();
        let mut cancelled = pin!(cancellation.cancelled());
        let request = self.request.clone();
        let mut asked = pin!(async {
            match &request {
                Some(request) => request.questions.asked().await,
                None => std::future::pending().await,
            }
        });
        let mut answer = Vec::with_capacity(256);
        poll_fn(|task| {
            if cancelled.as_mut().poll(task).is_ready() {
                return Poll::Ready(End::Cancelled);
            }
            match self.poll_handler(task, &mut answer) {
                Ok(Poll::Ready(())) => return Poll::Ready(End::Answered(std::mem::take(&mut answer))),
                Err(panicked) => return Poll::Ready(End::Panicked(panicked)),
                Ok(Poll::Pending) => {}
            }
            if let Some(request) = request.as_ref().filter(|_| asked.as_mut().poll(task).is_ready()) {
                return Poll::Ready(End::Asked(Box::new(request.questions.round())));
            }
            // The time in which a person thinks does not count.
            while timer.as_mut().poll(task).is_ready() {
                let (waited, is_waiting) =
                    request.as_ref().map(|request| request.questions.waited()).unwrap_or_default();
                let deadline = begin + self.timeout + waited;
                if is_waiting {
                    timer.as_mut().reset(deadline.max(tokio::time::Instant::now() + LOOK_AGAIN));
                } else if deadline <= tokio::time::Instant::now() {
                    return Poll::Ready(End::TimedOut);
                } else {
                    timer.as_mut().reset(deadline);
                }
            }
            Poll::Pending
        })
        .await
    }

    fn poll_handler(&mut self, task: &mut std::task::Context<'_>, answer: &mut Vec<u8>) -> Result<Poll<()>, Panicked> {
        let Some(future) = &mut self.future else { return Ok(Poll::Pending) };
        let (connection, component) = (&self.connection, &self.component);
        let started = Instant::now();
        let polled = caught(|| {
            let _span = self.observed.as_ref().map(|observed| observed.enter());
            let _entered = current_call::enter(|| Some(Context::new(component, self.request.clone())));
            let frame = connection.answer_frame(&component.name, &self.subject, &self.id, self.revision);
            future.as_mut().poll_call(task, &mut Answer::new(answer, frame))
        });
        // A slow handler is timed here, so that it can move back to the reader when it is quick again.
        let took = started.elapsed();
        let is_first = !std::mem::replace(&mut self.was_polled, true);
        if let Some(pace) = self.pace.as_ref().filter(|_| is_first || took > Pace::BLOCKING) {
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
    use crate::engine::Connection;
    use crate::error::ToolError;
    use crate::outgoing::queue::Outbox;

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

    fn write_everything(outbox: &Outbox) -> Vec<u8> {
        let mut frames = Vec::new();
        assert!(outbox.begin_write(&mut frames));
        outbox.end_write();
        frames
    }

    #[tokio::test]
    async fn a_response_that_waits_for_room_stays_pending_until_sent() {
        let tool = DynamicTool::new("later", json!({"type": "object"}), |_, _| async {
            tokio::task::yield_now().await;
            Ok::<_, ToolError>("done")
        });
        let server = App::empty("test").add_tool(tool).start().await.expect("the app is sound");
        let connection = Connection::new(server.into(), Transport::Stdio);
        // A client that does not read.
        connection.outbox().push(&vec![b'\n'; 8 << 20]);
        let params = json!({"name": "later", "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        connection.receive(&mut connection.view(), Ok(&call), &mut Vec::new());
        assert_eq!((connection.calls_in_flight(), connection.answers_owed()), (1, 0), "it may still be cancelled");

        until("its answer is certain", || connection.answers_owed() == 1).await;
        // A stopping server may check at this moment: everything was written, and the response is not yet on its way.
        write_everything(connection.outbox());
        assert!(connection.outbox().is_written() && connection.answers_owed() == 1);

        until("it has its answer", || connection.answers_owed() == 0).await;
        assert_eq!(connection.calls_in_flight(), 0);
        let answer = String::from_utf8(write_everything(connection.outbox())).expect("UTF-8");
        assert!(answer.contains(r#""text":"done""#), "{answer}");
    }
}
