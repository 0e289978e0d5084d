//! The procedural macros of fastmcp-rs, which re-exports and documents them.
//!
//! Each macro runs in four phases: `parse` reads tokens into our own structs, `handler`, `model` and `server`
//! sort them, `validate` reports every mistake at once, and `expand` writes code. Only this file knows
//! `proc_macro`, so that plain unit tests reach all the rest.

#![forbid(unsafe_code)]

mod component;
mod errors;
mod expand;
mod handler;
mod model;
mod parse;
mod pipeline;
mod server;
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
