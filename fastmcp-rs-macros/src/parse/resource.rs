//! Reads the URI of a resource and the options that only resources have.

use std::time::Duration;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ExprPath, LitStr};

use super::entry::{Entry, OptionValue};
use super::literal::Number;
use super::option_keys::{is_option_key, is_uri_key};
use super::template::Template;
use super::tokens::is_punct;
use super::{duration, value};
use crate::component::Component;
use crate::errors::Errors;

const FORM: &str =
    "as in `#[mcp::resource(\"config://app\")]`, or a template, as in `#[mcp::resource(\"orders://{order_id}\")]`";

/// Options that only resources have.
pub(crate) struct ResourceOptions {
    /// The URI; none if it is a constant, or missing, which is reported already.
    pub(crate) uri: Option<Template>,
    /// The path of the constant that holds the URI.
    pub(crate) uri_constant: Option<ExprPath>,
    pub(crate) mime_type: Option<LitStr>,
    pub(crate) size: Option<OptionValue<u64>>,
    pub(crate) audience: Vec<LitStr>,
    pub(crate) priority: Option<OptionValue<Number>>,
    pub(crate) last_modified: Option<LitStr>,
    pub(crate) allow_traversal: Vec<LitStr>,
    /// The time for which clients may cache the contents.
    pub(crate) ttl: Option<Duration>,
    /// The sharing of cached contents: `private` or `public`.
    pub(crate) scope: Option<LitStr>,
}

impl ResourceOptions {
    /// Takes the URI out of the parts of the attribute, and leaves the options.
    pub(super) fn new(parts: &mut Vec<Vec<TokenTree>>, errors: &mut Errors) -> Self {
        let (uri, uri_constant) = match take_uri(parts, errors) {
            Some(Uri::Literal(literal)) => (Some(Template::parse(literal)), None),
            Some(Uri::Constant(path)) => (None, Some(path)),
            None => (None, None),
        };
        Self {
            uri,
            uri_constant,
            mime_type: None,
            size: None,
            audience: Vec::new(),
            priority: None,
            last_modified: None,
            allow_traversal: Vec::new(),
            ttl: None,
            scope: None,
        }
    }

    /// Reads the entry and returns true, if it is an option of resources.
    pub(super) fn read(&mut self, entry: &Entry, errors: &mut Errors) -> bool {
        match entry.name().as_str() {
            "mime_type" => self.mime_type = value::parse_string(entry, "\"application/json\"", errors),
            "size" => self.size = entry.attach(value::parse_count(entry, errors)),
            "audience" => self.audience = value::parse_strings(entry, "[\"user\"]", errors),
            "priority" => self.priority = entry.attach(value::parse_number(entry, errors)),
            "last_modified" => self.last_modified = value::parse_string(entry, "\"2026-01-31T12:00:00Z\"", errors),
            "allow_traversal" => self.allow_traversal = value::parse_strings(entry, "[\"path\"]", errors),
            "ttl" => self.ttl = duration::parse_duration_option(entry, "\"5m\"", duration::parse_duration, errors),
            "scope" => self.scope = value::parse_string(entry, "\"public\"", errors),
            _ => return false,
        }
        true
    }
}

/// The URI as the source has it.
enum Uri {
    Literal(LitStr),
    Constant(ExprPath),
}

/// Takes out the URI, which has to be a string literal or a constant in first place. Reports other tokens in that place.
fn take_uri(parts: &mut Vec<Vec<TokenTree>>, errors: &mut Errors) -> Option<Uri> {
    let text = |part: &[TokenTree]| syn::parse2::<LitStr>(part.iter().cloned().collect()).ok();
    if let Some((index, uri)) = parts.iter().enumerate().find_map(|(index, part)| Some((index, text(part)?))) {
        parts.remove(index);
        if index > 0 {
            errors.at(&uri, "the URI comes first in the parentheses, and the options follow it");
        }
        return Some(Uri::Literal(uri));
    }
    let Some(first) = parts.first() else {
        errors.at(TokenStream::new(), format!("a resource needs its URI: write it first in the parentheses, {FORM}"));
        return None;
    };
    match first.as_slice() {
        [TokenTree::Ident(key), equals, value @ ..] if is_punct(equals, '=') => {
            if is_uri_key(key) {
                errors.at(key, "the URI comes first and has no key: write only its string literal");
                let uri = text(value);
                parts.remove(0);
                return uri.map(Uri::Literal);
            }
            errors.at(key, format!("a resource needs its URI: write it before this option, {FORM}"));
        }
        [TokenTree::Ident(key)] if is_option_key(Component::Resource, &key.to_string()) => {
            errors.at(key, format!("a resource needs its URI: write it before this option, {FORM}"));
        }
        other => {
            let tokens: TokenStream = other.iter().map(ToTokens::to_token_stream).collect();
            parts.remove(0);
            if let Ok(path) = syn::parse2::<ExprPath>(tokens.clone()) {
                return Some(Uri::Constant(path));
            }
            errors.at(
                tokens,
                "the URI of a resource must be a string literal, because its variables are checked against the \
                 parameters, or the name of a `const`, if it has no variables",
            );
        }
    }
    None
}
