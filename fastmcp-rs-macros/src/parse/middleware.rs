//! Reads the middleware of a tool, resource or prompt: `middleware = expression` or `middleware = [expression, ..]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::entry::Entry;
use super::tokens::{is_punct, split_at_commas};
use crate::errors::Errors;

/// Returns the expressions, the outermost middleware first. Reports and omits values that cannot be middleware.
pub(super) fn parse_middleware(entry: &Entry, errors: &mut Errors) -> Vec<TokenStream> {
    let Some(value) = &entry.value else {
        errors.at(&entry.key, FORM);
        return Vec::new();
    };
    let trees: Vec<TokenTree> = value.clone().into_iter().collect();
    let layers: Vec<TokenStream> = match trees.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
            split_at_commas(group.stream()).into_iter().map(|part| part.into_iter().collect()).collect()
        }
        _ => vec![value.clone()],
    };
    if layers.is_empty() {
        errors.at(value, "`middleware` lists nothing: remove it, or write at least one, as in `[Timing::new()]`");
    }
    layers.into_iter().filter(|layer| check_layer(layer, errors)).map(strip_parentheses).collect()
}

/// Removes the parentheses around an expression with commas, which would be a warning in the user's code.
fn strip_parentheses(layer: TokenStream) -> TokenStream {
    match syn::parse2::<Expr>(layer.clone()) {
        Ok(Expr::Paren(parenthesised)) if parenthesised.attrs.is_empty() => parenthesised.expr.into_token_stream(),
        _ => layer,
    }
}

const FORM: &str =
    "`middleware` takes an expression, as in `middleware = Timing::new()`, or a list, as in `middleware = [a(), b()]`";

/// Returns whether tokens may be an expression that creates middleware, and reports them otherwise.
fn check_layer(layer: &TokenStream, errors: &mut Errors) -> bool {
    let is_closure = match layer.clone().into_iter().next() {
        Some(TokenTree::Ident(word)) => word == "move",
        Some(first) => is_punct(&first, '|'),
        None => false,
    };
    if is_closure {
        errors.at(
            layer,
            "a closure becomes middleware by `from_fn`: write \
             `fastmcp_rs::middleware::from_fn(|operation, next| async move { .. })`",
        );
        return false;
    }
    match syn::parse2::<Expr>(layer.clone()) {
        Ok(Expr::Lit(_)) | Err(_) => {
            errors.at(layer, FORM);
            false
        }
        Ok(_) => true,
    }
}
