//! Procedural macros of fastmcp-rs, which re-exports and documents them.
//!
//! Each macro runs through four phases, in the order of `pipeline.rs`:
//!
//! 1. `parse` reads the attribute's options and the item into structs.
//! 2. `handler`, `model` and `server` sort the parsed item into the parts that an expansion needs.
//! 3. `validate` reports every mistake in one build.
//! 4. `expand` writes the generated code.
//!
//! Only this file uses `proc_macro`; the phases use `proc_macro2`, so that plain unit tests reach them.

#![forbid(unsafe_code)]

mod component;
mod errors;
mod expand;
mod handler;
mod model;
mod parse;
mod pipeline;
mod serde_options;
mod server;
mod shared;
#[cfg(test)]
mod tests;
mod types;
mod validate;

use proc_macro::TokenStream;

use component::Component;

#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Tool, options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn resource(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Resource, options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn prompt(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_handler(Component::Prompt, options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn server(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_server(options.into(), item.into()).into()
}

/// rmcp's attribute for a block with tools, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool_router(_: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_router("tool_router", item.into()).into()
}

/// rmcp's attribute for a block with prompts, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn prompt_router(_: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_router("prompt_router", item.into()).into()
}

/// rmcp's attribute for the implementation of its handler, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool_handler(_: TokenStream, _: TokenStream) -> TokenStream {
    pipeline::run_router_handler("tool_handler").into()
}

/// rmcp's attribute for the implementation of its handler, which is reported.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn prompt_handler(_: TokenStream, _: TokenStream) -> TokenStream {
    pipeline::run_router_handler("prompt_handler").into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_main(options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn model(options: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::run_model(options.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_derive(ToolError, attributes(mcp))]
pub fn tool_error(item: TokenStream) -> TokenStream {
    pipeline::run_tool_error(item.into()).into()
}

/// Expands to nothing. The derive makes the attributes of serde and schemars known on a model whose traits are derived
/// on a hidden copy.
#[doc(hidden)]
#[proc_macro_derive(ModelAttributes, attributes(serde, schemars))]
pub fn model_attributes(_: TokenStream) -> TokenStream {
    TokenStream::new()
}

/// Expands to the source of a module that the library shares with the macros; see `shared/mod.rs`.
#[doc(hidden)]
#[proc_macro]
pub fn shared_source(name: TokenStream) -> TokenStream {
    shared::source_of(name.into()).into()
}
