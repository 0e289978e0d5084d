//! Source that both crates compile, so that a rule which the macros check and the library applies is written once.
//!
//! A procedural macro crate can export nothing except macros, and each crate is packaged alone: the library could
//! neither call these functions nor include their files. So [`source_of`] expands to the text of a file, and the
//! library has a module around each expansion. The files name no item of either crate, and have no tests, which would
//! run twice; the tests of both crates cover them.

use proc_macro2::{Span, TokenStream};

pub(crate) mod duration;
pub(crate) mod names;
pub(crate) mod nearest;
pub(crate) mod uri_template;

/// Returns the items of a file of this folder.
pub(crate) fn source_of(name: TokenStream) -> TokenStream {
    let source = match name.to_string().as_str() {
        "duration" => include_str!("duration.rs"),
        "names" => include_str!("names.rs"),
        "nearest" => include_str!("nearest.rs"),
        "uri_template" => include_str!("uri_template.rs"),
        other => return error(&format!("there is no shared source `{other}`")),
    };
    // The header documents the file. The module around the expansion has a header of its own.
    let items: String =
        source.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
    items.parse().unwrap_or_else(|unreadable: proc_macro2::LexError| error(&unreadable.to_string()))
}

fn error(text: &str) -> TokenStream {
    syn::Error::new(Span::call_site(), text).into_compile_error()
}
