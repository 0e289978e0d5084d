//! Collects all problems of one macro call, so that one build reports them all.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::shared::nearest::find_nearest;

/// Problems found in one macro call, in the order they were found.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Records a problem that rustc underlines at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Records a problem that a parser returned.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Appends the problems of another collection.
    pub(crate) fn append(&mut self, other: Errors) {
        if let Some(error) = other.0 {
            self.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Converts each problem into a `compile_error!`.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

/// Returns ` (did you mean `name`?)` for the nearest candidate, or an empty string if none is near.
pub(crate) fn did_you_mean(given: &str, candidates: &[&str]) -> String {
    match find_nearest(&given.replace('-', "_"), candidates.iter().copied()) {
        Some(candidate) => format!(" (did you mean `{candidate}`?)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["read_only", "title", "tags"];
        assert_eq!(did_you_mean("readonly", &keys), " (did you mean `read_only`?)");
        assert_eq!(did_you_mean("READ-ONLY", &keys), " (did you mean `read_only`?)");
        assert_eq!(did_you_mean("permissions", &keys), "");
    }
}
