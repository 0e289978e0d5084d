//! Errors for malformed input: their text, their id, and a limit on their rate.
//!
//! An error response needs an id, so the id is recovered from the input, even from the beginning of a line that was too
//! long to be kept. Without an id, the error answers no particular request, and such errors are limited.

use std::sync::PoisonError;
use std::time::Instant;

use serde_json::value::RawValue;

use super::{Connection, finish_frame};
use crate::protocol::frame::{MAX_DEPTH, Malformed, salvage};
use crate::protocol::id::Id;
use crate::protocol::write::{self, RpcError, code};
use crate::util::operator_log;

/// The maximum number of errors without an id that a peer can cause at once; [`ERRORS_PER_SECOND`] are added to the
/// budget.
const MAX_ERRORS: u32 = 100;
const ERRORS_PER_SECOND: u32 = 10;

/// The budget of errors that answer no request.
pub(crate) struct ErrorBudget {
    left: u32,
    /// The time at which errors were last added to the budget; set at the first error.
    since: Option<Instant>,
    refused: u64,
}

impl Default for ErrorBudget {
    fn default() -> ErrorBudget {
        ErrorBudget { left: MAX_ERRORS, since: None, refused: 0 }
    }
}

impl Connection {
    /// Rejects a line that was too long to be kept; `start` is its beginning.
    pub(crate) fn refuse_oversized(&self, start: &[u8], limit: usize, out: &mut Vec<u8>) {
        let error =
            RpcError::new(code::INVALID_REQUEST, format!("Invalid request: a message may have at most {limit} bytes"));
        match leading_part(start) {
            Leading::Request(id) => finish_frame(out, |out| write::error(out, Some(&id), &error)),
            Leading::Unknown => self.anonymous_error(out, &error),
            Leading::Response => {}
        }
    }

    pub(crate) fn refuse(&self, message: &str, malformed: &Malformed, out: &mut Vec<u8>) {
        let error = match malformed {
            Malformed::Json => RpcError::new(code::PARSE_ERROR, "Parse error: the message is not valid JSON"),
            Malformed::NotAnObject => {
                RpcError::new(code::INVALID_REQUEST, "Invalid request: a message is a JSON object")
            }
            Malformed::Batch => RpcError::new(code::INVALID_REQUEST, "Invalid request: a message is not an array"),
            Malformed::DuplicateMember(member) => {
                RpcError::new(code::INVALID_REQUEST, format!("Invalid request: duplicate field `{member}`"))
            }
            Malformed::TooDeep => RpcError::new(
                code::INVALID_REQUEST,
                format!("Invalid request: arrays and objects may be nested {MAX_DEPTH} deep at the most"),
            ),
        };
        let salvaged = salvage(message);
        if salvaged.as_ref().is_some_and(|salvaged| salvaged.is_response()) {
            return;
        }
        match salvaged.and_then(|salvaged| salvaged.id).and_then(Id::parse) {
            Some(id) => finish_frame(out, |out| write::error(out, Some(id.as_str()), &error)),
            None => self.anonymous_error(out, &error),
        }
    }

    pub(crate) fn refuse_frame(&self, id: Option<Id<'_>>, out: &mut Vec<u8>, message: &str) {
        let error = RpcError::new(code::INVALID_REQUEST, message);
        match id {
            Some(id) => finish_frame(out, |out| write::error(out, Some(id.as_str()), &error)),
            None => self.anonymous_error(out, &error),
        }
    }

    /// Writes an error that answers no particular request. Two peers that answer each other's malformed messages would
    /// never stop, so there is a limit.
    pub(crate) fn anonymous_error(&self, out: &mut Vec<u8>, error: &RpcError) {
        let mut budget = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *budget.since.get_or_insert_with(Instant::now);
        let earned = u32::try_from(since.elapsed().as_millis() / 1000).unwrap_or(u32::MAX);
        if earned > 0 {
            budget.left = budget.left.saturating_add(earned.saturating_mul(ERRORS_PER_SECOND)).min(MAX_ERRORS);
            budget.since = Some(Instant::now());
        }
        if budget.left > 0 {
            budget.left -= 1;
            finish_frame(out, |out| write::error(out, None, error));
            return;
        }
        budget.refused += 1;
        if budget.refused.is_power_of_two() {
            let refused = budget.refused;
            operator_log::warn(format_args!(
                "the client sends messages that cannot be read: {refused} went unanswered"
            ));
        }
    }
}

/// Classification of a truncated message.
enum Leading {
    Request(String),
    /// The message is a response, so it is not answered.
    Response,
    /// The id is not among the first members.
    Unknown,
}

fn leading_part(start: &[u8]) -> Leading {
    let start = match std::str::from_utf8(start) {
        Ok(start) => start,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut id = None;
    let mut rest = start.trim_start().strip_prefix('{');
    while let Some((key, after)) = rest.and_then(leading_value) {
        match key.get() {
            "\"result\"" | "\"error\"" => return Leading::Response,
            "\"method\"" if id.is_some() => break,
            _ => {}
        }
        let Some((value, after)) = after.trim_start().strip_prefix(':').and_then(leading_value) else { break };
        let after = after.trim_start();
        // A number at the end of the text may be truncated.
        if key.get() == "\"id\"" && !after.is_empty() {
            id = Id::parse(value.into()).map(|id| id.as_str().to_owned());
        }
        rest = after.strip_prefix(',');
    }
    id.map_or(Leading::Unknown, Leading::Request)
}

/// Returns the JSON value at the start of a text, and the rest of the text.
fn leading_value(text: &str) -> Option<(&RawValue, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?;
    Some((value, &text[values.byte_offset()..]))
}
