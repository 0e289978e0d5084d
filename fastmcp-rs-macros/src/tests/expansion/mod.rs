//! The generated code of each macro, as reviewed snapshots.

mod main;
mod model;
mod prompt;
mod resource;
mod server;
mod tool;
mod tool_error;

use expect_test::Expect;
use proc_macro2::TokenStream;

/// Compares an expansion, formatted as code, with the reviewed one.
fn check_expansion(expansion: TokenStream, expected: Expect) {
    expected.assert_eq(&format_code(expansion));
}

/// Compares the lines that differ between two expansions with the reviewed ones: all others are equal.
fn check_change(before: TokenStream, after: TokenStream, expected: Expect) {
    let (before, after) = (format_code(before), format_code(after));
    let diff = similar::TextDiff::from_lines(&before, &after);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    expected.assert_eq(&changes.map(|change| format!("{}{change}", change.tag())).collect::<String>());
}

fn format_code(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    let file = syn::parse2(expansion).unwrap_or_else(|error| panic!("not valid Rust: {error}\n{text}"));
    prettyplease::unparse(&file)
}
