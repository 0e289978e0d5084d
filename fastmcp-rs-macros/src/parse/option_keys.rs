//! Names of the options of `#[mcp::tool]`, `#[mcp::resource]` and `#[mcp::prompt]`, and suggestions for wrong names.

use proc_macro2::Ident;

use super::foreign::{HINTS, find_elsewhere};
use crate::component::Component;
use crate::errors::did_you_mean;

const FIRST_KEYS: &[&str] = &["name", "title", "description"];
const TOOL_KEYS: &[&str] = &[
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "structured",
    "wrapped",
    "link_text",
    "result_content",
    "output_schema",
];
const LAST_KEYS: &[&str] =
    &["tags", "icons", "meta", "inline", "blocking", "timeout", "rename_all", "middleware", "handle", "crate"];
const RESOURCE_KEYS: &[&str] =
    &["mime_type", "size", "audience", "priority", "last_modified", "allow_traversal", "ttl", "scope"];

/// Returns the options that only this kind of component has.
fn specific_keys(component: Component) -> &'static [&'static str] {
    match component {
        Component::Tool => TOOL_KEYS,
        Component::Resource => RESOURCE_KEYS,
        Component::Prompt => &[],
    }
}

/// Returns all options of this kind of component.
pub(super) fn keys_of(component: Component) -> Vec<&'static str> {
    [FIRST_KEYS, specific_keys(component), LAST_KEYS].concat()
}

/// Returns whether the component has an option of this name.
pub(super) fn is_option_key(component: Component, name: &str) -> bool {
    [FIRST_KEYS, specific_keys(component), LAST_KEYS].iter().any(|keys| keys.contains(&name))
}

/// Explains that the component has no such option, with the nearest name or a list of all names.
pub(super) fn unknown_option_message(component: Component, name: &str) -> String {
    let keys = keys_of(component);
    // Names of these options in other frameworks and in the specification.
    let other = match name {
        "readonly" => Some("read_only"),
        "mime" | "mimeType" | "content_type" => Some("mime_type"),
        "modified" => Some("last_modified"),
        "structured_output" => Some("structured"),
        "ttlMs" | "ttl_ms" | "cache_ttl" => Some("ttl"),
        "cacheScope" | "cache_scope" => Some("scope"),
        "desc" | "about" | "doc" => Some("description"),
        "icon" => Some("icons"),
        "tag" => Some("tags"),
        "layer" | "layers" | "middlewares" => Some("middleware"),
        "_meta" => Some("meta"),
        "outputSchema" | "output" | "returns" => Some("output_schema"),
        "resultContent" | "content" => Some("result_content"),
        "rename" => Some("name"),
        "renameAll" | "rename_all_fields" | "rename_args" | "rename_arguments" => Some("rename_all"),
        _ => HINTS.iter().find(|(hint, _)| *hint == name).map(|(_, key)| *key),
    };
    if let Some(fix) = find_elsewhere(name) {
        return format!("`#[mcp::{component}]` has no option `{name}`: {fix}");
    }
    let suggestion = match other.filter(|key| keys.contains(key)) {
        Some(key) => format!(" (did you mean `{key}`?)"),
        None => did_you_mean(name, &keys),
    };
    if !suggestion.is_empty() {
        return format!("`#[mcp::{component}]` has no option `{name}`{suggestion}");
    }
    if let Some(owner) = Component::ALL.into_iter().find(|owner| specific_keys(*owner).contains(&other.unwrap_or(name)))
    {
        return format!("`#[mcp::{component}]` has no option `{name}`, which is an option of a {owner}: remove it");
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("`#[mcp::{component}]` has no option `{name}`: it takes {}", keys.join(", "))
}

/// Returns whether users of other frameworks would write the URI under this key.
pub(super) fn is_uri_key(key: &Ident) -> bool {
    ["uri", "url", "template", "uri_template", "uriTemplate"].iter().any(|name| key == name)
}
