//! Request ids and progress tokens: strings or integers, returned to the peer byte for byte.
//!
//! An id that neither a float nor a 64-bit integer can represent must be returned unchanged, so the text is kept; a
//! [`IdKey`] is created only where two ids are compared.

use crate::json::object::Raw;
use crate::json::unescape::unescape;

/// The maximum length of an id in bytes: of a string without quotes and escapes, of a number as it is written.
const MAX_LENGTH: usize = 256;
/// The length of the longest escape of one byte: `\u0000`.
const ESCAPED_BYTE: usize = 6;

/// The JSON text of a valid id or progress token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// Parses an id. Returns `None` if the value cannot be an id: `null`, a fraction, an integer beyond 64 bits, a
    /// container, or a string of more than 256 bytes.
    pub(crate) fn parse(raw: Raw<'a>) -> Option<Id<'a>> {
        let text = raw.get();
        let valid = if let Some(string) = text.strip_prefix('"') {
            is_short(string.strip_suffix('"')?)
        } else {
            // Up to 18 digits always fit into 64 bits.
            let is_small = text.len() <= 18 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_small || text.len() <= MAX_LENGTH && parse_integer(text).is_some()
        };
        valid.then_some(Id(text))
    }

    /// Returns the JSON text.
    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }

    /// Returns the key of the id, which is the same for all spellings of an id.
    pub(crate) fn key(self) -> IdKey {
        match parse_integer(self.0) {
            Some(number) => IdKey::Integer(number),
            None => IdKey::Text(serde_json::from_str(self.0).unwrap_or_else(|_| self.0.into())),
        }
    }
}

/// An id in comparable form. The number 1 and the string "1" are different ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum IdKey {
    Integer(i64),
    Text(Box<str>),
}

/// Returns true if a JSON string, given without its quotes, is short enough for an id.
fn is_short(string: &str) -> bool {
    let length = string.len();
    length <= MAX_LENGTH
        || length <= MAX_LENGTH * ESCAPED_BYTE && unescape(string).is_some_and(|text| text.len() <= MAX_LENGTH)
}

/// Parses a JSON number as an integer; some peers print whole numbers as `1.0`.
fn parse_integer(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0') => {
            whole.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<IdKey> {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
        Id::parse(Raw::from(&*raw)).map(Id::key)
    }

    #[test]
    fn strings_and_integers_are_ids() {
        assert_eq!(parse("9007199254740993"), Some(IdKey::Integer(9_007_199_254_740_993)));
        assert_eq!(parse("-1"), Some(IdKey::Integer(-1)));
        assert_eq!(parse("1.0"), parse("1"));
        assert_eq!(parse(r#""\u0061""#), parse(r#""a""#));
        assert_ne!(parse(r#""1""#), parse("1"));
        assert_eq!(parse(r#""""#), Some(IdKey::Text("".into())));
    }

    #[test]
    fn a_string_of_256_bytes_is_an_id_in_every_spelling() {
        for (unit, bytes) in [("x", 1), ("\\u0078", 1), ("\\n", 1), ("\u{e9}", 2), ("\\ud83d\\ude00", 4)] {
            for (length, is_id) in [(252, true), (256, true), (260, false)] {
                let text = format!("\"{}\"", unit.repeat(length / bytes));
                assert_eq!(parse(&text).is_some(), is_id, "{length} bytes: {text}");
            }
        }
        for (length, is_id) in [(255, true), (256, true), (257, false)] {
            assert_eq!(parse(&format!("\"{}\"", "x".repeat(length))).is_some(), is_id, "{length} bytes");
            assert_eq!(parse(&format!("1.{}", "0".repeat(length - 2))).is_some(), is_id, "{length} digits");
        }
    }

    #[test]
    fn other_values_are_not_ids() {
        let long = format!("\"{}\"", "x".repeat(300));
        for text in
            ["null", "1.5", "true", "[1]", "{}", "1e3", "9999999999999999999", "18446744073709551616", long.as_str()]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
