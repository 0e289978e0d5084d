//! Writes frames of responses, and reports their state to the transport.

use crate::protocol::Outcome;
use crate::protocol::write::{self, RpcError};

/// The state of a message's response after the message was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseStatus {
    /// The response is the last of the frames that are ready.
    Written(Outcome),
    /// The last of the frames that are ready is an error of this code without an id: the message names no request.
    WrittenWithoutId(i32),
    /// The response comes through the outgoing queue.
    Queued,
    /// The request waits in this process until other calls have ended.
    Deferred,
    /// There is no response: the message is a notification or a response, or its request was cancelled.
    None,
}

impl ResponseStatus {
    /// Returns the code of the error that was written.
    #[cfg(feature = "http")]
    pub(crate) fn error_code(self) -> Option<i32> {
        match self {
            ResponseStatus::Written(Outcome::Error(code)) | ResponseStatus::WrittenWithoutId(code) => Some(code),
            _ => None,
        }
    }
}

/// Writes one frame and the newline that ends it.
pub(super) fn write_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write(out);
    out.push(b'\n');
}

/// Writes a response whose result is a JSON text.
pub(super) fn write_result(out: &mut Vec<u8>, id: &str, result: &[u8]) -> ResponseStatus {
    write_frame(out, |out| write::write_result(out, id, result));
    ResponseStatus::Written(Outcome::Ok)
}

/// Writes an error that answers the request with that id.
pub(super) fn write_error(out: &mut Vec<u8>, id: &str, error: &RpcError) -> ResponseStatus {
    write_frame(out, |out| write::write_error(out, Some(id), error));
    ResponseStatus::Written(Outcome::Error(error.code))
}

/// Writes an error that answers no particular request.
pub(super) fn write_error_without_id(out: &mut Vec<u8>, error: &RpcError) -> ResponseStatus {
    write_frame(out, |out| write::write_error(out, None, error));
    ResponseStatus::WrittenWithoutId(error.code)
}
