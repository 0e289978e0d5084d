//! Converts a JSON value that is written as Rust tokens into JSON text.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::LitStr;

use super::literal::{JsonLiteral, json_string};
use super::tokens::{is_punct, split_at_commas};
use crate::errors::Errors;

/// Returns the text of a JSON value. Reports tokens that are not JSON and returns none.
pub(super) fn parse_json(tokens: TokenStream, errors: &mut Errors) -> Option<String> {
    if let Some(literal) = JsonLiteral::from_tokens(&tokens) {
        return Some(literal.json);
    }
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Ident(word)), None) if word == "null" => Some("null".to_owned()),
        (Some(TokenTree::Group(group)), None) => match group.delimiter() {
            Delimiter::Brace => parse_json_object(group.stream(), errors),
            Delimiter::Bracket => parse_array(group.stream(), errors),
            Delimiter::None => parse_json(group.stream(), errors),
            Delimiter::Parenthesis => report_not_json(tokens, errors),
        },
        _ => report_not_json(tokens, errors),
    }
}

fn report_not_json(tokens: TokenStream, errors: &mut Errors) -> Option<String> {
    errors.at(tokens, "this is not JSON: expected a string, a number, `true`, `false`, `null`, `[..]` or `{..}`");
    None
}

/// Returns the text of the JSON object with these members.
pub(super) fn parse_json_object(members: TokenStream, errors: &mut Errors) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut text = String::from("{");
    let mut complete = true;
    for part in split_at_commas(members) {
        let Some(member) = parse_member(part, &mut names, errors) else {
            complete = false;
            continue;
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&member);
    }
    text.push('}');
    complete.then_some(text)
}

fn parse_member(part: Vec<TokenTree>, names: &mut Vec<String>, errors: &mut Errors) -> Option<String> {
    let name = match syn::parse2::<LitStr>(part[0].to_token_stream()) {
        Ok(name) => name,
        Err(_) => {
            errors.at(&part[0], "a JSON object has string keys: write `\"key\": value`");
            return None;
        }
    };
    if part.len() < 3 || !is_punct(&part[1], ':') {
        let blame = part.get(1).unwrap_or(&part[0]);
        errors.at(blame, "expected `: value` after this key");
        return None;
    }
    if names.contains(&name.value()) {
        errors.at(&name, "this key is given twice: remove one of the two");
        return None;
    }
    names.push(name.value());
    let value = parse_json(part[2..].iter().cloned().collect(), errors)?;
    Some(format!("{}:{value}", json_string(&name.value())))
}

fn parse_array(elements: TokenStream, errors: &mut Errors) -> Option<String> {
    let values: Vec<Option<String>> = split_at_commas(elements)
        .into_iter()
        .map(|element| parse_json(element.into_iter().collect(), errors))
        .collect();
    let values: Option<Vec<String>> = values.into_iter().collect();
    Some(format!("[{}]", values?.join(",")))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn json(tokens: TokenStream) -> Result<String, String> {
        let mut errors = Errors::default();
        let value = parse_json(tokens, &mut errors);
        value.ok_or_else(|| errors.into_compile_errors().to_string())
    }

    #[test]
    fn json_values_nest() {
        let text = json(quote!({
            "team": "billing", "n": -1, "x": 1.5, "on": true, "none": null,
            "list": [1, "two", { "deep": [] },],
        }));
        assert_eq!(
            text.as_deref(),
            Ok(r#"{"team":"billing","n":-1,"x":1.5,"on":true,"none":null,"list":[1,"two",{"deep":[]}]}"#)
        );
    }

    #[test]
    fn keys_and_strings_of_json_are_escaped() {
        assert_eq!(json(quote!({ "a\"b": r"c\d" })).as_deref(), Ok(r#"{"a\"b":"c\\d"}"#));
    }

    #[test]
    fn every_mistake_in_json_is_reported() {
        let message = json(quote!({ team: 1, "a": Foo, "b": 1, "b": 2, "c" })).unwrap_err();
        for part in ["string keys", "not JSON", "given twice", "expected `: value"] {
            assert!(message.contains(part), "{part} is missing in {message}");
        }
    }
}
