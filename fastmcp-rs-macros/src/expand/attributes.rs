//! Attributes of the user's item that the generated items repeat.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Attribute;

/// Returns the `#[cfg(..)]` attributes, so that generated items exist in the same builds as the user's item.
pub(super) fn cfg_attributes(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// Returns the attribute if it sets a lint level.
///
/// `expect` becomes `allow`, because only the user's own item decides whether the expectation is fulfilled.
pub(super) fn lint_level(attribute: &Attribute) -> Option<TokenStream> {
    let levels = ["allow", "warn", "deny", "forbid", "expect"];
    let level = levels.iter().find(|level| attribute.path().is_ident(level))?;
    match (*level, &attribute.meta) {
        ("expect", syn::Meta::List(list)) => {
            let lints = &list.tokens;
            Some(quote!(#[allow(#lints)]))
        }
        _ => Some(attribute.to_token_stream()),
    }
}
