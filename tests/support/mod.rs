//! Shared parts of the integration tests: revisions and their messages, a client on raw pipes that can
//! misbehave in every way a real one might, and the official schemas for everything it receives.

pub mod client;
pub mod folder;
pub mod revision;
pub mod schema;
pub mod web;

pub use client::{Frame, Server};
pub use folder::Folder;
pub use revision::Revision;

/// The characters that some clients read as the ends of lines, and that are escaped in all messages.
pub const SEPARATORS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Fails if there is one of them in what was sent. Of what is long it looks at the beginning, as to look at all of it
/// would hold up clients that are timed.
#[track_caller]
pub fn assert_no_separators(sent: &[u8]) {
    let sent = String::from_utf8_lossy(&sent[..sent.len().min(64 << 10)]);
    assert!(!sent.contains(SEPARATORS), "some clients end a line there: {sent:?}");
}
