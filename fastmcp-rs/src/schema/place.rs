//! Finds the JSON value at which a reader stopped.

/// A value inside of another one.
pub(crate) struct JsonPlace<'a> {
    /// A JSON pointer.
    pub(crate) path: String,
    pub(crate) text: &'a str,
}

/// Returns the offset of a position reported by serde_json: a line, counted from 1, and the number of bytes read in it.
pub(crate) fn text_offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column).min(text.len())
}

/// Returns the innermost value that was being read, or had just been read, at an offset. `text` must begin with a
/// well-formed value.
pub(crate) fn find_innermost(text: &str, offset: usize) -> Option<JsonPlace<'_>> {
    let mut finder = PlaceFinder { bytes: text.as_bytes(), at: 0, offset, path: Vec::new() };
    let (start, end) = finder.value()?;
    let path = finder.path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
    Some(JsonPlace { path, text: text.get(start..end)? })
}

struct PlaceFinder<'a> {
    bytes: &'a [u8],
    at: usize,
    offset: usize,
    path: Vec<String>,
}

impl PlaceFinder<'_> {
    /// Skips a value; returns its bounds if the value, or one inside of it, is at the offset. The recursion is bounded
    /// by the nesting that the reader of frames allows.
    fn value(&mut self) -> Option<(usize, usize)> {
        self.skip(|byte| byte.is_ascii_whitespace());
        let start = self.at;
        match *self.bytes.get(self.at)? {
            b'"' => self.string(),
            open @ (b'{' | b'[') => {
                self.at += 1;
                for index in 0_usize.. {
                    self.skip(|byte| byte.is_ascii_whitespace() || byte == b',' || byte == b':');
                    if matches!(self.bytes.get(self.at)?, b'}' | b']') {
                        break;
                    }
                    let mut step = index.to_string();
                    if open == b'{' {
                        let key = self.at;
                        self.string();
                        step = serde_json::from_slice(self.bytes.get(key..self.at)?).ok()?;
                        self.skip(|byte| byte.is_ascii_whitespace() || byte == b':');
                    }
                    self.path.push(step);
                    if let Some(found) = self.value() {
                        return Some(found);
                    }
                    self.path.pop();
                }
                self.at += 1;
            }
            _ => self.skip(|byte| !b",]} \t\r\n".contains(&byte)),
        }
        (start < self.offset && self.offset <= self.at).then_some((start, self.at))
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| is_skipped(*byte)) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, offset: usize) -> String {
        find_innermost(text, offset).map_or_else(String::new, |place| format!("{} {}", place.path, place.text))
    }

    #[test]
    fn the_innermost_value_before_an_offset_is_found() {
        let text = r#"{"a": [1, "x\"y"], "b/c": {"d": true}} , 5"#;
        assert_eq!(found(text, text.find(", \"b").unwrap() - 1), r#"/a/1 "x\"y""#);
        assert_eq!(found(text, text.find("true").unwrap() + 4), "/b~1c/d true");
        assert_eq!(found(text, text.find(" ,").unwrap()), format!(" {}", &text[..text.len() - 4]));
        assert_eq!(found("17", 2), " 17");
        assert_eq!(found("", 0), "");
    }
}
