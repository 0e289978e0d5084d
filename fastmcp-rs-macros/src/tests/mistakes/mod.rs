//! The compile errors of each macro: every mistake of one call is reported at once, with its fix.

mod arguments;
mod item;
mod main;
mod model;
mod options;
mod prompt;
mod resource;
mod signature;
mod tool_error;

use expect_test::Expect;
use proc_macro2::TokenStream;

use super::messages;

/// Compares the messages of an expansion, one per line, with the reviewed ones.
fn check_messages(expansion: TokenStream, expected: Expect) {
    let lines: Vec<String> = messages(expansion).iter().map(|message| format!("{message}\n")).collect();
    expected.assert_eq(&lines.concat());
}
