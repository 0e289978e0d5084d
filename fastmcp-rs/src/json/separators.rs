//! Escapes the line separators that JSON allows in its strings as they are: U+0085, U+2028 and U+2029.
//!
//! Several clients split their input at these characters, as Python's `str.splitlines` does, and wait for the rest of a
//! frame for ever. In JSON these characters occur only in strings, where an escape has the same meaning; so JSON that
//! was written by a peer, an author or serde_json is escaped as a whole. The crate's own string writers call this
//! module for text beyond ASCII.

use std::borrow::Cow;

use memchr::memchr2_iter;

/// Escapes the separators in the JSON from `start` on.
pub(crate) fn escape(json: &mut Vec<u8>, start: usize) {
    if pieces(&json[start..]).next().is_some() {
        let raw = json.split_off(start);
        append(json, &raw);
    }
}

/// Escapes the separators in a JSON text.
pub(crate) fn escaped(json: &str) -> Cow<'_, str> {
    if pieces(json.as_bytes()).next().is_none() {
        return Cow::Borrowed(json);
    }
    let mut escaped = Vec::new();
    append(&mut escaped, json.as_bytes());
    // Only whole characters were replaced.
    String::from_utf8(escaped).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// Appends JSON, or a part of it, with its separators escaped.
pub(crate) fn append(out: &mut Vec<u8>, json: &[u8]) {
    let mut pieces = pieces(json);
    for (plain, escape) in &mut pieces {
        out.extend_from_slice(plain);
        out.extend_from_slice(escape);
    }
    out.extend_from_slice(pieces.rest());
}

/// Splits a text at its separators: each piece comes with the escape of the separator behind it.
pub(crate) fn pieces(text: &[u8]) -> Pieces<'_> {
    // In UTF-8 all separators begin with one of two bytes, which hardly any text contains.
    Pieces { text, starts: memchr2_iter(0xC2, 0xE2, text), begin: 0 }
}

pub(crate) struct Pieces<'a> {
    text: &'a [u8],
    /// The places where a separator may begin.
    starts: memchr::Memchr2<'a>,
    /// The start of the next piece.
    begin: usize,
}

impl<'a> Pieces<'a> {
    /// Returns the bytes after the last separator.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.text[self.begin..]
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a [u8], &'static [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let at = self.starts.next()?;
            let (length, escape): (usize, &[u8]) = match &self.text[at..] {
                [0xC2, 0x85, ..] => (2, b"\\u0085"),
                [0xE2, 0x80, 0xA8, ..] => (3, b"\\u2028"),
                [0xE2, 0x80, 0xA9, ..] => (3, b"\\u2029"),
                _ => continue,
            };
            let piece = &self.text[self.begin..at];
            self.begin = at + length;
            return Some((piece, escape));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_escaped_and_other_characters_of_the_same_beginning_are_not() {
        let others = "\u{80}\u{84}\u{86}\u{A8}\u{2013}\u{2027}\u{202A}\u{2085}\u{2828}\u{E2}\u{C2}\u{1F600}";
        let json = format!("[\"{others}\u{2028}{others}\u{85}\u{2029}\u{2029}{others}\"]");
        let expected = format!("[\"{others}\\u2028{others}\\u0085\\u2029\\u2029{others}\"]");
        assert_eq!(escaped(&json), expected);
        let mut frames = [json.as_bytes(), json.as_bytes()].concat();
        escape(&mut frames, json.len());
        assert_eq!(String::from_utf8(frames).unwrap(), format!("{json}{expected}"));
        assert!(matches!(escaped(others), Cow::Borrowed(_)));
    }
}
