//! Reads the value of one option, and says what was expected when it is of another kind.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitStr, Path};

use super::entry::Entry;
use super::json;
use crate::errors::Errors;

/// A number in an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Number::Integer(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// Exact among integers; they are compared as floats only with floats.
    pub(crate) fn is_less_than(self, other: Number) -> bool {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => left < right,
            (left, right) => left.as_f64() < right.as_f64(),
        }
    }
}

/// What kind of literal a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Integer,
    Float,
    Text,
    Flag,
}

/// A literal of one of the kinds that JSON shares with Rust.
pub(crate) struct Literal {
    pub(crate) kind: Kind,
    pub(crate) json: String,
    /// As written, for spans and for splicing.
    pub(crate) tokens: TokenStream,
    pub(crate) number: Option<Number>,
    /// The characters of a text.
    pub(crate) length: Option<u64>,
}

/// Reads `key = "text"`.
pub(super) fn string(entry: &Entry, example: &str, errors: &mut Errors) -> Option<LitStr> {
    let value = entry.value.clone().unwrap_or_default();
    match syn::parse2::<LitStr>(value) {
        Ok(literal) if literal.suffix().is_empty() => Some(literal),
        _ => {
            let key = &entry.key;
            errors.at(entry.blame(), format!("`{key}` takes a string literal, as in `{key} = {example}`"));
            None
        }
    }
}

/// Reads a bare key, or `key = true` and `key = false`.
pub(super) fn flag(entry: &Entry, errors: &mut Errors) -> Option<bool> {
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

/// Reads a path, for `crate = path`.
pub(super) fn path(entry: &Entry, errors: &mut Errors) -> Option<Path> {
    let value = entry.value.clone().unwrap_or_default();
    let parsed = syn::parse::Parser::parse2(Path::parse_mod_style, value);
    if parsed.is_err() {
        errors.at(
            entry.blame(),
            "`crate` takes the path of fastmcp-rs as this crate names it, as in `crate = ::fastmcp_rs`",
        );
    }
    parsed.ok()
}

/// Reads a number with an optional sign.
pub(super) fn number(entry: &Entry, errors: &mut Errors) -> Option<Number> {
    let literal = entry.value.as_ref().and_then(literal_of);
    match literal.as_ref().and_then(|literal| literal.number) {
        Some(number) => Some(number),
        None => {
            let key = &entry.key;
            errors.at(entry.blame(), format!("`{key}` takes a number, as in `{key} = 1`"));
            None
        }
    }
}

/// Reads a count: a whole number from 0 up.
pub(super) fn count(entry: &Entry, errors: &mut Errors) -> Option<u64> {
    let key = &entry.key;
    let literal = entry.value.as_ref().and_then(literal_of);
    let problem = match literal.and_then(|literal| literal.number) {
        Some(Number::Integer(value)) => match u64::try_from(value) {
            Ok(value) => return Some(value),
            Err(_) if value < 0 => format!("`{key}` cannot be negative: write 0 or more"),
            Err(_) => format!("`{key}` is too large for 64 bits"),
        },
        _ => format!("`{key}` takes a whole number, as in `{key} = 20`"),
    };
    errors.at(entry.blame(), problem);
    None
}

/// Reads a string, a number, `true` or `false`.
pub(super) fn literal(entry: &Entry, example: &str, errors: &mut Errors) -> Option<Literal> {
    let literal = entry.value.as_ref().and_then(literal_of);
    if literal.is_none() {
        let key = &entry.key;
        errors.at(
            entry.blame(),
            format!("`{key}` takes a literal: a string, a number, `true` or `false`, as in `{key} = {example}`"),
        );
    }
    literal
}

/// The literal that these tokens are, if they are one that JSON has too.
pub(super) fn literal_of(tokens: &TokenStream) -> Option<Literal> {
    let mut trees: Vec<TokenTree> = flatten(tokens.clone());
    let negative = trees.len() == 2 && matches!(&trees[0], TokenTree::Punct(sign) if sign.as_char() == '-');
    if negative {
        trees.remove(0);
    }
    let [tree] = trees.as_slice() else {
        return None;
    };
    let lit = syn::parse2::<Lit>(tree.to_token_stream()).ok()?;
    let sign = if negative { "-" } else { "" };
    let (kind, json, number, length) = match &lit {
        Lit::Str(text) if !negative => {
            let value = text.value();
            let length = value.chars().count() as u64;
            (Kind::Text, json::quoted(&value), None, Some(length))
        }
        Lit::Bool(flag) if !negative => (Kind::Flag, flag.value.to_string(), None, None),
        Lit::Int(integer) => {
            let json = format!("{sign}{}", integer.base10_digits());
            let value = json.parse().ok()?;
            // JSON has no negative zero that means anything else than zero.
            let json = if value == 0 { "0".to_owned() } else { json };
            (Kind::Integer, json, Some(Number::Integer(value)), None)
        }
        Lit::Float(float) => {
            let value: f64 = format!("{sign}{}", float.base10_digits()).parse().ok()?;
            if !value.is_finite() {
                return None;
            }
            (Kind::Float, json::float(value), Some(Number::Float(value)), None)
        }
        _ => return None,
    };
    Some(Literal { kind, json, tokens: tokens.clone(), number, length })
}

/// Takes off the invisible groups that `macro_rules!` fragments leave.
fn flatten(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => flatten(group.stream()),
            tree => vec![tree],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn literals_become_json() {
        let json = |tokens: TokenStream| literal_of(&tokens).map(|literal| (literal.kind, literal.json));
        assert_eq!(json(quote!("a\"\n\u{1}é")), Some((Kind::Text, r#""a\"\n\u0001é""#.to_owned())));
        assert_eq!(json(quote!(1_000u32)), Some((Kind::Integer, "1000".to_owned())));
        assert_eq!(json(quote!(0xff)), Some((Kind::Integer, "255".to_owned())));
        assert_eq!(json(quote!(-5)), Some((Kind::Integer, "-5".to_owned())));
        assert_eq!(json(quote!(-0)), Some((Kind::Integer, "0".to_owned())));
        assert_eq!(json(quote!(1.50)), Some((Kind::Float, "1.5".to_owned())));
        assert_eq!(json(quote!(-2.0)), Some((Kind::Float, "-2.0".to_owned())));
        assert_eq!(json(quote!(1e300)), Some((Kind::Float, "1e300".to_owned())));
        assert_eq!(json(quote!(true)), Some((Kind::Flag, "true".to_owned())));
        for not_json in [quote!(1e999), quote!(b"x"), quote!('c'), quote!(-"x"), quote!(None), quote!([1])] {
            assert_eq!(json(not_json.clone()), None, "{not_json}");
        }
    }

    #[test]
    fn integers_compare_exactly() {
        let large = Number::Integer(9_007_199_254_740_993);
        assert!(Number::Integer(9_007_199_254_740_992).is_less_than(large));
        assert!(!large.is_less_than(large));
        assert!(Number::Float(0.5).is_less_than(Number::Integer(1)));
    }
}
