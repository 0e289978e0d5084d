//! The macros seen from outside: expansions as snapshots, and mistakes as the texts users get.

mod components;
mod mistakes;
mod model;
mod server;
mod spans;
mod tool;

use expect_test::Expect;
use proc_macro2::TokenStream;

use crate::component::Component;
use crate::pipeline::run_handler;

fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Tool, options, item)
}

fn resource(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Resource, options, item)
}

fn prompt(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Prompt, options, item)
}

/// Compares an expansion, printed as code, with what was reviewed.
fn check(expansion: TokenStream, expected: Expect) {
    let text = expansion.to_string();
    let file = syn::parse2(expansion).unwrap_or_else(|error| panic!("not valid Rust: {error}\n{text}"));
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// The messages of all `compile_error!`s at the top of an expansion.
fn messages(expansion: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expansion).expect("the expansion is valid Rust");
    let calls = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
            syn::parse2::<syn::LitStr>(item.mac.tokens.clone()).ok()
        }
        _ => None,
    });
    calls.map(|message| message.value()).collect()
}
