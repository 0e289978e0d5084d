//! Splits `key, key = value, ..` into entries.
//!
//! Values stay tokens until an option reads them. `syn`'s parsers would stop at the first bad value and hide the
//! mistakes after it.

use proc_macro2::{Delimiter, Group, Ident, Punct, TokenStream, TokenTree};
use quote::ToTokens;

use super::foreign::{annotations_message, find_elsewhere};
use super::tokens::split_at_commas;
use crate::errors::Errors;

/// An option as written: a key with an optional value.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    /// The tokens after `=`; none for a bare key.
    pub(crate) value: Option<TokenStream>,
}

impl Entry {
    pub(crate) fn name(&self) -> String {
        self.key.to_string()
    }

    /// Returns the tokens to underline if the value is wrong: the value, or the key if there is no value.
    pub(crate) fn error_tokens(&self) -> TokenStream {
        match &self.value {
            Some(value) => value.clone(),
            None => self.key.to_token_stream(),
        }
    }

    /// Joins a value that was parsed from this entry with the entry's tokens.
    pub(super) fn attach<T>(&self, value: Option<T>) -> Option<OptionValue<T>> {
        Some(OptionValue { value: value?, key: self.key.clone(), tokens: self.error_tokens() })
    }
}

/// The parsed value of an option, with the tokens that error messages underline.
pub(crate) struct OptionValue<T> {
    pub(crate) value: T,
    pub(crate) key: Ident,
    pub(crate) tokens: TokenStream,
}

/// Parses a comma-separated list of options. Reports and omits malformed ones.
pub(crate) fn parse_entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    parse_parts(split_at_commas(tokens), errors)
}

/// Parses a list of options that is already split at its commas, as [`parse_entries`] does.
pub(super) fn parse_parts(parts: Vec<Vec<TokenTree>>, errors: &mut Errors) -> Vec<Entry> {
    parts.into_iter().filter_map(|part| parse_entry(part, errors)).collect()
}

/// Parses a comma-separated list of options and passes each to `read`, except for repetitions, which are reported.
pub(super) fn read_options(tokens: TokenStream, errors: &mut Errors, read: impl FnMut(&Entry, &mut Errors)) {
    read_parts(split_at_commas(tokens), errors, read);
}

/// Reads a list of options that is already split at its commas, as [`read_options`] does.
pub(super) fn read_parts(parts: Vec<Vec<TokenTree>>, errors: &mut Errors, mut read: impl FnMut(&Entry, &mut Errors)) {
    let mut seen = Vec::new();
    for entry in parse_parts(parts, errors) {
        if !report_duplicate(&entry, &mut seen, errors) {
            read(&entry, errors);
        }
    }
}

/// Returns whether the option is a repetition, and reports it. The first occurrence counts.
pub(super) fn report_duplicate(entry: &Entry, seen: &mut Vec<String>, errors: &mut Errors) -> bool {
    let name = entry.name();
    if seen.contains(&name) {
        let fix = match name.as_str() {
            "middleware" => "write one list, as in `middleware = [a(), b()]`",
            _ => "remove one of the two",
        };
        errors.at(&entry.key, format!("`{name}` is given twice: {fix}"));
        return true;
    }
    seen.push(name);
    false
}

fn parse_entry(part: Vec<TokenTree>, errors: &mut Errors) -> Option<Entry> {
    let mut rest = part.into_iter();
    let key = match rest.next()? {
        TokenTree::Ident(key) => key,
        TokenTree::Literal(literal) => {
            errors.at(&literal, "an option is written `key = value`: write its name in front of the value");
            return None;
        }
        // A `macro_rules!` fragment arrives in an invisible group.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let tokens = group.stream().into_iter().chain(rest).collect();
            return parse_entry(tokens, errors);
        }
        other => {
            errors.at(other, "expected the name of an option, as in `name = \"..\"`");
            return None;
        }
    };
    match rest.next() {
        None => Some(Entry { key, value: None }),
        Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => parse_value(key, &equals, rest.collect(), errors),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            report_parentheses(&key, &group, errors);
            None
        }
        Some(other) => {
            errors.at(other, format!("expected `=` or `,` after `{key}`: options are written `key = value`"));
            None
        }
    }
}

fn parse_value(key: Ident, equals: &Punct, value: TokenStream, errors: &mut Errors) -> Option<Entry> {
    if value.is_empty() {
        errors.at(equals, format!("`{key} =` needs a value"));
        return None;
    }
    Some(Entry { key, value: Some(value) })
}

fn report_parentheses(key: &Ident, group: &Group, errors: &mut Errors) {
    let inner = group.stream();
    if key == "annotations" {
        errors.at(key, annotations_message(&inner));
        return;
    }
    if let Some(fix) = find_elsewhere(&key.to_string()) {
        errors.at(key, format!("there is no option `{key}`: {fix}"));
        return;
    }
    let is_list = key == "tags" || split_at_commas(inner.clone()).len() > 1;
    let fix = match (inner.is_empty(), is_list) {
        (true, _) => format!("write `{key}`"),
        (false, true) => format!("write `{key} = [{}]`", inner.to_string().replace(" ,", ",")),
        (false, false) => format!("write `{key} = {inner}`"),
    };
    errors.at(group, format!("`{key}` does not take parentheses: {fix}"));
}
