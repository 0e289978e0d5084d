//! Errors for malformed input: their text and their id.
//!
//! An error response needs an id, so the id is recovered from the input. Without an id, the error answers no particular
//! request, and such errors are limited.

use super::connection::Connection;
use super::response::{self, ResponseStatus, write_error};
use crate::protocol::frame::{FrameError, MAX_DEPTH, recover_envelope};
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};

/// Rejects a message that is not a frame. A response that cannot be read is not answered.
pub(super) fn reject_malformed(
    connection: &Connection,
    message: &str,
    malformed: &FrameError,
    out: &mut Vec<u8>,
) -> ResponseStatus {
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
        return ResponseStatus::None;
    }
    reject(connection, salvaged.and_then(|salvaged| salvaged.id).and_then(Id::parse), &error, out)
}

/// Rejects a frame as an invalid request.
pub(super) fn reject_frame(
    connection: &Connection,
    id: Option<Id<'_>>,
    message: &str,
    out: &mut Vec<u8>,
) -> ResponseStatus {
    reject(connection, id, &RpcError::new(code::INVALID_REQUEST, message), out)
}

fn reject(connection: &Connection, id: Option<Id<'_>>, error: &RpcError, out: &mut Vec<u8>) -> ResponseStatus {
    match id {
        Some(id) => write_error(out, id.as_str(), error),
        None => write_error_without_id(connection, out, error),
    }
}

/// Writes an error that answers no particular request, within the peer's budget.
pub(super) fn write_error_without_id(connection: &Connection, out: &mut Vec<u8>, error: &RpcError) -> ResponseStatus {
    let is_sent = connection.error_budget.lock().spend();
    if is_sent { response::write_error_without_id(out, error) } else { ResponseStatus::None }
}
