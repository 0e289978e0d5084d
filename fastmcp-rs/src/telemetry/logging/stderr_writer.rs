//! A writer to standard error that never blocks, for log subscribers.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use crate::util::operator_log::{enqueue, is_hidden};

#[derive(Clone, Copy, Debug)]
pub(super) struct StderrWriter {
    /// True if lines are JSON.
    pub(super) is_json: bool,
}

impl Write for StderrWriter {
    /// Queues the bytes, or counts and drops them if the queue is full.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        enqueue(&sanitize(bytes, self.is_json));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sanitizes a line of a log subscriber, which has escaped dangerous ASCII from peers, and may have added colours. In
/// JSON nothing is lost, and characters that some programs read as line ends are escaped, too.
fn sanitize(line: &[u8], is_json: bool) -> Cow<'_, [u8]> {
    // The UTF-8 forms of all these characters begin with one of two bytes, which few lines contain.
    if memchr::memchr2(0xC2, 0xE2, line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len());
    for character in String::from_utf8_lossy(line).chars() {
        match character {
            other if is_json && (is_hidden(other) || matches!(other, '\u{2028}' | '\u{2029}')) => {
                // Writing to a string does not fail.
                _ = fmt::Write::write_fmt(&mut shown, format_args!("\\u{:04x}", u32::from(other)));
            }
            other if is_hidden(other) => shown.push('\u{FFFD}'),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn control_characters_of_peers_are_escaped() {
        let line = "\x1b[32m INFO\x1b[0m \u{e9}\u{9B}2J\u{2066}\u{2028}\n";
        assert_eq!(
            &*sanitize(line.as_bytes(), false),
            "\x1b[32m INFO\x1b[0m \u{e9}\u{FFFD}2J\u{FFFD}\u{2028}\n".as_bytes()
        );
        let line = "{\"text\":\"\u{e9}\u{9B}\u{2066}\u{85}\u{2028}\u{2029}\"}\n";
        let shown = sanitize(line.as_bytes(), true);
        assert_eq!(&*shown, "{\"text\":\"\u{e9}\\u009b\\u2066\\u0085\\u2028\\u2029\"}\n".as_bytes());
    }
}
