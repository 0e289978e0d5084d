//! Descriptions of the values that a schema allows, and of the values that were sent.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::schema::format;
use crate::util::count::counted;

/// The most characters of a value that are shown.
const MAX_SHOWN: usize = 80;

/// Returns the format of a text, published or not.
pub(super) fn find_format(keywords: &Map<String, Value>) -> Option<&str> {
    keywords.get(format::UNPUBLISHED).or_else(|| keywords.get("format")).and_then(Value::as_str)
}

/// Describes the values that a schema allows.
pub(crate) fn describe_expected(keywords: &Map<String, Value>) -> String {
    if let Some(Value::Array(allowed)) = keywords.get("enum") {
        return list_allowed(allowed);
    }
    if let Some(only) = keywords.get("const") {
        return only.to_string();
    }
    let article = |name: &str| match name {
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    let mut text = match keywords.get("type") {
        Some(Value::String(only)) => article(only).to_owned(),
        Some(Value::Array(names)) => {
            let others: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
            let nullable = others.len() < names.len() && !others.is_empty();
            if nullable {
                let mut inner = keywords.clone();
                inner.insert("type".into(), others.into());
                return format!("{}, or null", describe_expected(&inner));
            }
            names.iter().filter_map(Value::as_str).map(article).collect::<Vec<_>>().join(" or ")
        }
        _ => match keywords.get("anyOf").or_else(|| keywords.get("oneOf")) {
            Some(Value::Array(branches)) => list_forms(branches),
            _ => "a value".into(),
        },
    };
    text.push_str(&match (keywords.get("minimum"), keywords.get("maximum")) {
        (Some(low), Some(high)) => format!(" from {low} to {high}"),
        (Some(low), None) => format!(" of at least {low}"),
        (None, Some(high)) => format!(" of at most {high}"),
        (None, None) => String::new(),
    });
    let range = |low: &str, high: &str, noun: &str| match (keywords.get(low), keywords.get(high)) {
        (Some(low), Some(high)) if low == high => format!(" of {}", counted(low, noun)),
        (Some(low), Some(high)) => format!(" from {low} to {}", counted(high, noun)),
        (Some(low), None) => format!(" of at least {}", counted(low, noun)),
        (None, Some(high)) => format!(" of at most {}", counted(high, noun)),
        (None, None) => String::new(),
    };
    text.push_str(&range("minLength", "maxLength", "character"));
    text.push_str(&range("minItems", "maxItems", "item"));
    match find_format(keywords).map(|format| (format, format::describe_format(format))) {
        Some((_, Some(words))) => return words.to_owned(),
        Some((format, None)) => _ = write!(text, " in the format {format}"),
        None => {}
    }
    if let Some(Value::String(pattern)) = keywords.get("pattern") {
        let _ = write!(text, " that matches `{pattern}`");
    }
    text
}

/// Describes the values of one of several alternatives, an object by its required members.
fn form(keywords: &Map<String, Value>) -> String {
    let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
    match required.filter_map(Value::as_str).collect::<Vec<_>>().as_slice() {
        [] => describe_expected(keywords),
        required => format!("{} with {}", describe_expected(keywords), quoted(required)),
    }
}

/// Describes the values of alternatives.
pub(super) fn list_forms(branches: &[Value]) -> String {
    let forms = branches.iter().map(|branch| branch.as_object().map_or("anything".into(), form));
    forms.collect::<Vec<String>>().join(", or ")
}

pub(super) fn list_allowed(allowed: &[Value]) -> String {
    if let [only] = allowed {
        return only.to_string();
    }
    let values: Vec<String> = allowed.iter().take(30).map(Value::to_string).collect();
    let more = if allowed.len() > values.len() { ", …" } else { "" };
    format!("one of {}{more}", values.join(", "))
}

pub(super) fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().take(30).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Formats a value with its type, cut to a useful length.
pub(crate) fn excerpt(value: &Value) -> String {
    let (kind, text) = match value {
        Value::Null => return "null".into(),
        Value::Bool(_) => ("", value.to_string()),
        Value::Number(_) => ("", value.to_string()),
        Value::String(text) => {
            // The text is cut before it is escaped, so that no escape sequence is cut.
            let cut: String = text.chars().take(MAX_SHOWN).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            return format!("the string {}{more}", Value::String(cut));
        }
        Value::Array(_) => ("the list ", json_beginning(value)),
        Value::Object(_) => ("the object ", json_beginning(value)),
    };
    let cut: String = text.chars().take(MAX_SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{kind}{cut}{more}")
}

/// Returns the beginning of a value's JSON, which is longer than [`MAX_SHOWN`] characters if the whole JSON is. A value
/// may be large, and is described once for each alternative that it does not fit.
fn json_beginning(value: &Value) -> String {
    const LENGTH: usize = 4 * MAX_SHOWN + 4;
    let mut buffer = [0; LENGTH];
    let mut free = &mut buffer[..];
    // Fails where the buffer ends.
    let _ = serde_json::to_writer(&mut free, value);
    let length = LENGTH - free.len();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
