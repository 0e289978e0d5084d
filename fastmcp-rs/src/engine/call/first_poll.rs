//! Polls a handler for the first time, on the thread that read the request.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Instant;

use super::super::response::ResponseStatus;
use super::input_required::{CallArguments, write_input_required};
use super::{StartedCall, drop_future, write_panic};
use crate::client_features::conversation::InputRequired;
use crate::component::invocation::BoxedCall;
use crate::component::result_writer::ResultWriter;
use crate::context::{CallRequest, current_call};
use crate::protocol::Outcome;
use crate::util::catch_panic::{CaughtPanic, run_catching};

/// The end of a first poll: the response was written, or nothing was; or the handler panicked.
type FirstPoll = Result<Poll<Outcome>, CaughtPanic>;

impl StartedCall<'_> {
    /// Polls the handler. Returns its future if it has to wait.
    pub(super) fn poll_in_place(&self, future: BoxedCall, out: &mut Vec<u8>) -> Result<BoxedCall, ResponseStatus> {
        let begin = out.len();
        let (polled, rest) = self.poll_once(future, out);
        // This is read once: another thread may withdraw a request at any time, and the call must not end without a
        // response.
        let asking = self.for_context.as_ref().filter(|request| request.client_requests.has_open_requests());
        match (polled, rest) {
            (Ok(Poll::Pending), Some(pending)) if asking.is_none() => Ok(pending),
            (ended, rest) => {
                // Boxed, because it is large, and moved even where there is none.
                let input_required = asking.map(|request| Box::new(request.client_requests.take_input_required()));
                Err(self.end_in_place(ended, rest, input_required, begin, out))
            }
        }
    }

    /// Polls the handler once, and records its pace. Returns its future, unless that has ended.
    fn poll_once(&self, future: BoxedCall, out: &mut Vec<u8>) -> (FirstPoll, Option<BoxedCall>) {
        let begin = out.len();
        let timer = self.spec.pace.filter(|pace| pace.should_sample()).map(|pace| (pace, Instant::now()));
        let mut slot = Some(future);
        let polled = run_catching(|| {
            let mut writer = ResultWriter::new(out, self.frame());
            let mut task = TaskContext::from_waker(Waker::noop());
            let polled =
                slot.as_mut().map_or(Poll::Pending, |future| future.as_mut().poll_call(&mut task, &mut writer));
            let polled = polled.map(|()| writer.outcome());
            if polled.is_ready() {
                // The future may own user values, and dropping them may panic too.
                slot = None;
            }
            polled
        });
        if let Some((pace, timer)) = timer {
            pace.record(timer.elapsed(), out.len() - begin, self.request.message.len(), self.name());
        }
        (polled, slot)
    }

    /// Ends a call whose response is ready, or that has to ask its client in another round.
    fn end_in_place(
        &self,
        ended: FirstPoll,
        rest: Option<BoxedCall>,
        input_required: Option<Box<InputRequired>>,
        begin: usize,
        out: &mut Vec<u8>,
    ) -> ResponseStatus {
        if let Some(rest) = rest {
            // The future is dropped before its last notifications are collected, because its destructors may send some.
            drop_future(rest, self.name());
        }
        let status = self.write_end(ended, input_required, begin, out);
        let begin = self.insert_notifications(begin, out);
        if let Some(permit) = self.request.permit.take() {
            if !permit.commit_response() {
                out.truncate(begin);
                return ResponseStatus::None;
            }
        }
        status
    }

    /// Completes the response, which begins at `begin`, as far as the handler has not written it.
    fn write_end(
        &self,
        ended: FirstPoll,
        input_required: Option<Box<InputRequired>>,
        begin: usize,
        out: &mut Vec<u8>,
    ) -> ResponseStatus {
        let outcome = match (ended, input_required) {
            (Ok(Poll::Ready(outcome)), _) => {
                out.push(b'\n');
                outcome
            }
            (Ok(Poll::Pending), Some(input_required)) => {
                let mut writer = ResultWriter::new(out, self.frame());
                let arguments = CallArguments::from_request(self.request);
                let (connection, subject) = (self.request.connection, &self.spec.subject);
                write_input_required(connection, &mut writer, *input_required, subject, self.name(), &arguments);
                let outcome = writer.outcome();
                out.push(b'\n');
                outcome
            }
            (Ok(Poll::Pending), None) => return ResponseStatus::None,
            (Err(panicked), _) => {
                out.truncate(begin);
                write_panic(out, self.frame(), &panicked)
            }
        };
        ResponseStatus::Written(outcome)
    }

    /// Inserts the notifications of the call before its response, and ends its requests to the client. Returns the
    /// position of the response and of the notifications before it.
    fn insert_notifications(&self, mut begin: usize, out: &mut Vec<u8>) -> usize {
        let Some(call) = &self.for_context else { return begin };
        if self.request.exchange.is_none() && is_context_kept(call) {
            // A task that has kept the context may log when the reader waits for the next message.
            self.request.connection.mark_queue_used();
        }
        let notifications = call.take_notifications();
        let response = begin + notifications.len();
        if !notifications.is_empty() {
            out.splice(begin..begin, notifications);
        }
        if call.client_requests.has_sent_request() && self.request.exchange.is_none() {
            // The withdrawal of a client request that a task has sent goes through the queue, so the request must be in
            // the queue before.
            let rest = out.split_off(response);
            self.request.connection.queue_output(out);
            out.extend_from_slice(&rest);
            begin = 0;
        }
        call.client_requests.close();
        begin
    }
}

/// Returns true if a context of a call that has ended was kept, for example by a task, and may still be used to log.
fn is_context_kept(call: &Arc<CallRequest>) -> bool {
    // This thread's record of the current call has one, too.
    call.may_log_after_end() && Arc::strong_count(call) > 1 + usize::from(current_call::is_enabled())
}
