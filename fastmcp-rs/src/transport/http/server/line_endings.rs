//! Rejects bare line feeds in request heads.
//!
//! HTTP/1.1 lets a server accept a bare line feed as the end of a line, and hyper does. A proxy in front of the server
//! may not: it then sees one header where hyper sees two, which allows request smuggling. hyper has no option for this,
//! so this scanner checks the bytes before hyper reads them: it replaces a bare line feed with a NUL, which hyper
//! refuses with 400 in every part of a head, and closes the connection.
//!
//! The scanner must know where heads begin and end. The server serves nothing after a chunked message on the same
//! connection (`router` and `HttpService` close it), so `Content-Length` is the only framing header to parse. A
//! `Content-Length` line that is longer than the part of a line that the scanner keeps is refused in the same way,
//! because hyper would read more of it than the scanner does.
//!
//! Specification: <https://www.rfc-editor.org/rfc/rfc9112#section-2.2>

/// The number of bytes of a line that are kept: enough for the relevant names and for a length after one of them.
const MAX_LINE_START: usize = 48;

/// The position of a connection in its stream of requests.
#[derive(Debug)]
pub(crate) enum HeadScanner {
    Head(HeadLine),
    Body {
        left: u64,
    },
    /// A line feed was replaced, and the end of its head must be supplied, because hyper parses a head only when it is
    /// complete.
    Spoiled,
    /// No further bytes are an HTTP/1 head.
    Over,
}

/// The bytes that end a head after any last line.
pub(crate) const END: &[u8] = b"\r\n\r\n";

/// The current line of a head, and the framing headers seen before it.
#[derive(Debug, Default)]
pub(crate) struct HeadLine {
    start: LineStart,
    last: u8,
    /// Whether a line of the same head precedes this line; empty lines before a head do not count.
    has_before: bool,
    content_length: u64,
    is_chunked: bool,
}

/// The element that a line feed ends.
enum LineEnd {
    /// None: the line feed is bare, or follows a length that cannot be known.
    Nothing,
    Line,
    /// The head; the value is the state after it.
    Head(HeadScanner),
}

/// The first bytes of a line.
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
    /// Returns whether the end of an invalidated head must be supplied now, instead of the client's bytes; `true` once
    /// per connection.
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

    /// Returns whether part of a body is known to be missing.
    pub(crate) fn lacks_body(&self) -> bool {
        matches!(self, HeadScanner::Body { left } if *left > 0)
    }

    /// Scans received bytes, and replaces a line feed that must not end a line.
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
                        // A line nearly always arrives in one read, and then none of it has to be kept.
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

    /// Ends the line that begins with `start`; `last` is the byte before its line feed.
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

/// Returns the value after the name of a header, without leading whitespace.
fn header_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    // Other names nearly always have their colon at another position, and many clients write this name in lower case.
    let is_name = start.last() == name.last() && (start == name || start.eq_ignore_ascii_case(name));
    is_name.then(|| value.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a stream after a scan in pieces of `size` bytes.
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
