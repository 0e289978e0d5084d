//! Splits a stream of bytes into lines, each found once and none longer than a limit.
//!
//! Lines that arrived together are validated as UTF-8 together: starting and ending a validation costs as much as
//! validating a short line.

use std::str::Utf8Error;

use crate::outgoing::stdio::MAX_IDLE_CAPACITY;

/// The next input in the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputLine<'a> {
    /// A complete line, without its newline.
    Whole(Result<&'a str, Utf8Error>),
    /// The start of an overlong line, whose rest is skipped.
    Oversized(&'a [u8]),
}

/// A growing buffer into which the stream is read.
#[derive(Debug)]
pub(super) struct LineBuffer {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of bytes from `start` that are known to contain no newline.
    scanned: usize,
    limit: usize,
    /// The length of the last line.
    last: usize,
    /// True while the rest of an overlong line is still to come.
    skipping: bool,
    /// True until something has been read: only there may a byte order mark occur.
    at_beginning: bool,
}

/// The size of a read once the server is busy.
const READ_SIZE: usize = 64 << 10;
/// The size of the first reads: most servers receive one small message at a time.
const FIRST_READ_SIZE: usize = 16 << 10;
/// The maximum capacity of a buffer that is kept.
pub(super) const MAX_KEPT_BUFFER: usize = 64 << 20;
/// The length of the excerpt of an overlong line that is searched for an id.
const MAX_EXCERPT: usize = 4 << 10;

impl LineBuffer {
    pub(super) fn new(limit: usize) -> LineBuffer {
        LineBuffer {
            buffer: vec![0; FIRST_READ_SIZE],
            start: 0,
            end: 0,
            scanned: 0,
            limit,
            last: 0,
            skipping: false,
            at_beginning: true,
        }
    }

    /// Returns the space for the next read; [`LineBuffer::add_bytes`] records the number of bytes that were read.
    pub(super) fn free_space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.scanned = 0;
            // A large message has passed. Its capacity is kept while more such messages follow: allocating and freeing
            // it each time costs more than reading them.
            let room = self.buffer.capacity();
            if room > MAX_IDLE_CAPACITY && (room > MAX_KEPT_BUFFER || self.last < room / 8) {
                self.buffer = vec![0; READ_SIZE];
            }
        } else if self.buffer.len() - self.end < READ_SIZE / 4 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.buffer.len() - self.end < READ_SIZE / 4 {
                // A line is never kept beyond its limit, so the doubling ends.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// Returns true if a large message has left excess capacity.
    pub(super) fn has_spare_memory(&self) -> bool {
        self.start == self.end && self.buffer.capacity() > MAX_IDLE_CAPACITY
    }

    /// Frees the capacity that large messages have left.
    pub(super) fn release_memory(&mut self) {
        if self.has_spare_memory() {
            self.buffer = vec![0; READ_SIZE];
        }
    }

    pub(super) fn add_bytes(&mut self, count: usize) {
        self.end += count;
        if self.end == self.buffer.len() && self.end < READ_SIZE {
            self.buffer.resize(READ_SIZE, 0);
        }
        if self.at_beginning && self.end - self.start >= 3 {
            self.at_beginning = false;
            if self.buffer[self.start..].starts_with(b"\xEF\xBB\xBF") {
                self.start += 3;
                self.scanned = self.scanned.saturating_sub(3);
            }
        }
    }

    /// Passes each complete or overlong line to `take`, until `take` returns `false`: the lines after that are dropped.
    pub(super) fn for_each_line(&mut self, mut take: impl FnMut(InputLine<'_>) -> bool) {
        let from = self.start + self.scanned;
        if let Some(first) = memchr::memchr(b'\n', &self.buffer[from..self.end]) {
            // Mostly it is the only line.
            let first = self.scanned + first;
            let after = &self.buffer[self.start + first + 1..self.end];
            let others = if after.is_empty() { None } else { memchr::memrchr(b'\n', after) };
            let bytes = &self.buffer[self.start..][..first + 1 + others.map_or(0, |last| last + 1)];
            self.start += bytes.len();
            self.scanned = 0;
            self.at_beginning = false;
            let text = std::str::from_utf8(bytes);
            let (mut start, mut end) = (0, first);
            loop {
                let line = start..end;
                if !std::mem::take(&mut self.skipping) {
                    let line = if line.len() > self.limit {
                        InputLine::Oversized(excerpt(&bytes[line]))
                    } else {
                        self.last = line.len();
                        // A line that is not UTF-8 does not invalidate the others.
                        InputLine::Whole(match text {
                            Ok(text) => Ok(&text[line]),
                            Err(_) => std::str::from_utf8(&bytes[line]),
                        })
                    };
                    if !take(line) {
                        return;
                    }
                }
                start = end + 1;
                if start == bytes.len() {
                    break;
                }
                match memchr::memchr(b'\n', &bytes[start..]) {
                    Some(next) => end = start + next,
                    None => break,
                }
            }
        }
        self.scanned = self.end - self.start;
        if self.skipping {
            self.start = self.end;
            self.scanned = 0;
        } else if self.scanned > self.limit {
            self.skipping = true;
            let rest = self.start..self.end;
            self.start = self.end;
            self.scanned = 0;
            take(InputLine::Oversized(excerpt(&self.buffer[rest])));
        }
    }

    /// Returns the text after the last newline when the stream has ended: a last line without a newline.
    pub(super) fn take_rest(&mut self) -> Option<Result<&str, Utf8Error>> {
        let rest = self.start..self.end;
        self.start = self.end;
        (!rest.is_empty() && !self.skipping).then(|| std::str::from_utf8(&self.buffer[rest]))
    }
}

/// Returns the part of an overlong line that is searched for an id.
fn excerpt(line: &[u8]) -> &[u8] {
    &line[..line.len().min(MAX_EXCERPT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads some of the input; returns the rest.
    fn fill<'a>(lines: &mut LineBuffer, input: &'a [u8]) -> &'a [u8] {
        let room = lines.free_space();
        let (some, rest) = input.split_at(input.len().min(room.len()));
        room[..some.len()].copy_from_slice(some);
        lines.add_bytes(some.len());
        rest
    }

    /// Feeds the input in pieces of the given size, and returns the resulting lines as text.
    fn split(input: &[u8], piece: usize, limit: usize) -> Vec<String> {
        let mut lines = LineBuffer::new(limit);
        let mut found = Vec::new();
        for mut part in input.chunks(piece) {
            while !part.is_empty() {
                part = fill(&mut lines, part);
                lines.for_each_line(|line| {
                    found.push(match line {
                        InputLine::Whole(line) => line.map_or("?".into(), str::to_owned),
                        InputLine::Oversized(start) => {
                            assert!(start.len() <= MAX_EXCERPT, "{} bytes", start.len());
                            format!("!{}", String::from_utf8_lossy(&start[..4]))
                        }
                    });
                    true
                });
            }
        }
        found.extend(lines.take_rest().map(|rest| format!("{}$", rest.unwrap_or("?"))));
        found
    }

    #[test]
    fn lines_do_not_depend_on_the_split_of_the_input() {
        let input = b"\xEF\xBB\xBFfirst\n\nsecond line\r\nlast";
        for piece in 1..input.len() + 1 {
            assert_eq!(split(input, piece, 100), ["first", "", "second line\r", "last$"], "pieces of {piece}");
        }
        assert_eq!(split(b"", 1, 100), [""; 0]);
    }

    #[test]
    fn a_line_over_the_limit_is_reported_once_and_skipped() {
        let long = "x".repeat(5000);
        let input = format!("a\n{long}\nb\n{long}");
        for piece in [1, 7, 1000, 4096, input.len()] {
            let found = split(input.as_bytes(), piece, 1024);
            assert_eq!(found, ["a", "!xxxx", "b", "!xxxx"], "pieces of {piece}");
        }
    }

    #[test]
    fn a_line_can_be_as_long_as_the_limit() {
        let [under, exactly, over] = [9, 10, 11].map(|length| "x".repeat(length));
        let input = format!("{over}\n{exactly}\n{under}\n{over}\n{exactly}\n{exactly}");
        let expected = ["!xxxx", &exactly, &under, "!xxxx", &exactly, &format!("{exactly}$")];
        for piece in 1..=input.len() {
            assert_eq!(split(input.as_bytes(), piece, 10), expected, "pieces of {piece}");
            assert_eq!(split(over.as_bytes(), piece, 10), ["!xxxx"], "pieces of {piece}");
        }
    }

    #[test]
    fn no_line_follows_once_the_reader_stops() {
        let mut lines = LineBuffer::new(100);
        fill(&mut lines, b"be");
        lines.for_each_line(|line| panic!("{line:?}"));
        fill(&mut lines, b"gin\nstop\nlost\nlost");
        let mut found = Vec::new();
        lines.for_each_line(|line| {
            let InputLine::Whole(Ok(line)) = line else { panic!("{line:?}") };
            found.push(line.to_owned());
            line != "stop"
        });
        assert_eq!(found, ["begin", "stop"]);
        lines.for_each_line(|line| panic!("{line:?}"));
        // Holds even if less follows than preceded it.
        let mut lines = LineBuffer::new(100);
        fill(&mut lines, b"beginning");
        lines.for_each_line(|line| panic!("{line:?}"));
        fill(&mut lines, b"\nlost");
        lines.for_each_line(|_| false);
        lines.for_each_line(|line| panic!("{line:?}"));
    }

    #[test]
    fn the_unterminated_last_line_is_returned_once() {
        let mut lines = LineBuffer::new(10);
        fill(&mut lines, b"rest");
        lines.for_each_line(|line| panic!("{line:?}"));
        assert_eq!(lines.take_rest(), Some(Ok("rest")));
        assert_eq!(lines.take_rest(), None);
    }

    #[test]
    fn the_beginning_of_a_line_over_the_limit_is_returned() {
        for end in ["", "\n"] {
            let mut lines = LineBuffer::new(1_024);
            fill(&mut lines, format!("{}{end}", "x".repeat(5_000)).as_bytes());
            let mut found = Vec::new();
            lines.for_each_line(|line| {
                let InputLine::Oversized(start) = line else { panic!("{line:?}") };
                found.push(start.len());
                true
            });
            assert_eq!(found, [MAX_EXCERPT]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_only_at_the_start() {
        for piece in 1..10 {
            assert_eq!(split(b"\xEF\xBB\xBF", piece, 10), [""; 0]);
            assert_eq!(split(b"\xEF\xBB\xBF\xEF\xBB\xBFa\n", piece, 10), ["\u{FEFF}a"], "pieces of {piece}");
            assert_eq!(split(b"a\n\xEF\xBB\xBFb\n", piece, 10), ["a", "\u{FEFF}b"], "pieces of {piece}");
        }
    }

    #[test]
    fn a_line_that_is_not_utf_8_does_not_affect_others() {
        let input = b"first\n\xFF\nna\xC3\xAFve\n\xE2\x98\n\xE2\x98\x83";
        for piece in 1..input.len() + 1 {
            assert_eq!(split(input, piece, 100), ["first", "?", "na\u{EF}ve", "?", "\u{2603}$"], "pieces of {piece}");
        }
    }

    #[test]
    fn large_lines_pass_and_their_memory_is_released() {
        let long = "y".repeat(3 << 20);
        let input = format!("{long}\nb\n");
        assert_eq!(split(input.as_bytes(), 50_000, 16 << 20), [long, "b".into()]);
        let mut lines = LineBuffer::new(16 << 20);
        let feed = |lines: &mut LineBuffer, mut input: &[u8]| {
            while !input.is_empty() {
                input = fill(lines, input);
                lines.for_each_line(|_| true);
            }
            lines.free_space();
            lines.buffer.len()
        };
        let large = feed(&mut lines, &input.as_bytes()[..(3 << 20) + 1]);
        assert!(large > MAX_IDLE_CAPACITY, "{large} bytes");
        assert_eq!(feed(&mut lines, &input.as_bytes()[..(3 << 20) + 1]), large, "more such lines may follow");
        assert_eq!(feed(&mut lines, b"b\n"), READ_SIZE);
    }

    #[test]
    fn no_memory_is_kept_for_a_refused_line() {
        let mut lines = LineBuffer::new(3 << 20);
        let mut input = &vec![b'x'; 3 << 20][..];
        while !input.is_empty() {
            input = fill(&mut lines, input);
            lines.for_each_line(|line| panic!("{line:?}"));
        }
        fill(&mut lines, b"x\n");
        let mut refused = 0;
        lines.for_each_line(|line| {
            refused += usize::from(matches!(line, InputLine::Oversized(_)));
            true
        });
        lines.free_space();
        assert_eq!((refused, lines.buffer.len()), (1, READ_SIZE));
    }

    #[test]
    fn an_endless_line_is_not_buffered() {
        let mut lines = LineBuffer::new(1_000);
        for _ in 0..200 {
            fill(&mut lines, &[b'x'; 50_000]);
            lines.for_each_line(|line| matches!(line, InputLine::Oversized(_)));
        }
        assert!(lines.buffer.len() <= READ_SIZE, "{} bytes", lines.buffer.len());
    }
}
