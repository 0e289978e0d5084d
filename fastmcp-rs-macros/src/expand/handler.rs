//! Expands `#[mcp::tool]`, `#[mcp::resource]` and `#[mcp::prompt]`.
//!
//! The function is emitted as written. It is followed by its handle, a type that carries the definition, and an entry
//! in the inventory from which servers collect their components.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::attributes::{cfg_attributes, lint_level};
use super::crate_path::{CratePath, import_runtime, private, private_at};
use super::definition::{RuntimeNames, expand_definition, expand_uri_check};
use super::editor::{expand_handler_for_editors, hide_from_editors};
use super::invoke::{expand_broken_invoke, expand_invoke};
use crate::handler::Handler;
use crate::parse::FnItem;
use crate::validate::CheckableTypes;

/// Generates the function and everything that makes it a component.
pub(crate) fn expand_handler(handler: &Handler<'_>) -> TokenStream {
    let function = expand_function(handler);
    let component = expand_component(handler, Some(&expand_imports(handler)));
    let editor = expand_handler_for_editors(handler);
    quote!(#editor #function #component)
}

/// Generates a replacement for a function with mistakes. All names exist, so that code that uses them does not fail
/// too.
pub(crate) fn expand_broken_handler(handler: &Handler<'_>, checkable: &CheckableTypes<'_, '_>) -> TokenStream {
    let function = expand_function(handler);
    let invoke = expand_broken_invoke(handler, checkable);
    let handle = expand_handle(handler, Some(&expand_imports(handler)), &invoke, &TokenStream::new());
    let editor = expand_handler_for_editors(handler);
    quote!(#editor #function #handle)
}

/// Generates the checks of a method with mistakes, which has no handle.
pub(crate) fn expand_broken_method(handler: &Handler<'_>, checkable: &CheckableTypes<'_, '_>) -> TokenStream {
    let conditions = cfg_attributes(&handler.item.attributes);
    let invoke = expand_broken_invoke(handler, checkable);
    quote! {
        #(#conditions)*
        #[allow(dead_code, deprecated, unused_qualifications)]
        const _: () = {
            #invoke
        };
    }
}

/// Generates the handle with its definition and registration, and the warning if there is no description.
pub(super) fn expand_component(handler: &Handler<'_>, imports: Option<&TokenStream>) -> TokenStream {
    let invoke = expand_invoke(handler);
    let registration = expand_registration(handler);
    let handle = expand_handle(handler, imports, &invoke, &registration);
    let warning = expand_warning(handler);
    quote!(#handle #warning)
}

fn expand_function(handler: &Handler<'_>) -> FnItem {
    handler.item.clone().strip_parameter_options()
}

fn expand_imports(handler: &Handler<'_>) -> TokenStream {
    import_runtime(&CratePath::new(handler.options.crate_path.as_ref()))
}

/// Generates the entry in the inventory.
fn expand_registration(handler: &Handler<'_>) -> TokenStream {
    let private = private();
    let handle = handler.handle();
    let RuntimeNames { handle: handle_trait, registered, .. } = RuntimeNames::new(handler.component());
    quote! {
        #private::inventory::submit! {
            #private::#registered(<#handle as #private::#handle_trait>::DEFINITION)
        }
    }
}

/// Generates the handle and the block with its definition.
fn expand_handle(
    handler: &Handler<'_>,
    imports: Option<&TokenStream>,
    invoke: &TokenStream,
    registration: &TokenStream,
) -> TokenStream {
    let private = private();
    let FnItem { attributes, visibility, .. } = handler.item;
    let conditions = cfg_attributes(attributes);
    let handle = handler.handle();
    let RuntimeNames { handle: handle_trait, definition: ty, .. } = RuntimeNames::new(handler.component());
    let definition = expand_definition(handler, &private);
    let uri_check = expand_uri_check(handler);
    // The span of the name, at which rustc reports another item of this name.
    let span = handler.ident().span();
    let there = private_at(span);
    let implementation = quote_spanned! {span=>
        impl #there::#handle_trait for #handle {
            const DEFINITION: &'static #there::#ty = &#definition;
        }
    };
    let checked = quote! {
        #implementation

        #uri_check

        #invoke

        #registration
    };
    // The handles of methods have no imports: their block has them, and is hidden as a whole.
    let checked = match imports {
        Some(imports) => hide_from_editors(&quote!(#imports #checked)),
        None => checked,
    };
    let item = quote_spanned!(span=> struct #handle {});
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility #item

        #(#conditions)*
        #[allow(deprecated, unexpected_cfgs, unused_qualifications)]
        const _: () = {
            #checked
        };
    }
}

/// Generates the warning for a function without a description.
///
/// Macros cannot warn on stable Rust, so the warning is that of a deprecated item. It is an item of its own with the
/// function's lint levels, so that `#[allow(deprecated)]` on the function silences it.
fn expand_warning(handler: &Handler<'_>) -> TokenStream {
    if !handler.description.is_empty() {
        return TokenStream::new();
    }
    let note = format!(
        "{} `{}` has no description: {}; add a doc comment",
        handler.component(),
        handler.name(),
        handler.component().description_purpose()
    );
    let levels = handler.item.attributes.iter().filter_map(lint_level);
    let conditions = cfg_attributes(&handler.item.attributes);
    let used = Ident::new("description", handler.ident().span());
    quote! {
        #(#conditions)*
        #(#levels)*
        const _: () = {
            #[deprecated(note = #note)]
            const fn description() {}
            #used()
        };
    }
}
