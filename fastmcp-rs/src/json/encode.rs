//! Writes JSON directly into the output buffer.

use serde::Serialize;
use serde_json::Value;

use crate::json::reader::{plain, plain_ascii};
use crate::json::separators;

/// Appends `value` as JSON. Writing into memory does not fail, so an error comes from the value itself.
pub(crate) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> serde_json::Result<()> {
    let start = out.len();
    let written = serde_json::to_writer(&mut *out, value);
    separators::escape(out, start);
    written
}

/// Writes an object member by member, so that long members, such as a schema, are not copied into a tree first.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl ObjectWriter<'_> {
    /// Appends an object with the members that `add` writes.
    pub(crate) fn append(out: &mut Vec<u8>, add: impl FnOnce(&mut ObjectWriter<'_>)) {
        out.push(b'{');
        add(&mut ObjectWriter { out, is_empty: true });
        out.push(b'}');
    }

    /// Adds a member whose name needs no escapes.
    pub(crate) fn add_member(&mut self, name: &'static str, value: &Value) {
        self.name(name);
        // A `Value` always has a JSON form.
        let _ = write_json(self.out, value);
    }

    /// Adds a string member.
    pub(crate) fn add_text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        write_string(self.out, text);
    }

    fn name(&mut self, name: &'static str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Texts contain line ends, which are escaped. Growing the buffer while a long text is written would copy it.
    out.reserve(text.len() + text.len() / 16 + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (ascii, after) = rest.split_at(plain_ascii(rest));
        out.extend_from_slice(ascii);
        match after.split_first() {
            None => break,
            Some((0x80.., _)) => {
                let (wide, after) = after.split_at(plain(after));
                separators::append(out, wide);
                rest = after;
            }
            Some((&special, after)) => {
                write_escape(out, special);
                rest = after;
            }
        }
    }
    out.push(b'"');
}

/// Appends the escape of a byte that must not stand for itself in a JSON string.
pub(crate) fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0C => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([byte >> 4, byte & 15].map(|digit| HEXADECIMAL[usize::from(digit)]));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
