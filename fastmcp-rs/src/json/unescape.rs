//! Decodes the escapes of JSON strings.
//!
//! serde_json assembles a string with escapes piece by piece in a growing buffer, and copies it into the `String` of a
//! parameter. This decoder allocates once, because the decoded text is never longer than its source.

/// Decodes a well-formed JSON string, given without its quotes. Returns `None` if an escape is an unpaired surrogate.
pub(crate) fn unescape(string: &str) -> Option<String> {
    let mut text = String::with_capacity(string.len());
    let mut rest = string;
    loop {
        let Some(end) = memchr::memchr(b'\\', rest.as_bytes()) else {
            text.push_str(rest);
            if text.len() < text.capacity() / 2 {
                // A handler may keep the text, and the client controls the share of escapes, so unused capacity is
                // released.
                text.shrink_to_fit();
            }
            return Some(text);
        };
        let (plain, escaped) = rest.split_at_checked(end)?;
        text.push_str(plain);
        let kind = escaped.as_bytes().get(1)?;
        let (character, length) = match kind {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{C}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => parse_unicode_escape(escaped)?,
            // Quotes, slashes and backslashes.
            other => (char::from(*other), 2),
        };
        text.push(character);
        rest = escaped.get(length..)?;
    }
}

/// Returns the character of the numeric escape at the start of the text, which may be a surrogate pair, and its length.
#[cold]
fn parse_unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let first = unit(2)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 6));
    }
    let second = unit(8).filter(|_| text[6..].starts_with("\\u"))?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaped_strings_match_serde_json() {
        let escapes = [
            r#"\""#,
            r"\\",
            r"\/",
            r"\b",
            r"\f",
            r"\n",
            r"\r",
            r"\t",
            r"\u0000",
            r"\u00e9",
            r"\u2603",
            r"\uD83D\uDE00",
            r"\ud83d",
            r"\ude00",
            r"\ud83d\ud83d",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ud83d\u0041",
            r"\ud83dxxxxxx",
            "é",
            "😀",
        ];
        let mut strings = vec![String::new(), "plain".into(), "x".repeat(300)];
        for escape in escapes {
            for around in
                ["", "x", "é", "seven b", "0123456789012345678901234567890123456789012345678901234567890123456789"]
            {
                strings.push(format!("{around}{escape}{around}"));
                strings.extend(escapes.map(|second| format!("{escape}{around}{second}")));
            }
        }
        assert!(unescape(&r"\u0041".repeat(1000)).is_some_and(|text| text.capacity() <= 2 * text.len()));
        for string in strings {
            let expected = serde_json::from_str::<String>(&format!("\"{string}\"")).ok();
            assert_eq!(unescape(&string), expected, "{string}");
        }
    }
}
