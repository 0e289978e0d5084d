//! The expansion of `#[mcp::server]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::crate_path::{CratePath, imports, private, private_at};
use super::definition::Names;
use super::handler::{conditions, lint_level, registered};
use crate::component::Component;
use crate::handler::Handler;
use crate::server::{Server, owner};

/// The block as it was written, and beside it what makes its methods components.
///
/// The names of the imports and of the type hold for all methods, whose own blocks are inside of this one.
pub(crate) fn server(server: &Server, handlers: &[Handler<'_>]) -> TokenStream {
    let Server { block, crate_path, .. } = server;
    let imports = imports(&CratePath::new(crate_path.as_ref()));
    let conditions = conditions(&block.header.attrs);
    let levels = block.header.attrs.iter().filter_map(lint_level);
    let ty = &block.header.self_ty;
    let owner = owner(Span::mixed_site());
    let components = handlers.iter().map(|handler| registered(handler, &TokenStream::new()));
    let lists = Component::ALL.map(|component| list(component, handlers));
    // A second block of the same type is reported at the type.
    let span = ty.span();
    let there = private_at(span);
    let server = quote_spanned!(span=> impl #there::Server for #ty { #(#lists)* });
    quote! {
        #block

        #(#conditions)*
        #(#levels)*
        #[allow(unused_qualifications)]
        const _: () = {
            #imports
            #[allow(dead_code, deprecated)]
            type #owner = #ty;

            #(#components)*

            #[allow(deprecated, unused_qualifications)]
            #server
        };
    }
}

/// The definitions of all methods that are such a component.
fn list(component: Component, handlers: &[Handler<'_>]) -> TokenStream {
    let private = private();
    let Names { component: name, definition, list, .. } = Names::of(component);
    let definitions = handlers.iter().filter(|handler| handler.component() == component).map(|handler| {
        let conditions = conditions(&handler.item.attributes);
        let handle = handler.handle();
        quote!(#(#conditions)* <#handle as #private::#name>::DEFINITION)
    });
    quote!(const #list: &'static [&'static #private::#definition] = &[#(#definitions),*];)
}
