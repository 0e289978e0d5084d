//! Splits the tokens of options.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;

/// Splits at the commas outside of brackets and outside of the parameters of a closure. Drops empty parts, as after a
/// trailing comma.
pub(crate) fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut is_in_parameters = false;
    for token in tokens {
        if is_punct(&token, ',') && !is_in_parameters {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            if is_punct(&token, '|') {
                is_in_parameters = !is_in_parameters && may_precede_closure(part.last());
            }
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the names at the beginning of parts of options, for editors: those of unknown options as well, because an
/// editor completes them, but no keywords, which no item can have as its name.
pub(crate) fn leading_names(parts: &[Vec<TokenTree>]) -> Vec<Ident> {
    let names = parts.iter().filter_map(|part| part.first()).map(ToTokens::to_token_stream);
    names.filter_map(|name| syn::parse2::<Ident>(name).ok()).collect()
}

/// Returns whether a `|` after a token opens the parameters of a closure.
fn may_precede_closure(token: Option<&TokenTree>) -> bool {
    match token {
        Some(TokenTree::Ident(word)) => word == "move",
        Some(token) => is_punct(token, '='),
        None => true,
    }
}

pub(super) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}
