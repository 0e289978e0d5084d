//! Line ends in the heads of requests.
//!
//! HTTP/1.1 lets a server take a line feed alone for the end of a line, and hyper does. A proxy in front may not: what
//! is one header to it is then two to us, which is how requests are smuggled. hyper cannot be told, so the bytes are
//! looked at on their way to it: a line feed alone becomes a NUL, which hyper refuses with 400 in every part of a
//! head, and closes the connection.
//!
//! For that it has to be known where heads begin and end. Nothing that follows a chunked message on its connection is
//! served (`paths`), so `Content-Length` is all that has to be read. One that is longer than what is kept of a line is
//! refused in the same way, as hyper would read more of it than is read here.
//!
//! Specification: <https://www.rfc-editor.org/rfc/rfc9112#section-2.2>

/// How much of a line is kept: enough for the names that matter, and for a length behind one of them.
const MAX_LINE_START: usize = 48;

/// Where in a stream of requests a connection is.
#[derive(Debug)]
pub(crate) enum HeadScanner {
    Head(HeadLine),
    Body {
        left: u64,
    },
    /// A line end was spoilt, and the end of its head is owed: hyper waits for that before it looks at anything.
    Spoiled,
    /// Nothing that comes is a head of HTTP/1 any more.
    Over,
}

/// The end of a head, whatever its last line is.
pub(crate) const END: &[u8] = b"\r\n\r\n";

/// The line of a head that has begun.
#[derive(Debug, Default)]
pub(crate) struct HeadLine {
    start: LineStart,
    last: u8,
    /// Whether it is the first of its head; empty lines may precede it.
    has_before: bool,
    content_length: u64,
    is_chunked: bool,
}

/// What ends with a line feed.
enum LineEnd {
    /// Nothing may: it stands alone, or behind a length that cannot be known.
    Nothing,
    Line,
    /// The head, and what follows it.
    Head(HeadScanner),
}

/// How a line begins.
#[derive(Clone, Copy, Debug)]
struct LineStart {
    bytes: [u8; MAX_LINE_START],
    length: usize,
}

impl Default for LineStart {
    fn default() -> LineStart {
        LineStart { bytes: [0; MAX_LINE_START], length: 0 }
    }
}

impl Default for HeadScanner {
    fn default() -> HeadScanner {
        HeadScanner::Head(HeadLine::default())
    }
}

impl HeadScanner {
    /// Whether the end of a spoilt head must follow now, instead of anything that the client sends; once.
    pub(crate) fn owes_head_end(&mut self) -> bool {
        let is_owed = matches!(self, HeadScanner::Spoiled);
        if is_owed {
            *self = HeadScanner::Over;
        }
        is_owed
    }

    /// Returns whether a head has begun and is not over.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(self, HeadScanner::Head(line) if line.has_before || line.start.length > 0)
    }

    /// Returns whether something of a message is known to be missing.
    pub(crate) fn lacks_body(&self) -> bool {
        matches!(self, HeadScanner::Body { left } if *left > 0)
    }

    /// Looks at bytes that came, and spoils what must not be read as the end of a line.
    pub(crate) fn scan(&mut self, mut bytes: &mut [u8]) {
        loop {
            match self {
                HeadScanner::Spoiled | HeadScanner::Over => return,
                HeadScanner::Body { left } => {
                    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= skipped as u64;
                    if *left > 0 {
                        return;
                    }
                    bytes = &mut bytes[skipped..];
                    *self = HeadScanner::default();
                }
                HeadScanner::Head(line) => {
                    let Some(end) = memchr::memchr(b'\n', bytes) else {
                        line.push_bytes(bytes);
                        return;
                    };
                    let (text, rest) = bytes.split_at_mut(end);
                    let Some((feed, rest)) = rest.split_first_mut() else { return };
                    let ended = match line.start.length {
                        // Nearly always a line comes at once, and none of it has to be kept.
                        0 => line.end_line(&text[..text.len().min(MAX_LINE_START)], text.last().copied()),
                        _ => {
                            line.push_bytes(text);
                            let start = line.start;
                            line.end_line(&start.bytes[..start.length], Some(line.last))
                        }
                    };
                    match ended {
                        LineEnd::Nothing => {
                            *feed = 0;
                            *self = HeadScanner::Spoiled;
                            return;
                        }
                        LineEnd::Head(next) => *self = next,
                        LineEnd::Line => {}
                    }
                    bytes = rest;
                }
            }
        }
    }
}

impl HeadLine {
    fn push_bytes(&mut self, text: &[u8]) {
        let LineStart { bytes, length } = &mut self.start;
        let kept = text.len().min(MAX_LINE_START - *length);
        bytes[*length..*length + kept].copy_from_slice(&text[..kept]);
        *length += kept;
        self.last = text.last().copied().unwrap_or(self.last);
    }

    /// The line that begins so is over, and `last` is what stands before its line feed.
    fn end_line(&mut self, start: &[u8], last: Option<u8>) -> LineEnd {
        if last != Some(b'\r') {
            return LineEnd::Nothing;
        }
        self.start.length = 0;
        self.last = 0;
        match start.first() {
            Some(b'\r') if start.len() == 1 => {
                if !self.has_before {
                    *self = HeadLine::default();
                    return LineEnd::Line;
                }
                let left = self.content_length;
                return LineEnd::Head(if self.is_chunked { HeadScanner::Over } else { HeadScanner::Body { left } });
            }
            Some(b'P') if !self.has_before && start.starts_with(b"PRI * HTTP/2") => {
                return LineEnd::Head(HeadScanner::Over);
            }
            Some(b'C' | b'c') => {
                if let Some(value) = header_value(start, b"content-length:") {
                    if start.len() == MAX_LINE_START {
                        return LineEnd::Nothing;
                    }
                    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
                    self.content_length = digits.fold(0, |length, digit| {
                        u64::saturating_add(u64::saturating_mul(length, 10), u64::from(digit - b'0'))
                    });
                }
            }
            Some(b'T' | b't') => self.is_chunked |= header_value(start, b"transfer-encoding:").is_some(),
            _ => {}
        }
        self.has_before = true;
        LineEnd::Line
    }
}

/// What follows the name of a header, without the blanks before it.
fn header_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    // Another name has its colon elsewhere nearly always, and this one is written in small letters by many clients.
    let is_name = start.last() == name.last() && (start == name || start.eq_ignore_ascii_case(name));
    is_name.then(|| value.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a stream that comes in pieces of `size` bytes.
    fn looked_at(stream: &str, size: usize) -> String {
        let mut scanner = HeadScanner::default();
        let mut bytes = stream.as_bytes().to_vec();
        bytes.chunks_mut(size).for_each(|piece| scanner.scan(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn bare_line_feeds_in_heads_are_invalidated() {
        let good = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let posted = "POST / HTTP/1.1\r\ncontent-LENGTH:  4 \r\nHost: x\r\n\r\n{\n\n}";
        for (stream, expected) in [
            ("GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\0Host: x\n\n"),
            ("GET / HTTP/1.1\r\nHost: x\nY: z\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\0Y: z\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: x\r\n\n", "GET / HTTP/1.1\r\nHost: x\r\n\0"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
            ("\r\n\r\nGET / HTTP/1.1\r\nX: y\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nX: y\0\r\n"),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\n\nX\n",
                "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\n\nX\0",
            ),
            ("POST / HTTP/1.1\r\nX-Content-Length: 9\r\n\r\nX\n", "POST / HTTP/1.1\r\nX-Content-Length: 9\r\n\r\nX\0"),
        ] {
            for size in [1, 2, 3, 7, 1000] {
                assert_eq!(looked_at(stream, size), expected, "{size}");
                for before in [good, posted] {
                    let stream = format!("{before}{stream}");
                    assert_eq!(looked_at(&stream, size), format!("{before}{expected}"), "{size}");
                }
            }
        }
    }

    #[test]
    fn an_overlong_content_length_is_refused() {
        for blanks in [" ".repeat(MAX_LINE_START), "0".repeat(MAX_LINE_START), " ".repeat(MAX_LINE_START - 16)] {
            let head = |end| format!("POST / HTTP/1.1\r\nContent-Length:{blanks}12\r{end}\r\nX: y\r\nZ: a\r\n");
            for size in [1, 2, 7, 1000] {
                assert_eq!(looked_at(&head("\n"), size), head("\0"), "{blanks:?}, {size}");
            }
        }
    }

    #[test]
    fn the_end_of_input_inside_a_head_or_body_is_detected() {
        let request = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        for (end, is_in_head, lacks_body) in [
            ("", false, false),
            ("\r\n", false, false),
            ("P", true, false),
            ("POST / HTTP/1.1\r\n", true, false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r", true, false),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", false, true),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{", false, true),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false, false),
        ] {
            for size in [1, 3, 1000] {
                let mut scanner = HeadScanner::default();
                let mut bytes = format!("{request}{end}").into_bytes();
                bytes.chunks_mut(size).for_each(|piece| scanner.scan(piece));
                assert_eq!((scanner.is_in_head(), scanner.lacks_body()), (is_in_head, lacks_body), "{end:?} {size}");
            }
        }
    }

    #[test]
    fn other_bytes_are_unchanged() {
        let long = format!("GET /{} HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(100), "y".repeat(1000));
        for stream in [
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\n\n\n\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\n}\r\n0\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\n\n",
            &long,
        ] {
            for size in [1, 2, 5, 1000] {
                assert_eq!(looked_at(stream, size), stream);
            }
        }
    }
}
