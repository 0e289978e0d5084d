//! Tests of the macros as a whole: their expansions, the spans in them, and their error messages.

mod expansion;
mod mistakes;
mod spans;

use proc_macro2::TokenStream;

use crate::component::Component;
use crate::pipeline::run_handler;
use crate::pipeline::{run_main as main, run_model as model, run_server as server, run_tool_error as tool_error};

fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Tool, options, item)
}

fn resource(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Resource, options, item)
}

fn prompt(options: TokenStream, item: TokenStream) -> TokenStream {
    run_handler(Component::Prompt, options, item)
}

/// Returns the messages of the `compile_error!`s at the top level of an expansion.
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
