//! Reads Rust literals that have a JSON form.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Lit;

use super::tokens::split_at_commas;

/// A number literal.
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

    /// Compares integers exactly, and other numbers as floats.
    pub(crate) fn is_less_than(self, other: Number) -> bool {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => left < right,
            (left, right) => left.as_f64() < right.as_f64(),
        }
    }
}

/// The kind of a [`JsonLiteral`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LiteralKind {
    Integer,
    Float,
    String,
    Bool,
    List,
}

/// A literal that both Rust and JSON have: a string, a character, a number or a boolean, or a list of these.
pub(crate) struct JsonLiteral {
    pub(crate) kind: LiteralKind,
    pub(crate) json: String,
    /// The tokens as written, for spans and for splicing into generated code.
    pub(crate) tokens: TokenStream,
    pub(crate) number: Option<Number>,
    /// The length of a string in characters, or of a list in items.
    pub(crate) length: Option<u64>,
}

impl JsonLiteral {
    /// Reads a literal, with an optional sign. Returns none for tokens that JSON has no form for.
    pub(super) fn from_tokens(tokens: &TokenStream) -> Option<Self> {
        let mut trees: Vec<TokenTree> = strip_invisible_groups(tokens.clone());
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
                (LiteralKind::String, json_string(&value), None, Some(length))
            }
            Lit::Char(character) if !negative => {
                (LiteralKind::String, json_string(&character.value().to_string()), None, Some(1))
            }
            Lit::Bool(flag) if !negative => (LiteralKind::Bool, flag.value.to_string(), None, None),
            Lit::Int(integer) => {
                let json = format!("{sign}{}", integer.base10_digits());
                let value = json.parse().ok()?;
                // In JSON, `-0` means the same as `0`.
                let json = if value == 0 { "0".to_owned() } else { json };
                (LiteralKind::Integer, json, Some(Number::Integer(value)), None)
            }
            Lit::Float(float) => {
                let value: f64 = format!("{sign}{}", float.base10_digits()).parse().ok()?;
                if !value.is_finite() {
                    return None;
                }
                (LiteralKind::Float, json_float(value), Some(Number::Float(value)), None)
            }
            _ => return None,
        };
        Some(Self { kind, json, tokens: tokens.clone(), number, length })
    }

    /// Reads a list of literals in brackets, such as `["a", "b"]`. Returns none if an item is not a literal.
    pub(super) fn from_list(tokens: &TokenStream) -> Option<Self> {
        let trees = strip_invisible_groups(tokens.clone());
        let [TokenTree::Group(group)] = trees.as_slice() else {
            return None;
        };
        if group.delimiter() != Delimiter::Bracket {
            return None;
        }
        let items = split_at_commas(group.stream()).into_iter().map(|item| {
            let item = item.into_iter().collect();
            Self::from_tokens(&item).or_else(|| Self::from_list(&item)).map(|item| item.json)
        });
        let items = items.collect::<Option<Vec<String>>>()?;
        let json = format!("[{}]", items.join(","));
        let length = Some(items.len() as u64);
        Some(Self { kind: LiteralKind::List, json, tokens: tokens.clone(), number: None, length })
    }
}

/// Strips the invisible groups around `macro_rules!` fragments.
fn strip_invisible_groups(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => strip_invisible_groups(group.stream()),
            tree => vec![tree],
        })
        .collect()
}

/// Writes a JSON string with its quotes.
pub(super) fn json_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes a JSON number that reads back as the same float: Rust's `Debug` form is the shortest one.
fn json_float(value: f64) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn rust_literals_become_json() {
        let json = |tokens: TokenStream| JsonLiteral::from_tokens(&tokens).map(|literal| (literal.kind, literal.json));
        assert_eq!(json(quote!("a\"\n\u{1}é")), Some((LiteralKind::String, r#""a\"\n\u0001é""#.to_owned())));
        assert_eq!(json(quote!(1_000u32)), Some((LiteralKind::Integer, "1000".to_owned())));
        assert_eq!(json(quote!(0xff)), Some((LiteralKind::Integer, "255".to_owned())));
        assert_eq!(json(quote!(-5)), Some((LiteralKind::Integer, "-5".to_owned())));
        assert_eq!(json(quote!(-0)), Some((LiteralKind::Integer, "0".to_owned())));
        assert_eq!(json(quote!(1.50)), Some((LiteralKind::Float, "1.5".to_owned())));
        assert_eq!(json(quote!(-2.0)), Some((LiteralKind::Float, "-2.0".to_owned())));
        assert_eq!(json(quote!(1e300)), Some((LiteralKind::Float, "1e300".to_owned())));
        assert_eq!(json(quote!(true)), Some((LiteralKind::Bool, "true".to_owned())));
        assert_eq!(json(quote!('"')), Some((LiteralKind::String, r#""\"""#.to_owned())));
        let list = |tokens: TokenStream| JsonLiteral::from_list(&tokens).map(|literal| (literal.json, literal.length));
        assert_eq!(list(quote!([])), Some(("[]".to_owned(), Some(0))));
        assert_eq!(list(quote!([-1, 2.5, ["a", 'b'],])), Some((r#"[-1,2.5,["a","b"]]"#.to_owned(), Some(3))));
        for not_json in [quote!([LIMIT]), quote!(["a"; 3]), quote!({}), quote!([] [])] {
            assert_eq!(list(not_json.clone()), None, "{not_json}");
        }
        for not_json in [quote!(1e999), quote!(b"x"), quote!(-'c'), quote!(-"x"), quote!(None), quote!([1])] {
            assert_eq!(json(not_json.clone()), None, "{not_json}");
        }
    }

    #[test]
    fn large_integers_compare_exactly() {
        let large = Number::Integer(9_007_199_254_740_993);
        assert!(Number::Integer(9_007_199_254_740_992).is_less_than(large));
        assert!(!large.is_less_than(large));
        assert!(Number::Float(0.5).is_less_than(Number::Integer(1)));
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(json_string("a\\\"\r\t\u{7}√"), "\"a\\\\\\\"\\r\\t\\u0007√\"");
    }
}
