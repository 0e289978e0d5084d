//! The place within a value at which the writing of its JSON stopped.
//!
//! The serializer keeps no path, because it would have to do so for every value, even without an error. The JSON that
//! was written up to an error contains the same information.

use memchr::memchr2;

/// The maximum length of a displayed place in bytes, because names of members may be texts of users.
const MAX_SHOWN: usize = 200;

/// An array or an object that is still open.
enum OpenContainer<'a> {
    /// An object, with the name of the last member that was begun, in its JSON form, unless a name comes next.
    Object(Option<&'a [u8]>),
    /// An array, with the number of complete elements.
    Array(usize),
}

/// Describes the place at the end of `json`, which may end anywhere outside of a name: a path such as ``
/// `items[3].price` ``, or the statement that a key of an object was next. Returns `None` for the value as a whole.
pub(super) fn find_end_place(json: &[u8]) -> Option<String> {
    let mut open = Vec::new();
    let mut rest = json;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' => open.push(OpenContainer::Object(None)),
            b'[' => open.push(OpenContainer::Array(0)),
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(OpenContainer::Object(name)) => *name = None,
                Some(OpenContainer::Array(complete)) => *complete += 1,
                None => {}
            },
            b'"' => {
                let string = string(after);
                rest = after.get(string.len() + 1..).unwrap_or_default();
                if let Some(OpenContainer::Object(name @ None)) = open.last_mut() {
                    *name = Some(string);
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in &open {
        match step {
            OpenContainer::Array(complete) => path.push_str(&format!("[{complete}]")),
            OpenContainer::Object(Some(name)) if is_word(name) => {
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(&format!("{dot}{}", String::from_utf8_lossy(name)));
            }
            OpenContainer::Object(Some(name)) => path.push_str(&format!("[\"{}\"]", String::from_utf8_lossy(name))),
            OpenContainer::Object(None) => {}
        }
    }
    let path = shorten_path(&path);
    match (open.last(), path.is_empty()) {
        (None, _) => None,
        (Some(OpenContainer::Object(None)), true) => Some("a key".into()),
        (Some(OpenContainer::Object(None)), false) => Some(format!("a key of `{path}`")),
        (Some(_), _) => Some(format!("`{path}`")),
    }
}

/// Returns the bytes before the quote that ends a string, or all bytes if no quote ends it.
fn string(text: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', &text[at..]) {
        at += found;
        if text[at] == b'"' {
            return &text[..at];
        }
        at = (at + 2).min(text.len());
    }
    text
}

fn is_word(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Shortens a path at its beginning, because its end is more informative.
fn shorten_path(path: &str) -> String {
    if path.len() <= MAX_SHOWN {
        return path.to_owned();
    }
    let start = (path.len() - MAX_SHOWN..).find(|at| path.is_char_boundary(*at)).unwrap_or_default();
    format!("…{}", &path[start..])
}
