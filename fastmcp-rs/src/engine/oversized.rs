//! Errors for lines that were too long to be kept: the id is recovered from their beginning.

use serde_json::value::RawValue;

use super::connection::Connection;
use super::malformed::write_error_without_id;
use super::response::write_error;
use crate::protocol::id::Id;
use crate::protocol::write::{RpcError, code};

/// Rejects a line that was too long to be kept; `start` is its beginning.
pub(super) fn reject_oversized(connection: &Connection, start: &[u8], limit: usize, out: &mut Vec<u8>) {
    let error =
        RpcError::new(code::INVALID_REQUEST, format!("Invalid request: the message has more than {limit} bytes"));
    match classify_truncated(start) {
        TruncatedMessage::Request(id) => {
            write_error(out, &id, &error);
        }
        TruncatedMessage::Unknown => {
            write_error_without_id(connection, out, &error);
        }
        TruncatedMessage::Response => {}
    }
}

/// Classification of a truncated message.
enum TruncatedMessage {
    Request(String),
    /// The message is a response, so it is not answered.
    Response,
    /// The id is not among the first members.
    Unknown,
}

fn classify_truncated(start: &[u8]) -> TruncatedMessage {
    let start = match std::str::from_utf8(start) {
        Ok(start) => start,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    let mut id = None;
    let mut rest = start.trim_start().strip_prefix('{');
    while let Some((key, after)) = rest.and_then(split_first_value) {
        match key.get() {
            "\"result\"" | "\"error\"" => return TruncatedMessage::Response,
            "\"method\"" if id.is_some() => break,
            _ => {}
        }
        let Some((value, after)) = after.trim_start().strip_prefix(':').and_then(split_first_value) else { break };
        let after = after.trim_start();
        // A number at the end of the text may be truncated.
        if key.get() == "\"id\"" && !after.is_empty() {
            id = Id::parse(value.into()).map(|id| id.as_str().to_owned());
        }
        rest = after.strip_prefix(',');
    }
    id.map_or(TruncatedMessage::Unknown, TruncatedMessage::Request)
}

/// Returns the JSON value at the start of a text, and the rest of the text.
fn split_first_value(text: &str) -> Option<(&RawValue, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?;
    Some((value, &text[values.byte_offset()..]))
}
