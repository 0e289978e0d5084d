//! Reads the value of one option. Reports values of another kind, with an example of the expected kind.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::entry::Entry;
use super::literal::{JsonLiteral, Number};
use super::tokens::{is_punct, split_at_commas};
use crate::errors::Errors;

/// Reads `key = "text"`.
pub(super) fn parse_string(entry: &Entry, example: &str, errors: &mut Errors) -> Option<LitStr> {
    let value = entry.value.clone().unwrap_or_default();
    match syn::parse2::<LitStr>(value) {
        Ok(literal) if literal.suffix().is_empty() => Some(literal),
        _ => {
            let key = &entry.key;
            errors.at(entry.error_tokens(), format!("`{key}` takes a string literal, as in `{key} = {example}`"));
            None
        }
    }
}

/// Reads a list of string literals: `key = ["a", "b"]`.
pub(super) fn parse_strings(entry: &Entry, example: &str, errors: &mut Errors) -> Vec<LitStr> {
    let Some(elements) = parse_list(entry, example, errors) else {
        return Vec::new();
    };
    let key = &entry.key;
    let mut strings = Vec::new();
    for element in elements {
        match syn::parse2::<LitStr>(element.clone()) {
            Ok(literal) => strings.push(literal),
            Err(_) => errors.at(element, format!("`{key}` takes only string literals, as in `{key} = {example}`")),
        }
    }
    strings
}

/// Reads the elements of a list in brackets.
pub(super) fn parse_list(entry: &Entry, example: &str, errors: &mut Errors) -> Option<Vec<TokenStream>> {
    let mut trees = entry.value.clone().unwrap_or_default().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Bracket => {
            let parts = split_at_commas(group.stream()).into_iter();
            Some(parts.map(|part| part.into_iter().collect()).collect())
        }
        // Python writes sets in braces, and tuples in parentheses.
        (Some(TokenTree::Group(group)), None) if !group.stream().is_empty() => {
            // A single object in braces is an element.
            let is_element = group.stream().into_iter().any(|token| is_punct(&token, '='));
            let elements = if is_element { group.to_string() } else { group.stream().to_string() };
            let (key, elements) = (&entry.key, elements.replace(" ,", ","));
            errors.at(group, format!("`{key}` takes a list in brackets: write `{key} = [{elements}]`"));
            None
        }
        _ => {
            let key = &entry.key;
            errors.at(entry.error_tokens(), format!("`{key}` takes a list, as in `{key} = {example}`"));
            None
        }
    }
}

/// Reads a bare key, `key = true` or `key = false`.
pub(super) fn parse_flag(entry: &Entry, errors: &mut Errors) -> Option<bool> {
    let Some(value) = &entry.value else {
        return Some(true);
    };
    match syn::parse2::<syn::LitBool>(value.clone()) {
        Ok(literal) => Some(literal.value),
        Err(_) => {
            let key = &entry.key;
            errors.at(value, format!("`{key}` is on or off: write `{key}` or `{key} = false`"));
            None
        }
    }
}

/// Reads `crate = path`.
pub(super) fn parse_path(entry: &Entry, errors: &mut Errors) -> Option<Path> {
    let value = entry.value.clone().unwrap_or_default();
    let parsed = syn::parse::Parser::parse2(Path::parse_mod_style, value);
    if parsed.is_err() {
        errors.at(
            entry.error_tokens(),
            "`crate` takes the path of fastmcp-rs in this crate, as in `crate = ::fastmcp_rs`",
        );
    }
    parsed.ok()
}

/// Reads a number with an optional sign.
pub(super) fn parse_number(entry: &Entry, errors: &mut Errors) -> Option<Number> {
    let literal = entry.value.as_ref().and_then(JsonLiteral::from_tokens);
    match literal.as_ref().and_then(|literal| literal.number) {
        Some(number) => Some(number),
        None => {
            let key = &entry.key;
            errors.at(entry.error_tokens(), format!("`{key}` takes a number, as in `{key} = 1`"));
            None
        }
    }
}

/// Reads a whole number of at least 0.
pub(super) fn parse_count(entry: &Entry, errors: &mut Errors) -> Option<u64> {
    let key = &entry.key;
    let literal = entry.value.as_ref().and_then(JsonLiteral::from_tokens);
    let problem = match literal.and_then(|literal| literal.number) {
        Some(Number::Integer(value)) => match u64::try_from(value) {
            Ok(value) => return Some(value),
            Err(_) if value < 0 => format!("`{key}` cannot be negative: write 0 or more"),
            Err(_) => format!("`{key}` is too large for 64 bits"),
        },
        _ => format!("`{key}` takes a whole number, as in `{key} = 20`"),
    };
    errors.at(entry.error_tokens(), problem);
    None
}
