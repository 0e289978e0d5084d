//! Errors for malformed input: their text, their id, and a limit on their rate.
//!
//! An error response needs an id, so the id is recovered from the input. Without an id, the error answers no particular
//! request, and such errors are limited.

use std::sync::PoisonError;
use std::time::Instant;

use super::{Connection, write_frame};
use crate::protocol::frame::{FrameError, MAX_DEPTH, recover_envelope};
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::util::operator_log;

/// The maximum number of errors without an id that a peer can cause at once; [`ERRORS_PER_SECOND`] are added to the
/// budget.
const MAX_ERRORS: u32 = 100;
const ERRORS_PER_SECOND: u32 = 10;

/// The budget of errors that answer no request.
pub(crate) struct ErrorBudget {
    remaining: u32,
    /// The time at which errors were last added to the budget; set at the first error.
    refilled_at: Option<Instant>,
    suppressed: u64,
}

impl Default for ErrorBudget {
    fn default() -> ErrorBudget {
        ErrorBudget { remaining: MAX_ERRORS, refilled_at: None, suppressed: 0 }
    }
}

impl Connection {
    pub(crate) fn reject_malformed(&self, message: &str, malformed: &FrameError, out: &mut Vec<u8>) {
        let error = match malformed {
            FrameError::Json => RpcError::new(code::PARSE_ERROR, "Parse error: the message is not valid JSON"),
            FrameError::NotAnObject => {
                RpcError::new(code::INVALID_REQUEST, "Invalid request: the message must be a JSON object")
            }
            FrameError::Batch => RpcError::new(
                code::INVALID_REQUEST,
                "Invalid request: batches are not supported here; send one JSON object",
            ),
            FrameError::DuplicateMember(member) => {
                RpcError::new(code::INVALID_REQUEST, format!("Invalid request: duplicate member `{member}`"))
            }
            FrameError::TooDeep => RpcError::new(
                code::INVALID_REQUEST,
                format!("Invalid request: arrays and objects are nested more than {MAX_DEPTH} levels deep"),
            ),
        };
        let salvaged = recover_envelope(message);
        if salvaged.as_ref().is_some_and(|salvaged| salvaged.is_response()) {
            return;
        }
        match salvaged.and_then(|salvaged| salvaged.id).and_then(Id::parse) {
            Some(id) => write_frame(out, |out| write::write_error(out, Some(id.as_str()), &error)),
            None => self.write_error_without_id(out, &error),
        }
    }

    pub(crate) fn reject_frame(&self, id: Option<Id<'_>>, out: &mut Vec<u8>, message: &str) {
        let error = RpcError::new(code::INVALID_REQUEST, message);
        match id {
            Some(id) => write_frame(out, |out| write::write_error(out, Some(id.as_str()), &error)),
            None => self.write_error_without_id(out, &error),
        }
    }

    /// Writes an error that answers no particular request. Two peers that answer each other's malformed messages would
    /// never stop, so there is a limit.
    pub(crate) fn write_error_without_id(&self, out: &mut Vec<u8>, error: &RpcError) {
        let mut budget = self.error_budget.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *budget.refilled_at.get_or_insert_with(Instant::now);
        let earned = u32::try_from(since.elapsed().as_millis() / 1000).unwrap_or(u32::MAX);
        if earned > 0 {
            budget.remaining =
                budget.remaining.saturating_add(earned.saturating_mul(ERRORS_PER_SECOND)).min(MAX_ERRORS);
            budget.refilled_at = Some(Instant::now());
        }
        if budget.remaining > 0 {
            budget.remaining -= 1;
            write_frame(out, |out| write::write_error(out, None, error));
            return;
        }
        budget.suppressed += 1;
        if budget.suppressed.is_power_of_two() {
            let refused = budget.suppressed;
            operator_log::warn(format_args!("the client sends unreadable messages: {refused} got no response"));
        }
    }
}
