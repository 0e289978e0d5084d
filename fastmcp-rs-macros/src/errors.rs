//! Collects every problem of one macro call, so that one build shows them all.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Problems found in one macro call, in the order they were found.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Records a problem at `tokens` and carries on.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Records a problem that a parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Adds what was found elsewhere.
    pub(crate) fn append(&mut self, other: Errors) {
        if let Some(error) = other.0 {
            self.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` for each problem.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

/// ` (did you mean `name`?)`, or nothing when no candidate is near.
pub(crate) fn did_you_mean(given: &str, candidates: &[&str]) -> String {
    let given = given.to_lowercase().replace('-', "_");
    let nearest = candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&given, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        // A third of the word may be wrong: more than that is another word.
        Some((distance, candidate)) if distance <= candidate.len().div_ceil(3) => {
            format!(" (did you mean `{candidate}`?)")
        }
        _ => String::new(),
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
