//! Reads the options in the `#[arg(..)]` attributes of a parameter or field.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, ExprPath, LitStr, Meta};

use super::entry::{Entry, OptionValue, parse_parts, report_duplicate};
use super::literal::{JsonLiteral, Number};
use super::tokens::{leading_names, split_at_commas};
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
    "flatten",
];

/// Options of `#[arg(..)]`.
#[derive(Default)]
pub(crate) struct ArgOptions {
    /// The names of all options as written, for editors.
    pub(crate) keys: Vec<Ident>,
    /// The first option as written, for the error that an injected parameter takes none.
    pub(crate) first: Option<Ident>,
    /// A default that is known from its source.
    pub(crate) default: Option<JsonLiteral>,
    /// A default that the program computes; none if `default` is a literal.
    pub(crate) computed_default: Option<ComputedDefault>,
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
    /// The option `flatten`, if it is on: the members of the struct are arguments of their own.
    pub(crate) flatten: Option<Ident>,
    /// The options beside `flatten`, which it excludes.
    pub(crate) others_than_flatten: Vec<Ident>,
}

/// A default that only the program can compute.
pub(crate) enum ComputedDefault {
    /// The bare option, which stands for `Default::default()`.
    OfType(Ident),
    Expression(TokenStream),
}

impl ComputedDefault {
    /// Returns the tokens to underline if the default does not fit.
    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            ComputedDefault::OfType(key) => key.to_token_stream(),
            ComputedDefault::Expression(expression) => expression.clone(),
        }
    }
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
            let mut parts = split_at_commas(list);
            parts.retain(|part| !report_literal(part, errors));
            options.keys.extend(leading_names(&parts));
            for entry in parse_parts(parts, errors) {
                options.first.get_or_insert_with(|| entry.key.clone());
                if entry.key != "flatten" {
                    options.others_than_flatten.push(entry.key.clone());
                }
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

    /// Returns whether an absent value has a default.
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some() || self.computed_default.is_some()
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        match entry.name().as_str() {
            "default" => self.read_default(entry, errors),
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
            "flatten" => {
                let is_on = value::parse_flag(entry, errors).unwrap_or_default();
                self.flatten = is_on.then(|| entry.key.clone());
            }
            name => errors.at(&entry.key, unknown_option_message(name)),
        }
    }
}

impl ArgOptions {
    /// Reads `default`, `default = literal` or `default = expression`.
    fn read_default(&mut self, entry: &Entry, errors: &mut Errors) {
        let Some(tokens) = &entry.value else {
            self.computed_default = Some(ComputedDefault::OfType(entry.key.clone()));
            return;
        };
        self.default = JsonLiteral::from_tokens(tokens).or_else(|| JsonLiteral::from_list(tokens));
        if self.default.is_some() {
            return;
        }
        match syn::parse2::<Expr>(tokens.clone()) {
            // Its type is that of the argument, which no conversion could tell.
            Ok(expression) if is_default_call(&expression) => {
                self.computed_default = Some(ComputedDefault::OfType(entry.key.clone()));
            }
            // The parentheses around an expression with commas would be a warning in the user's code.
            Ok(Expr::Paren(parenthesised)) if parenthesised.attrs.is_empty() => {
                let inner = parenthesised.expr.into_token_stream();
                self.computed_default = Some(ComputedDefault::Expression(inner));
            }
            Ok(_) => self.computed_default = Some(ComputedDefault::Expression(tokens.clone())),
            Err(_) => errors.at(
                tokens,
                "`default` takes a value, as in `default = 10` or `default = LIMIT`: put an expression with commas in \
                 parentheses",
            ),
        }
    }
}

/// Reports an option that is only a literal, which is a description, and returns whether it is one.
fn report_literal(part: &[TokenTree], errors: &mut Errors) -> bool {
    let [TokenTree::Literal(literal)] = part else { return false };
    errors.at(
        literal,
        "an option is written `key = value`, as in `default = 10`: write a description as a `///` comment",
    );
    true
}

/// Returns whether an expression is `Default::default()`.
fn is_default_call(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else { return false };
    let Expr::Path(function) = &*call.func else { return false };
    let names: Vec<String> = function.path.segments.iter().rev().map(|segment| segment.ident.to_string()).collect();
    function.qself.is_none()
        && call.args.is_empty()
        && matches!(&names[..], [last, owner, ..] if last == "default" && owner == "Default")
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
