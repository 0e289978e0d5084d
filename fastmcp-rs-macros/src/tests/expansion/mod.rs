//! The generated code of each macro, as reviewed snapshots.

mod main;
mod model;
mod prompt;
mod resource;
mod server;
mod tool;

use expect_test::Expect;
use proc_macro2::TokenStream;

/// Compares an expansion, formatted as code, with the reviewed one.
fn check_expansion(expansion: TokenStream, expected: Expect) {
    let text = expansion.to_string();
    let file = syn::parse2(expansion).unwrap_or_else(|error| panic!("not valid Rust: {error}\n{text}"));
    expected.assert_eq(&prettyplease::unparse(&file));
}
