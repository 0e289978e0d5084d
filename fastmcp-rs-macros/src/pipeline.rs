//! Runs each macro through its phases: parse, sort, validate, expand.
//!
//! The user's item is emitted even after an error, because a missing item makes everything that uses it fail too, and
//! hides the one error that matters.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput};

use crate::component::Component;
use crate::errors::Errors;
use crate::expand;
use crate::handler::Handler;
use crate::model::Model;
use crate::parse::{
    ErrorType, FnItem, HandlerOptions, ImplBlock, MainOptions, ModelOptions, ServerOptions, Surroundings,
};
use crate::serde_options::add_rename_all;
use crate::server::{Renames, ServerBlock, ServerMethod, self_alias};
use crate::validate;

/// Expands `#[mcp::tool]`, `#[mcp::resource]` or `#[mcp::prompt]`.
pub(crate) fn run_handler(component: Component, options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = HandlerOptions::parse(component, options, &mut errors);
    let mut item = match syn::parse2::<FnItem>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            if let Some(without_defaults) = validate::report_parameter_defaults(component, &tokens, &mut errors) {
                return emit(errors, without_defaults);
            }
            validate::report_non_function(component, &tokens, error, &mut errors);
            // rustc parses a closure together with the errors in front of it.
            return match validate::is_closure(&tokens) {
                true => errors.into_compile_errors(),
                false => emit(errors, tokens),
            };
        }
    };
    remove_second_components(component, Component::from_method_attribute, &mut item.attributes, &mut errors);
    let handler = Handler::new(&item, options, &mut errors);
    validate::check_handler(&handler, &mut errors);
    let mut is_method = validate::is_method(&item.signature);
    if !is_method {
        if let Some(surroundings) = Surroundings::of(item.signature.fn_token.span()) {
            is_method = true;
            validate::report_surroundings(surroundings, &handler, &mut errors);
        }
    }
    let has_placeholder = validate::has_placeholder(&item.signature);
    match is_method {
        // An `impl` block cannot hold the other generated items.
        true => emit(errors, item.clone().strip_parameter_options()),
        false if errors.is_empty() && !has_placeholder => expand::expand_handler(&handler),
        false => {
            emit_expansion(errors, expand::expand_broken_handler(&handler, &validate::find_checkable_types(&handler)))
        }
    }
}

/// Expands `#[mcp::server]`.
pub(crate) fn run_server(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = ServerOptions::parse(options, &mut errors);
    let block = match ImplBlock::parse(tokens.clone()) {
        Ok(block) => block,
        Err(error) => {
            validate::report_non_impl_block(&tokens, error, &mut errors);
            return emit(errors, tokens);
        }
    };
    let mut server = ServerBlock::new(block, options, &mut errors);
    let mut block_errors = Errors::default();
    validate::check_server_block(&server, &mut block_errors);
    let is_block_valid = block_errors.is_empty();
    errors.append(block_errors);
    if errors.is_empty() {
        validate::check_not_empty(&server, &mut errors);
    }
    let mut methods = std::mem::take(&mut server.methods);
    let (handlers, broken): (Vec<_>, Vec<_>) = methods
        .iter_mut()
        .map(|method| method_handler(method, server.renames, &mut errors))
        .partition(|(_, is_valid)| *is_valid);
    let editor = handlers.iter().chain(&broken).map(|(handler, _)| expand::expand_handler_code(handler)).collect();
    let handlers: Vec<Handler<'_>> = handlers.into_iter().map(|(handler, _)| handler).collect();
    let is_repeated = validate::check_distinct(&handlers, &mut errors);
    let handlers: Vec<Handler<'_>> = handlers
        .into_iter()
        .zip(is_repeated)
        .filter_map(|(handler, repeated)| (!repeated).then_some(handler))
        .collect();
    let checks = broken
        .iter()
        .map(|(handler, _)| expand::expand_broken_method(handler, &validate::find_checkable_types(handler)));
    match is_block_valid {
        true => emit_expansion(errors, expand::expand_server(&server, &handlers, &checks.collect(), &editor)),
        false => emit(errors, &server.block),
    }
}

/// Reports rmcp's `#[tool_router]` or `#[prompt_router]`, and expands the block like `#[mcp::server]`.
pub(crate) fn run_router(name: &str, tokens: TokenStream) -> TokenStream {
    let error = syn::Error::new(
        Span::call_site(),
        format!("there is no `#[{name}]`: write `#[mcp::server]`, which registers the methods of this block"),
    );
    let mut expansion = error.into_compile_error();
    expansion.extend(run_server(TokenStream::new(), tokens));
    expansion
}

/// Reports rmcp's `#[tool_handler]` or `#[prompt_handler]`. Its block implements a trait of rmcp, so it is dropped.
pub(crate) fn run_router_handler(name: &str) -> TokenStream {
    let message = format!(
        "there is no `#[{name}]`: remove this block; `#[mcp::server]` registers the methods, and `App` has the server's \
         name, version and instructions"
    );
    syn::Error::new(Span::call_site(), message).into_compile_error()
}

/// Expands `#[mcp::main]`.
pub(crate) fn run_main(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = MainOptions::parse(options, &mut errors);
    let item = match syn::parse2::<FnItem>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            validate::report_non_main(&tokens, error, &mut errors);
            return emit(errors, tokens);
        }
    };
    validate::check_main(&item.signature, &mut errors);
    match errors.is_empty() {
        true => expand::expand_main(&item, &options),
        false => emit(errors, expand::expand_broken_main(&item)),
    }
}

/// Expands `#[mcp::model]`.
pub(crate) fn run_model(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = ModelOptions::parse(options, &mut errors);
    let mut input = match syn::parse2::<DeriveInput>(tokens.clone()) {
        Ok(input) => input,
        Err(error) => {
            validate::report_non_type(&tokens, error, &mut errors);
            return emit(errors, tokens);
        }
    };
    if let Some((key, rule)) = &options.rename_all {
        add_rename_all(&mut input.attrs, key, *rule, &mut errors);
    }
    let model = Model::new(&input, options, &mut errors);
    validate::check_model(&model, &mut errors);
    match errors.is_empty() {
        true => expand::expand_model(&model),
        false => emit_expansion(errors, expand::expand_broken_model(&model)),
    }
}

/// Expands `#[derive(mcp::ToolError)]`. A derive adds code to the type, so nothing is emitted after an error.
pub(crate) fn run_tool_error(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<DeriveInput>(tokens) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let error = ErrorType::new(&input, &mut errors);
    validate::check_tool_error(&error, &mut errors);
    match errors.is_empty() {
        true => expand::expand_tool_error(&error),
        false => errors.into_compile_errors(),
    }
}

/// Returns the errors as code, followed by the item.
fn emit(errors: Errors, item: impl ToTokens) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote!(#errors #item)
}

/// Returns an expansion, which begins with the code for editors, followed by the errors as code.
fn emit_expansion(errors: Errors, expansion: impl ToTokens) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote!(#expansion #errors)
}

/// Parses and validates one method of a block. Returns whether it has no mistakes: only then it becomes a component, so
/// that rustc still checks the expansion of the other methods.
fn method_handler<'a>(method: &'a mut ServerMethod, renames: Renames, errors: &mut Errors) -> (Handler<'a>, bool) {
    let mut method_errors = Errors::default();
    let mut options = HandlerOptions::parse(method.component, std::mem::take(&mut method.options), &mut method_errors);
    renames.add_to(&mut options);
    remove_second_components(
        method.component,
        Component::from_method_attribute,
        &mut method.function.attributes,
        &mut method_errors,
    );
    let method = &*method;
    let handler =
        Handler::new(&method.function, options, &mut method_errors).into_method(self_alias(Span::mixed_site()));
    validate::check_method(method, &handler, &mut method_errors);
    validate::check_handler(&handler, &mut method_errors);
    let is_valid = method_errors.is_empty() && !validate::has_placeholder(&method.function.signature);
    errors.append(method_errors);
    (handler, is_valid)
}

/// Reports and removes every further attribute that would make the function a component.
fn remove_second_components(
    component: Component,
    find_component: fn(&Attribute) -> Option<Component>,
    attributes: &mut Vec<Attribute>,
    errors: &mut Errors,
) {
    attributes.retain(|attribute| {
        let Some(second) = find_component(attribute) else {
            return true;
        };
        let fix = match second == component {
            true => format!("put all options into one `#[mcp::{component}(..)]`"),
            false => format!("write another function for the {second} that calls this one"),
        };
        errors.at(attribute.path(), format!("this function is a {component} already: {fix}"));
        false
    });
}
