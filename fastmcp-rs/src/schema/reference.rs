//! Local references in a schema: `$ref`.

use std::borrow::Cow;

use serde_json::Value;

/// Resolves a local reference: a JSON pointer in its URI form, or the `$anchor` of a definition.
pub(crate) fn resolve_reference<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let fragment = reference.strip_prefix('#')?;
    if fragment.is_empty() {
        return Some(root);
    }
    if fragment.starts_with('/') {
        return root.pointer(fragment).or_else(|| root.pointer(&decode_percent(fragment)?));
    }
    let definitions = ["$defs", "definitions"].iter().filter_map(|name| root.get(name)?.as_object());
    let mut all = std::iter::once(root).chain(definitions.flat_map(|definitions| definitions.values()));
    all.find(|schema| schema.get("$anchor").and_then(Value::as_str) == Some(fragment))
}

/// Decodes percent-encoding, if there is any.
fn decode_percent(text: &str) -> Option<Cow<'_, str>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let code = part.get(..2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
