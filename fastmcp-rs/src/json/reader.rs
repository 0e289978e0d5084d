//! Reads JSON that is kept as text: validates it, and finds where values begin and end.
//!
//! Reading the envelope of a message is a third of the work of a call, and the engine needs only slices of the text
//! that it came in. A typed deserializer goes through visitors, errors with positions, and copies of values; this
//! reader moves an index. Values are skipped without recursion, with one bit per open container, so depth is bounded
//! where it arises, and the text is read once.
//!
//! It accepts exactly the values that `serde_json` accepts as raw values, up to [`MAX_DEPTH`]; a test compares the two.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::unescape::unescape;

/// The maximum nesting of arrays and objects in a message: the number of bits in the stack of [`Reader::skip_value`].
pub(crate) const MAX_DEPTH: u32 = u64::BITS;

/// The reason why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// The text is not JSON.
    Json,
    /// The text nests arrays and objects deeper than [`MAX_DEPTH`]; the rest was not read.
    TooDeep,
    /// A known member occurs twice, and [`Reader::duplicate`] is its name; the rest was not read.
    Duplicate,
}

/// The text of a JSON value that is known to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    text: &'a str,
    /// The offset of the first escape if the value is a string, and 0 if it has none. Searching for it again would mean
    /// reading each string twice. The field is a `usize`, because a message's values are then copied word by word.
    first_escape: usize,
}

impl<'a> Raw<'a> {
    pub(crate) fn get(self) -> &'a str {
        self.text
    }

    /// Returns the string, or `None` if the value is not a string. The result is borrowed unless the string has
    /// escapes.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.text.get(1..self.text.len() - 1).filter(|_| self.text.starts_with('"'))?;
        if self.first_escape == 0 { Some(Cow::Borrowed(inner)) } else { unescape(inner).map(Cow::Owned) }
    }
}

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(raw: &'a RawValue) -> Raw<'a> {
        Raw { text: raw.get(), first_escape: raw.get().find('\\').unwrap_or(0) }
    }
}

/// A receiver for the members of an object.
pub(crate) trait Members<'a>: Default {
    /// The known members, as nearly as possible in the order in which peers send them; each in its usual spelling, with
    /// quotes and colon.
    const KEYS: &'static [&'static str];

    /// Returns true if the text begins with the key at that index. An implementation with one comparison per key,
    /// against a constant, costs a fraction of a comparison of two slices.
    fn begins(index: usize, text: &[u8]) -> bool {
        text.starts_with(Self::KEYS[index].as_bytes())
    }

    /// Reads the next value as that of a known key.
    fn take(&mut self, index: usize, reader: &mut Reader<'a>) -> Result<(), JsonError>;

    /// Reads the next value as that of an unknown name, or skips it.
    fn take_other(&mut self, _name: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.skip_value()
    }
}

/// Returns true if a key, with its quotes and its colon, spells a name.
pub(crate) fn is_quoted_key(key: &str, name: &str) -> bool {
    key[1..].strip_prefix(name) == Some("\":")
}

/// A position in a JSON text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The number of open containers around the position.
    depth: u32,
    /// The name of the duplicate member. It is not part of the fault, so that a fault fits into a register.
    pub(crate) duplicate: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0, depth: 0, duplicate: "" }
    }

    /// Skips white space and returns the next byte.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(0..=b' ') => self.peek_after_space(),
            other => other.copied(),
        }
    }

    fn peek_after_space(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// Consumes the punctuation `byte` if it is next.
    #[inline]
    pub(crate) fn take_byte(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Returns the unread text.
    #[inline]
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips text that another reader has consumed.
    pub(crate) fn advance(&mut self, length: usize) {
        self.at += length;
    }

    /// Fails if anything except white space is left.
    pub(crate) fn expect_end(&mut self) -> Result<(), JsonError> {
        if self.peek().is_none() { Ok(()) } else { Err(JsonError::Json) }
    }

    /// Reads the members of the object that is next.
    pub(crate) fn read_members<T: Members<'a>>(&mut self, members: &mut T) -> Result<(), JsonError> {
        self.expect_byte(b'{')?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        if self.take_byte(b'}') {
            self.depth -= 1;
            return Ok(());
        }
        let mut expected = 0;
        loop {
            self.peek();
            match self.take_key::<T>(expected) {
                Some(index) => {
                    expected = index + 1;
                    members.take(index, self)?;
                }
                None => self.read_other_member(members)?,
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(JsonError::Json),
            }
        }
    }

    /// Consumes the key at this position, and the colon after it, if the key is known: most likely the expected key or
    /// one that follows it, but any known key matches.
    ///
    /// The comparison happens in place: searching for the end of the key first costs twice as much.
    fn take_key<T: Members<'a>>(&mut self, expected: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(self.at..)?;
        // Keys rarely end at the same offset, so this check excludes most of them.
        let is_next = |key: &str, index| rest.get(key.len() - 1) == Some(&b':') && T::begins(index, rest);
        let index = (expected..T::KEYS.len()).chain(0..expected).find(|&index| is_next(T::KEYS[index], index))?;
        debug_assert!(rest.starts_with(T::KEYS[index].as_bytes()), "it is another key");
        self.at += T::KEYS[index].len();
        Some(index)
    }

    /// Consumes the key at this position if it is `name`, spelled without escapes.
    pub(crate) fn take_name(&mut self, name: &str) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let end = name.len() + 1;
        let is_next = rest.get(end) == Some(&b'"') && rest[0] == b'"' && rest[1..end] == *name.as_bytes();
        self.at += if is_next { end + 1 } else { 0 };
        is_next
    }

    /// Reads a member that does not match a known key byte for byte: an unknown name, or another spelling of a known
    /// name.
    #[cold]
    fn read_other_member<T: Members<'a>>(&mut self, members: &mut T) -> Result<(), JsonError> {
        let name = self.read_key()?;
        self.expect_byte(b':')?;
        match T::KEYS.iter().position(|key| is_quoted_key(key, &name)) {
            Some(index) => members.take(index, self),
            None => members.take_other(&name, self),
        }
    }

    /// Reads the value that is next.
    // Inlined, so that the result is built in its final place: a returned value is copied piece by piece.
    #[inline(always)]
    pub(crate) fn read_value(&mut self) -> Result<Raw<'a>, JsonError> {
        let first = self.peek();
        let start = self.at;
        let first_escape = if first == Some(b'"') { self.skip_string()? } else { self.skip_value().map(|()| 0)? };
        Ok(Raw { text: &self.text[start..self.at], first_escape })
    }

    /// Skips the value that is next.
    pub(crate) fn skip_value(&mut self) -> Result<(), JsonError> {
        // The containers that were opened in this call, innermost in the lowest bit: 1 for an object.
        let mut objects = 0u64;
        let mut opened = 0;
        loop {
            let container = match self.peek() {
                Some(b'"') => {
                    self.skip_string()?;
                    None
                }
                Some(b'{') => Some((1, b'}')),
                Some(b'[') => Some((0, b']')),
                Some(b'-' | b'0'..=b'9') => {
                    self.skip_number()?;
                    None
                }
                Some(b't') => self.skip_literal("true")?,
                Some(b'f') => self.skip_literal("false")?,
                Some(b'n') => self.skip_literal("null")?,
                _ => return Err(JsonError::Json),
            };
            if let Some((bit, closing)) = container {
                if self.depth + opened == MAX_DEPTH {
                    return Err(JsonError::TooDeep);
                }
                self.at += 1;
                if !self.take_byte(closing) {
                    objects = objects << 1 | bit;
                    opened += 1;
                    if bit == 1 {
                        self.skip_key()?;
                    }
                    continue;
                }
            }
            // A value has ended, and perhaps the containers around it.
            loop {
                if opened == 0 {
                    return Ok(());
                }
                let closing = if objects & 1 == 1 { b'}' } else { b']' };
                let next = self.peek();
                if next == Some(b',') {
                    self.at += 1;
                    if objects & 1 == 1 {
                        self.skip_key()?;
                    }
                    break;
                }
                if next != Some(closing) {
                    return Err(JsonError::Json);
                }
                self.at += 1;
                objects >>= 1;
                opened -= 1;
            }
        }
    }

    #[inline]
    fn expect_byte(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take_byte(byte) { Ok(()) } else { Err(JsonError::Json) }
    }

    /// Reads the string that is next.
    #[inline]
    pub(crate) fn read_key(&mut self) -> Result<Cow<'a, str>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(JsonError::Json);
        }
        let start = self.at;
        let first_escape = self.skip_string()?;
        let string = &self.text[start + 1..self.at - 1];
        if first_escape > 0 {
            return unescape(string).map(Cow::Owned).ok_or(JsonError::Json);
        }
        Ok(Cow::Borrowed(string))
    }

    /// Returns the string that is next, in a text that is known to be well formed, so the search looks only for quotes
    /// and backslashes. Returns `None` if an escape is an unpaired surrogate.
    pub(crate) fn read_text(&mut self) -> Option<String> {
        let text = self.rest();
        let bytes = text.as_bytes();
        if let Some(length) = short_string(bytes) {
            self.at += length;
            return text.get(1..length - 1).map(str::to_owned);
        }
        let (mut end, mut is_escaped) = (1, false);
        loop {
            end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
            if bytes[end] == b'"' {
                break;
            }
            is_escaped = true;
            end += 2;
        }
        self.at += end + 1;
        let string = text.get(1..end)?;
        if is_escaped { unescape(string) } else { Some(string.to_owned()) }
    }

    fn skip_key(&mut self) -> Result<(), JsonError> {
        if self.peek() != Some(b'"') {
            return Err(JsonError::Json);
        }
        self.skip_string()?;
        self.expect_byte(b':')
    }

    /// Skips the string at this position; returns the offset of its first escape within it, or 0 if it has none.
    #[inline]
    fn skip_string(&mut self) -> Result<usize, JsonError> {
        match short_string(&self.text.as_bytes()[self.at..]) {
            Some(length) => {
                self.at += length;
                Ok(0)
            }
            None => self.skip_any_string(),
        }
    }

    #[inline(never)]
    fn skip_any_string(&mut self) -> Result<usize, JsonError> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        let mut first_escape = 0;
        loop {
            self.at += plain(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(first_escape);
                }
                Some(b'\\') => {
                    if first_escape == 0 {
                        first_escape = self.at - start;
                    }
                    self.at += escape(&bytes[self.at..])?;
                }
                // A control character, or the end of the text.
                _ => return Err(JsonError::Json),
            }
        }
    }

    fn skip_number(&mut self) -> Result<(), JsonError> {
        let bytes = self.text.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let whole = digits(self.at);
        if whole == 0 || (whole > 1 && bytes[self.at] == b'0') {
            return Err(JsonError::Json);
        }
        self.at += whole;
        if bytes.get(self.at) == Some(&b'.') {
            let fraction = digits(self.at + 1);
            if fraction == 0 {
                return Err(JsonError::Json);
            }
            self.at += 1 + fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = bytes.get(self.at) {
                self.at += 1;
            }
            let exponent = digits(self.at);
            if exponent == 0 {
                return Err(JsonError::Json);
            }
            self.at += exponent;
        }
        Ok(())
    }

    fn skip_literal<T>(&mut self, word: &str) -> Result<Option<T>, JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(JsonError::Json);
        }
        self.at += word.len();
        Ok(None)
    }
}

/// Returns the length of the string at the start of the text if it is short and has no escapes, as nearly all strings
/// are.
#[inline]
fn short_string(text: &[u8]) -> Option<usize> {
    let inner = text.get(1..)?;
    let length = match inner.split_first_chunk::<8>() {
        Some((first, after)) => match (special::<true>(u64::from_le_bytes(*first)), after.first_chunk::<8>()) {
            (0, Some(second)) => 8 + find_first_mark(special::<true>(u64::from_le_bytes(*second))),
            (0, None) => 8 + count_plain_bytes::<true>(after),
            (marks, _) => find_first_mark(marks),
        },
        None => count_plain_bytes::<true>(inner),
    };
    (inner.get(length) == Some(&b'"')).then_some(length + 2)
}

/// Returns the number of bytes in a word below the first mark: all of them if there is no mark.
#[inline]
fn find_first_mark(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// Does the same as [`plain`], for a text shorter than a word.
#[inline]
fn count_plain_bytes<const WIDE: bool>(text: &[u8]) -> usize {
    debug_assert!(text.len() < 8, "it is longer than a word");
    let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) else {
        return text.iter().take_while(|&&byte| is_plain::<WIDE>(byte)).count();
    };
    // Two halves of a word, which may overlap in the text.
    let halves = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    match find_first_mark(special::<WIDE>(halves)) {
        first @ 0..4 => first,
        last => text.len() + last - 8,
    }
}

/// Returns the length of the escape at the start of the text.
#[cold]
fn escape(text: &[u8]) -> Result<usize, JsonError> {
    match text.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') if text.len() >= 6 && text[2..6].iter().all(u8::is_ascii_hexdigit) => Ok(6),
        _ => Err(JsonError::Json),
    }
}

/// Returns the number of leading bytes that represent themselves in a JSON string: all except quotes, backslashes and
/// control characters.
#[inline]
pub(crate) fn plain(text: &[u8]) -> usize {
    plain_or_wide::<true>(text)
}

/// Returns the number of bytes at the start of the text that are ASCII and stand for themselves in a JSON string. It
/// costs no more than [`plain`].
#[inline]
pub(crate) fn plain_ascii(text: &[u8]) -> usize {
    plain_or_wide::<false>(text)
}

#[inline]
fn plain_or_wide<const WIDE: bool>(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let special = special::<WIDE>(u64::from_le_bytes(*word));
        if special != 0 {
            return text.len() - rest.len() + find_first_mark(special);
        }
        rest = after;
        if text.len() - rest.len() == BLOCK {
            rest = &rest[count_plain_blocks::<WIDE>(rest)..];
        }
    }
    text.len() - rest.len() + count_plain_bytes::<WIDE>(rest)
}

/// The block size for longer strings, and the number of bytes that are first checked word by word.
const BLOCK: usize = 16;

/// Returns the length of the leading blocks that contain only plain bytes. The loop has no branch per byte, so that the
/// compiler can vectorise it.
#[inline(never)]
fn count_plain_blocks<const WIDE: bool>(text: &[u8]) -> usize {
    let is_plain_block = |block: &&[u8]| block.iter().fold(true, |plain, &byte| plain & is_plain::<WIDE>(byte));
    text.chunks_exact(BLOCK).take_while(is_plain_block).count() * BLOCK
}

fn is_plain<const WIDE: bool>(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\' && (WIDE || byte.is_ascii())
}

/// Marks the bytes of a word that are not plain by their highest bit, and those beyond ASCII if it is not `WIDE`. Bits
/// above the first mark may be wrong, but without any mark all bytes are plain.
#[inline]
pub(crate) fn special<const WIDE: bool>(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Subtraction sets the highest bit of a byte below 128 if and only if the byte was smaller than the limit. With its
    // second bit flipped, a quote is the value next to the control characters.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit));
    let quote_or_control = below(word ^ (ONES * 2), b'!');
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    let marks = quote_or_control | backslash;
    (if WIDE { marks & !word } else { marks | word }) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::json::oracles::{self, read_whole as read};

    const TEXTS: [&str; 14] = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}"#,
        r#" { "a" : [ 1 , -2.5e+10 , 0.0E-1 , true , false , null , "" , {} , [ ] ] } "#,
        r#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800", "naïve ☃ 😀", "\u12"]"#,
        "[[[[{\"a\":[{\"b\":{}}]}]]]]",
        "-",
        "01",
        "1.",
        "1e",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "[1}",
        "\"a\u{1}b\"",
        "\"0123456701234567012345670123456701234567012345670123456701234567012345670123456701234567012345670123456701234567 and a \\\" quote\"",
    ];

    #[test]
    fn the_reader_accepts_exactly_the_input_of_serde_json() {
        let (mut accepted, mut refused) = (0, 0);
        oracles::vary(&TEXTS, 20_000, |text| {
            let expected = serde_json::from_str::<&RawValue>(text).is_ok();
            assert_eq!(read(text).is_ok(), expected, "{text}");
            if expected { accepted += 1 } else { refused += 1 }
        });
        assert!(accepted > 10_000 && refused > 10_000, "{accepted} texts were accepted and {refused} refused");
    }

    #[test]
    fn a_name_is_matched_as_a_whole() {
        for (text, name, taken) in [
            (r#""id":1"#, "id", true),
            (r#""idx":1"#, "id", false),
            (r#""id"#, "id", false),
            (r#""""#, "", true),
            (r#""\u0069d":1"#, "id", false),
            ("1", "", false),
        ] {
            let mut reader = Reader::new(text);
            assert_eq!(reader.take_name(name), taken, "{text}");
            assert_eq!(reader.rest(), if taken { &text[name.len() + 2..] } else { text });
        }
    }

    #[test]
    fn strings_of_every_length_are_read_up_to_the_end() {
        for length in 0..40 {
            for text in ["x", "é", "\"", "\\", "\n"].map(|text| text.repeat(length)) {
                let json = serde_json::to_string(&text).unwrap();
                for behind in ["", "                    ,"] {
                    let whole = format!("{json}{behind}");
                    let mut reader = Reader::new(&whole);
                    assert_eq!(reader.read_text().as_deref(), Some(text.as_str()));
                    assert_eq!(reader.rest(), behind);
                }
            }
        }
    }

    #[test]
    fn special_bytes_of_a_string_are_found_at_every_offset() {
        for text in [r#""a\nb\n""#, r#""0123456789\\01234567890123456789\"""#] {
            assert_eq!(Reader::new(text).read_value().unwrap().first_escape, text.find('\\').unwrap());
        }
        for (length, control) in (0..40).flat_map(|length| (0..32).map(move |control| (length, char::from(control)))) {
            let text = format!("\"{}{control}", "x".repeat(length));
            assert_eq!(read(&text), Err(JsonError::Json));
            assert_eq!(read(&format!("{text}\"")), Err(JsonError::Json));
        }
        for (length, behind) in (0..24).flat_map(|length| (0..20).map(move |behind| (length, behind))) {
            for at in 0..=length {
                for special in ["", "\\n", "\\\"", "\u{1}", "\u{7f}", "é"] {
                    let [before, after] = [at, length - at].map(|length| "x".repeat(length));
                    let text = format!("\"{before}{special}{after}\"{}", " ".repeat(behind));
                    assert_eq!(read(&text).is_ok(), special != "\u{1}", "{text}");
                    if let Ok(value) = Reader::new(&text).read_value() {
                        assert_eq!(value.first_escape, text.find('\\').unwrap_or(0), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_raw_value_keeps_its_text() {
        for text in [" 1 ", "\"a\\\"b\" ,", "{\"a\":[1,\"]\"]}x", "null", "[] ]"] {
            let expected: &RawValue =
                serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next().unwrap().unwrap();
            assert_eq!(Reader::new(text).read_value(), Ok(Raw::from(expected)));
        }
    }

    #[test]
    fn depth_is_bounded_at_every_position() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(read(&nested(64)), Ok(()));
            assert_eq!(read(&nested(65)), Err(JsonError::TooDeep));
        }
        assert_eq!(read(&"[".repeat(1_000_000)), Err(JsonError::TooDeep));
        assert_eq!(read(&format!("[{}]", "[[],{}],".repeat(1000).trim_end_matches(','))), Ok(()));
    }

    #[test]
    fn plain_bytes_are_counted_up_to_the_first_special_one() {
        for length in 0..300 {
            let mut text = vec![b'x'; length];
            assert_eq!((plain(&text), plain_ascii(&text)), (length, length));
            for at in 0..length {
                for byte in [b'"', b'\\', 0, 31] {
                    text[at] = byte;
                    assert_eq!((plain(&text), plain_ascii(&text)), (at, at));
                }
                for byte in [128, 0xA1, 255] {
                    text[at] = byte;
                    assert_eq!((plain(&text), plain_ascii(&text)), (length, at));
                }
                text[at] = [b' ', b'!', b'#', b'[', b']', 127][at % 6];
            }
        }
    }
}
