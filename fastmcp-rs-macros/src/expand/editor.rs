//! Generates the code that rust-analyzer reads instead of the generated checks and data.
//!
//! rust-analyzer looks up a token of the source in all tokens of the expansion that have its span. The checks have the
//! spans of types and options, so an option would lead to functions of the library. So the checks are hidden from it by
//! `cfg(not(rust_analyzer))`. It reads imports of the options instead, from a module that documents them and that an
//! editor completes them from, and the expressions of the options.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use super::attributes::cfg_attributes;
use super::crate_path::CratePath;
use crate::component::Component;
use crate::handler::Handler;
use crate::model::Model;
use crate::parse::{ArgOptions, ComputedDefault, MainOptions, SpecificOptions};
use crate::server::ServerBlock;

/// Hides code from rust-analyzer. The block around it allows the lint about `cfg(rust_analyzer)`.
pub(super) fn hide_from_editors(code: &TokenStream) -> TokenStream {
    quote! {
        #[cfg(not(rust_analyzer))]
        const _: () = { #code };
    }
}

/// Generates the options of a component and its parameters, and the expressions among them.
pub(super) fn expand_handler_for_editors(handler: &Handler<'_>) -> Option<TokenStream> {
    let code = expand_handler_code(handler);
    let conditions = cfg_attributes(&handler.item.attributes);
    show_to_editors(&code).map(|item| quote!(#(#conditions)* #item))
}

/// Generates the options of a block and of its methods. `methods` is the code of [`expand_handler_code`].
pub(super) fn expand_server_for_editors(server: &ServerBlock, methods: &TokenStream) -> Option<TokenStream> {
    let own = import_options(&CratePath::new(server.crate_path.as_ref()), "server", &server.keys);
    show_to_editors(&quote!(#own #methods))
}

/// Generates the options of a model and its fields.
pub(super) fn expand_model_for_editors(model: &Model<'_>) -> Option<TokenStream> {
    let crate_path = CratePath::new(model.crate_path.as_ref());
    let own = import_options(&crate_path, "model", &model.keys);
    let fields = || model.fields().map(|(_, field)| &field.options);
    let arguments = import_argument_options(&crate_path, fields());
    let values = expand_expressions(fields().flat_map(find_expressions));
    let conditions = cfg_attributes(&model.input.attrs);
    show_to_editors(&quote!(#own #arguments #values)).map(|item| quote!(#(#conditions)* #item))
}

/// Generates the options of `#[mcp::main]`.
pub(super) fn expand_main_for_editors(options: &MainOptions) -> Option<TokenStream> {
    show_to_editors(&import_options(&CratePath::new(options.crate_path.as_ref()), "main", &options.keys))
}

/// Shows code to rust-analyzer only.
///
/// The item is the first one of an expansion: while a name is completed, rust-analyzer compares the expansion with that
/// of the name without its end, and expects the same text in front of it.
fn show_to_editors(code: &TokenStream) -> Option<TokenStream> {
    (!code.is_empty()).then(|| {
        quote! {
            #[allow(unexpected_cfgs)]
            const _: () = {
                #[cfg(rust_analyzer)]
                const _: () = { #code };
            };
        }
    })
}

/// Generates the options of a component and its parameters, and the expressions among them, without a block.
pub(crate) fn expand_handler_code(handler: &Handler<'_>) -> TokenStream {
    let options = &handler.options;
    let crate_path = CratePath::new(options.crate_path.as_ref());
    let module = match handler.component() {
        Component::Tool => "tool",
        Component::Resource => "resource",
        Component::Prompt => "prompt",
    };
    let own = import_options(&crate_path, module, &options.keys);
    let (uri, schema) = match &options.specific {
        SpecificOptions::Tool(tool) => (None, tool.output_schema.as_ref().map(|schema| &schema.value)),
        SpecificOptions::Resource(resource) => (resource.uri_constant.as_ref(), None),
        SpecificOptions::Prompt => (None, None),
    };
    let parameters = || handler.parameters.iter().map(|parameter| &parameter.options);
    let middleware = options.middleware.iter().map(ToTokens::to_token_stream);
    let expressions = middleware.chain(uri.map(ToTokens::to_token_stream));
    let values = expand_expressions(expressions.chain(parameters().flat_map(find_expressions)));
    let schema = schema.map(|schema| quote!(const _: ::core::option::Option<#schema> = ::core::option::Option::None;));
    let arguments = import_argument_options(&crate_path, parameters());
    quote!(#own #arguments #schema #values)
}

/// Generates the import of the options of one attribute. Each has the span of its name in the source. An unknown name
/// is imported too: it may be the beginning of one that the editor completes.
fn import_options(crate_path: &CratePath, module: &str, keys: &[Ident]) -> TokenStream {
    if keys.is_empty() {
        return TokenStream::new();
    }
    let private = crate_path.private();
    let module = Ident::new(module, Span::mixed_site());
    quote!(use #private::options::#module::{#(#keys as _),*};)
}

fn import_argument_options<'a>(crate_path: &CratePath, options: impl Iterator<Item = &'a ArgOptions>) -> TokenStream {
    let keys: Vec<Ident> = options.flat_map(|options| options.keys.iter().cloned()).collect();
    import_options(crate_path, "arg", &keys)
}

/// Returns the expressions of the options of a parameter or a field.
fn find_expressions(options: &ArgOptions) -> Vec<TokenStream> {
    let default = match &options.computed_default {
        Some(ComputedDefault::Expression(expression)) => Some(expression.clone()),
        _ => None,
    };
    let complete = options.complete.as_ref().map(|complete| complete.value.to_token_stream());
    default.into_iter().chain(complete).collect()
}

fn expand_expressions(expressions: impl Iterator<Item = TokenStream>) -> TokenStream {
    let statements: TokenStream = expressions.map(|expression| quote!(let _ = #expression;)).collect();
    match statements.is_empty() {
        true => statements,
        // Several of one block have no name in common.
        false => quote!(const _: fn() = || { #statements };),
    }
}
