//! Reads the options in the `#[arg(..)]` attributes of a parameter or field.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, ExprPath, LitStr, Meta};

use super::entry::{Entry, OptionValue, parse_entries, report_duplicate};
use super::literal::{JsonLiteral, Number};
use super::{json, value};
use crate::errors::{Errors, did_you_mean};

pub(crate) const ARG_KEYS: &[&str] = &[
    "default",
    "min",
    "max",
    "min_length",
    "max_length",
    "pattern",
    "rename",
    "title",
    "example",
    "header",
    "complete",
];

/// Options of `#[arg(..)]`.
#[derive(Default)]
pub(crate) struct ArgOptions {
    /// The first option as written, for the error that an injected parameter takes none.
    pub(crate) first: Option<Ident>,
    pub(crate) default: Option<JsonLiteral>,
    pub(crate) min: Option<OptionValue<Number>>,
    pub(crate) max: Option<OptionValue<Number>>,
    pub(crate) min_length: Option<OptionValue<u64>>,
    pub(crate) max_length: Option<OptionValue<u64>>,
    pub(crate) pattern: Option<OptionValue<LitStr>>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) title: Option<OptionValue<LitStr>>,
    /// JSON texts and the tokens from which they were read.
    pub(crate) examples: Vec<(String, TokenStream)>,
    pub(crate) header: Option<OptionValue<LitStr>>,
    /// The path of the function that completes the argument.
    pub(crate) complete: Option<OptionValue<ExprPath>>,
}

impl ArgOptions {
    /// Merges the options of all `#[arg(..)]` attributes.
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for attribute in attributes {
            if !attribute.path().is_ident("arg") {
                continue;
            }
            let list = match &attribute.meta {
                Meta::List(list) => list.tokens.clone(),
                Meta::Path(_) => TokenStream::new(),
                Meta::NameValue(pair) => {
                    errors.at(pair, "options go in parentheses, as in `#[arg(default = 10)]`");
                    continue;
                }
            };
            for entry in parse_entries(list, errors) {
                options.first.get_or_insert_with(|| entry.key.clone());
                // `example` is the only option that may be repeated.
                if entry.name() == "example" || !report_duplicate(&entry, &mut seen, errors) {
                    options.read(&entry, errors);
                }
            }
        }
        options
    }

    /// Returns whether values are limited beyond their type.
    pub(crate) fn is_constrained(&self) -> bool {
        self.min.is_some()
            || self.max.is_some()
            || self.min_length.is_some()
            || self.max_length.is_some()
            || self.pattern.is_some()
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        match entry.name().as_str() {
            "default" => self.default = value::parse_literal(entry, "10", errors),
            "min" => self.min = entry.attach(value::parse_number(entry, errors)),
            "max" => self.max = entry.attach(value::parse_number(entry, errors)),
            "min_length" => self.min_length = entry.attach(value::parse_count(entry, errors)),
            "max_length" => self.max_length = entry.attach(value::parse_count(entry, errors)),
            "pattern" => {
                let pattern = value::parse_string(entry, "\"^ORD-[0-9]+$\"", errors);
                self.pattern = entry.attach(pattern);
            }
            "rename" => self.rename = value::parse_string(entry, "\"orderId\"", errors),
            "title" => {
                let title = value::parse_string(entry, "\"Order number\"", errors);
                self.title = entry.attach(title);
            }
            "example" => self.examples.extend(parse_example(entry, errors)),
            "header" => {
                self.header = entry.attach(value::parse_string(entry, "\"Region\"", errors));
            }
            "complete" => self.complete = entry.attach(parse_completion(entry, errors)),
            name => errors.at(&entry.key, unknown_option_message(name)),
        }
    }
}

fn unknown_option_message(name: &str) -> String {
    // Names of these options in schemars, validator, clap and pydantic.
    let other = match name {
        "ge" | "minimum" => Some("min"),
        "le" | "maximum" => Some("max"),
        "minLength" | "min_items" => Some("min_length"),
        "maxLength" | "max_items" | "length" | "len" => Some("max_length"),
        "regex" => Some("pattern"),
        "alias" | "name" => Some("rename"),
        "default_value" => Some("default"),
        "label" => Some("title"),
        "completion" | "completer" | "complete_with" | "suggest" => Some("complete"),
        _ => None,
    };
    if matches!(name, "description" | "desc" | "doc" | "help") {
        return format!("`#[arg]` has no option `{name}`: write it as a `///` comment");
    }
    let suggestion = match other {
        Some(key) => format!(" (did you mean `{key}`?)"),
        None => did_you_mean(name, ARG_KEYS),
    };
    if !suggestion.is_empty() {
        return format!("`#[arg]` has no option `{name}`{suggestion}");
    }
    let keys: Vec<String> = ARG_KEYS.iter().map(|key| format!("`{key}`")).collect();
    format!("`#[arg]` has no option `{name}`: it takes {}", keys.join(", "))
}

fn parse_example(entry: &Entry, errors: &mut Errors) -> Option<(String, TokenStream)> {
    let Some(tokens) = &entry.value else {
        errors.at(&entry.key, "`example` takes a value, as in `example = \"ORD-101\"`");
        return None;
    };
    let json = match JsonLiteral::from_tokens(tokens) {
        Some(literal) => literal.json,
        None => json::parse_json(tokens.clone(), errors)?,
    };
    Some((json, tokens.clone()))
}

fn parse_completion(entry: &Entry, errors: &mut Errors) -> Option<ExprPath> {
    let path = syn::parse2::<ExprPath>(entry.value.clone().unwrap_or_default());
    if path.is_err() {
        errors.at(entry.error_tokens(), "`complete` takes the path of a function, as in `complete = order_ids`");
    }
    path.ok()
}
