//! Comparisons with serde_json that the fuzz targets of `fuzz/` call. The module exists only in their builds.
//!
//! Each function panics if this crate and serde_json disagree about the text.

use crate::json::oracles::{self, depth};
use crate::json::reader::MAX_DEPTH;

/// Compares the reader of values, members and strings of objects.
pub fn reader(text: &str) {
    oracles::check_reader(text);
}

/// Compares the reader of messages.
pub fn frame(text: &str) {
    crate::protocol::frame::check_frame(text);
}

/// Compares the reader and the writer of strings.
pub fn escapes(text: &str) {
    oracles::check_escapes(text);
}

/// Compares the serializer that writes JSON and its text in one pass.
pub fn dual_serializer(text: &str) {
    oracles::check_dual_serializer(text);
}

/// Compares the reader of arrays.
pub fn bounded_seq(text: &str) {
    oracles::check_bounded_seq(text);
}

/// Compares the search for duplicate members and the digest of arguments, which get texts that the reader of messages
/// has accepted.
pub fn arguments(text: &str) {
    if serde_json::from_str::<serde_json::Value>(text).is_ok() && depth(text) < MAX_DEPTH {
        crate::schema::duplicate_keys::check_duplicates(text);
        crate::sealing::check_digest(text);
    }
}
