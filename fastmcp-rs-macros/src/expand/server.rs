//! Expands `#[mcp::server]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::attributes::{cfg_attributes, lint_level};
use super::crate_path::{CratePath, import_runtime, private, private_at};
use super::definition::RuntimeNames;
use super::editor::{expand_server_for_editors, hide_from_editors};
use super::handler::expand_component;
use crate::component::Component;
use crate::handler::Handler;
use crate::server::{ServerBlock, self_alias};

/// Generates the block as written, and beside it the handles of its methods.
///
/// The handles are inside of one generated block, so that they share its imports and its alias of the type. So are
/// `checks`, the checks of methods with mistakes. `editor` is the code of all methods for editors.
pub(crate) fn expand_server(
    server: &ServerBlock,
    handlers: &[Handler<'_>],
    checks: &TokenStream,
    editor: &TokenStream,
) -> TokenStream {
    let ServerBlock { block, crate_path, is_extension, .. } = server;
    let imports = import_runtime(&CratePath::new(crate_path.as_ref()));
    let conditions = cfg_attributes(&block.header.attrs);
    let levels = block.header.attrs.iter().filter_map(lint_level);
    let ty = &block.header.self_ty;
    let alias = self_alias(Span::mixed_site());
    let components = handlers.iter().map(|handler| expand_component(handler, None));
    let lists = Component::ALL.map(|component| expand_list(component, handlers, *is_extension));
    let editor = expand_server_for_editors(server, editor);
    // rustc reports a second block of the same type at this span.
    let span = ty.span();
    let there = private_at(span);
    let server = match is_extension {
        false => quote_spanned!(span=> impl #there::ServerBlockWithoutExtend for #ty { #(#lists)* }),
        true => {
            let there = private();
            quote! {
                #there::inventory::submit! {
                    #there::ServerExtension { server: ::core::any::TypeId::of::<#ty>, #(#lists)* }
                }
            }
        }
    };
    let checked = hide_from_editors(&quote! {
        #imports
        #[allow(dead_code, deprecated)]
        type #alias = #ty;

        #(#components)*

        #checks

        #[allow(deprecated, unused_qualifications)]
        #server
    });
    quote! {
        #editor
        #block

        #(#conditions)*
        #(#levels)*
        #[allow(unexpected_cfgs, unused_qualifications)]
        const _: () = {
            #checked
        };
    }
}

/// Generates the list of the definitions of one kind of component.
fn expand_list(component: Component, handlers: &[Handler<'_>], is_extension: bool) -> TokenStream {
    let private = private();
    let RuntimeNames { handle: handle_trait, definition, list, .. } = RuntimeNames::new(component);
    let definitions = handlers.iter().filter(|handler| handler.component() == component).map(|handler| {
        let conditions = cfg_attributes(&handler.item.attributes);
        let handle = handler.handle();
        quote!(#(#conditions)* <#handle as #private::#handle_trait>::DEFINITION)
    });
    if is_extension {
        let field = Ident::new(&list.to_string().to_lowercase(), Span::mixed_site());
        return quote!(#field: &[#(#definitions),*],);
    }
    quote!(const #list: &'static [&'static #private::#definition] = &[#(#definitions),*];)
}
