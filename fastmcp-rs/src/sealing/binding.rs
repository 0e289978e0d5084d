//! The associated data of sealed texts, and digests.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};
use serde_json::value::RawValue;

use crate::json::object::{self, MemberMap};

/// The number of bytes of SHA-256 that distinguish client requests.
const DIGEST_LENGTH: usize = 16;
/// The depth beyond which values are digested as they are written. No frame is that deep.
const MAX_DEPTH: usize = 64;
/// The maximum length of a text whose members are sorted, in bytes.
const MAX_READ: usize = 1024 * 1024;

/// The associated data of a sealed text: the text opens only with the same data.
pub(crate) trait AssociatedData {
    /// Appends all parts. Two different bindings never have the same form.
    fn write(&self, out: &mut Vec<u8>);
}

/// Appends parts, each with its length, and a flag for the principal.
pub(super) fn write_parts(out: &mut Vec<u8>, principal: Option<&str>, parts: &[&[u8]]) {
    out.push(u8::from(principal.is_some()));
    for part in std::iter::once(principal.unwrap_or_default().as_bytes()).chain(parts.iter().copied()) {
        out.extend_from_slice(&(part.len() as u64).to_le_bytes());
        out.extend_from_slice(part);
    }
}

/// The binding of a sealed text: the text opens only with an equal binding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'a> {
    /// The name of the server: another server with the same key cannot open the text.
    pub(crate) server: &'a str,
    /// The caller, if it is authenticated.
    pub(crate) principal: Option<&'a str>,
    /// The method of the request, such as `tools/call`.
    pub(crate) method: &'a str,
    /// The called component: the name of a tool or a prompt, or the URI of a resource.
    pub(crate) component: &'a str,
    /// The result of [`digest_of_json`] for the arguments; a request without arguments has `{}`.
    pub(crate) arguments: [u8; 32],
}

impl AssociatedData for Binding<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let parts = [self.server.as_bytes(), self.method.as_bytes(), self.component.as_bytes(), &self.arguments];
        write_parts(out, self.principal, &parts);
    }
}

/// Returns a short digest, which is equal for equal parts and different for others.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..DIGEST_LENGTH])
}

/// Returns the SHA-256 of a JSON text in a canonical form, which does not depend on white space, the order of members
/// and the escapes of strings, because a client need not write a request in the same way again. A text above 1 MiB is
/// hashed as it is written.
pub(crate) fn digest_of_json(json: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    hash_value(&mut context, json, if json.len() > MAX_READ { MAX_DEPTH } else { 0 });
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Numbers are hashed as they are written, because some fit no type. Each level is read again for the levels within it,
/// hence the limits.
fn hash_value(context: &mut Context, json: &str, depth: usize) {
    let json = json.trim_matches([' ', '\t', '\r', '\n']);
    let first = json.bytes().next().filter(|_| depth < MAX_DEPTH);
    match first {
        Some(b'{') => {
            if let Ok(MemberMap(members)) = object::read_members(json) {
                hash_part(context, b'{', &(members.len() as u64).to_le_bytes());
                for (name, value) in &members {
                    hash_part(context, b'k', name.as_bytes());
                    hash_value(context, value, depth + 1);
                }
                return;
            }
        }
        Some(b'[') => {
            if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) {
                hash_part(context, b'[', &(items.len() as u64).to_le_bytes());
                for item in items {
                    hash_value(context, item.get(), depth + 1);
                }
                return;
            }
        }
        Some(b'"') => {
            if let Ok(text) = serde_json::from_str::<String>(json) {
                return hash_part(context, b's', text.as_bytes());
            }
        }
        _ => {}
    }
    hash_part(context, b'v', json.as_bytes());
}

/// A part begins with a letter for its kind and with its length, so that no two values have the same form.
fn hash_part(context: &mut Context, kind: u8, bytes: &[u8]) {
    context.update(&[kind]);
    context.update(&(bytes.len() as u64).to_le_bytes());
    context.update(bytes);
}

/// Checks that a JSON text has the same digest in another spelling: with other white space, all characters escaped, and
/// members in reverse order. For the tests and for the fuzz targets.
#[cfg(any(test, fuzzing))]
pub(crate) fn check_digest(text: &str) {
    use crate::json::oracles::members_by_serde_json;

    fn escape(text: &str) -> String {
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{units}\"")
    }

    fn respell(text: &str) -> String {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
            let items: Vec<String> = items.iter().map(|item| respell(item.get())).collect();
            return format!(" [ {} ]\n", items.join("\t, "));
        }
        if let Some(mut members) = members_by_serde_json(text) {
            members.sort_by(|one, other| other.0.cmp(&one.0));
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{} : {}", escape(name), respell(value.get()))).collect();
            return format!("{{ {}\r}}", members.join(" ,"));
        }
        serde_json::from_str::<String>(text).map_or_else(|_| text.to_owned(), |string| escape(&string))
    }

    // A longer text, which is hashed as it is written, has another digest in another spelling.
    if text.len() <= MAX_READ / 16 {
        assert_eq!(digest_of_json(text), digest_of_json(&respell(text)), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::oracles::{depth, vary};

    #[test]
    fn a_digest_depends_on_no_spelling() {
        let texts =
            [r#"{"b":[1,2.50,{"x":"naïve \ud83d\ude00"},[]],"a":null,"\u0061":true}"#, r#"["",{"":{"\ud800":1 }}]"#];
        vary(&texts, 5_000, |text| {
            if serde_json::from_str::<&RawValue>(text).is_ok() && (depth(text) as usize) < MAX_DEPTH {
                check_digest(text);
            }
        });
    }

    #[test]
    fn the_same_arguments_have_the_same_digest() {
        let written = digest_of_json(r#"{"a":[1,{"x":"é"},[]],"b":null}"#);
        let again = digest_of_json("\n{ \"b\" : null, \"\\u0061\" : [ 1 , {\"x\":\"\\u00e9\"}, [ ] ] } ");
        assert_eq!(written, again);
    }

    #[test]
    fn different_arguments_have_different_digests() {
        let texts = [
            "",
            "{}",
            "[]",
            "null",
            "0",
            "1",
            "1.0",
            "\"1\"",
            "\"\"",
            "true",
            "[1]",
            "[[1]]",
            "[1,1]",
            "[11]",
            "[\"1\"]",
            "{\"a\":1}",
            "{\"a\":2}",
            "{\"b\":1}",
            "{\"a\":1,\"b\":1}",
            "{\"a\":[1]}",
            "[\"a\",1]",
            "{\"a\":{\"b\":1}}",
            "1180591620717411303424",
            "1180591620717411303425",
            "[{}]",
            "[{},{}]",
            "{\"a\":{}}",
            "{\"a",
            "{\"a\"",
        ];
        let digests: std::collections::BTreeSet<[u8; 32]> = texts.iter().map(|text| digest_of_json(text)).collect();
        assert_eq!(digests.len(), texts.len());
        let deep = |depth: usize| digest_of_json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert_ne!(deep(10_000), deep(10_001));
        let long = |space: &str| digest_of_json(&format!("[{space}\"{}\"]", "x".repeat(MAX_READ)));
        assert_eq!(long(""), long(""));
        assert_ne!(long(""), long(" "));
    }

    #[test]
    fn a_digest_depends_on_the_boundaries_of_its_parts() {
        assert_eq!(digest(&[b"a", b"b"]), digest(&[b"a", b"b"]));
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"ab", b""]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
        assert_eq!(digest(&[]).len(), 22);
    }
}
