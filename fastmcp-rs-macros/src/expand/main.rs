//! Expands `#[mcp::main]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{LitInt, Token};

use super::crate_path::CratePath;
use super::definition::expand_option;
use super::editor::expand_main_for_editors;
use crate::parse::{FnItem, MainOptions};

/// Generates a plain `main` that passes the user's asynchronous one to the runtime.
///
/// The user's `main` stays a function of its own inside, so that types are inferred from its signature and rustc's
/// messages name it.
pub(crate) fn expand_main(item: &FnItem, options: &MainOptions) -> TokenStream {
    let crate_path = CratePath::new(options.crate_path.as_ref());
    let private = crate_path.private();
    let name = &item.signature.ident;
    let worker_threads = expand_option(options.worker_threads.map(|count| {
        let count = LitInt::new(&count.to_string(), proc_macro2::Span::mixed_site());
        quote!(#count)
    }));
    let run = quote_spanned!(name.span()=> run_main);
    let editor = expand_main_for_editors(options);
    let main = assemble_main(
        item,
        &quote! {
            #private::#run(
                #private::Main {
                    crate_name: ::core::env!("CARGO_PKG_NAME"),
                    crate_version: ::core::env!("CARGO_PKG_VERSION"),
                    worker_threads: #worker_threads,
                },
                #name(),
            )
        },
    );
    quote!(#editor #main)
}

/// Generates a replacement for a `main` with mistakes. The program still has a `main`, and rustc checks its body.
pub(crate) fn expand_broken_main(item: &FnItem) -> TokenStream {
    assemble_main(item, &quote!(::core::unreachable!()))
}

/// Wraps the user's `main` in a plain one with this body.
fn assemble_main(item: &FnItem, body: &TokenStream) -> TokenStream {
    let FnItem { attributes, visibility, signature, body: user_body } = item;
    let (name, output) = (&signature.ident, &signature.output);
    let mut inner = signature.clone();
    // A missing `async` is reported already; without it, rustc would also report each `.await`.
    inner.asyncness.get_or_insert_with(|| Token![async](name.span()));
    quote! {
        #(#attributes)*
        #visibility fn #name() #output {
            #[allow(dead_code)]
            #inner #user_body
            #body
        }
    }
}
