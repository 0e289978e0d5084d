//! Leads each macro through its phases.
//!
//! Whatever goes wrong, the user's item comes out again: a lost item makes all that uses it fail too,
//! and buries the one error that matters.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, DeriveInput};

use crate::component::Component;
use crate::errors::Errors;
use crate::expand;
use crate::handler::Handler;
use crate::model::Model;
use crate::parse::{FnItem, HandlerOptions, ImplBlock, MainOptions, ModelOptions, ServerOptions};
use crate::server::{ServerBlock, component_from_attribute, component_from_method_attribute, self_alias};
use crate::validate;

/// A function that clients reach as this component.
pub(crate) fn handler(component: Component, options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = HandlerOptions::parse(component, options, &mut errors);
    let mut item = match syn::parse2::<FnItem>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => return not_a_function(component, tokens, error, errors),
    };
    refuse_second(component, component_from_attribute, &mut item.attributes, &mut errors);
    let handler = Handler::new(&item, options, &mut errors);
    validate::check_handler(&handler, &mut errors);
    if errors.is_empty() && !validate::has_placeholder(&item.signature) {
        return expand::expand_handler(&handler);
    }
    let errors = errors.into_compile_errors();
    if validate::is_method(&item.signature) {
        // An `impl` block holds no other items.
        let method = item.clone().strip_parameter_options();
        return quote!(#errors #method);
    }
    let broken = expand::expand_broken_handler(&handler);
    quote!(#errors #broken)
}

/// Reports every further attribute that would make the function a component, and takes it off.
fn refuse_second(
    component: Component,
    component_from_attribute: fn(&Attribute) -> Option<Component>,
    attributes: &mut Vec<Attribute>,
    errors: &mut Errors,
) {
    attributes.retain(|attribute| {
        let Some(second) = component_from_attribute(attribute) else {
            return true;
        };
        let fix = match second == component {
            true => format!("put all options into one `#[mcp::{component}(..)]`"),
            false => format!("write another function for the {second}, which calls this one"),
        };
        errors.at(attribute.path(), format!("this function is a {component} already: {fix}"));
        false
    });
}

fn not_a_function(component: Component, item: TokenStream, error: syn::Error, mut errors: Errors) -> TokenStream {
    match validate::item_kind(&item) {
        Some((keyword, kind)) if kind != "a function" => {
            let fix = match kind.as_str() {
                "a struct" | "an enum" => &format!("on a type that {component}s take or return, put `#[mcp::model]`"),
                "an `impl` block" => &format!("put `#[mcp::server]` on it, and `#[{component}]` on each method"),
                "a trait" => "write each method as a function on its own, which takes what it needs as `State<T>`",
                "a module" => "put it on each function inside",
                _ => "remove it, or write a function",
            };
            errors.at(
                keyword,
                format!("`#[mcp::{component}]` goes on a `fn` or an `async fn`, and this is {kind}: {fix}"),
            );
        }
        Some((keyword, _)) if error.to_string().contains("expected a body") => {
            errors.at(keyword, format!("a {component} needs a body: this function is only declared"))
        }
        _ => errors.push(error),
    }
    let errors = errors.into_compile_errors();
    quote!(#errors #item)
}

/// The methods of a block that clients reach.
pub(crate) fn server(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = ServerOptions::parse(options, &mut errors);
    let block = match ImplBlock::parse(tokens.clone()) {
        Ok(block) => block,
        Err(error) => return not_a_block(tokens, error, errors),
    };
    let mut server = ServerBlock::new(block, options, &mut errors);
    let mut of_block = Errors::default();
    validate::check_server_block(&server, &mut of_block);
    let can_serve = of_block.is_empty();
    errors.append(of_block);
    if errors.is_empty() {
        validate::check_not_empty(&server, &mut errors);
    }

    let mut methods = std::mem::take(&mut server.methods);
    let mut handlers = Vec::new();
    for method in &mut methods {
        let mut of_method = Errors::default();
        let options = HandlerOptions::parse(method.component, std::mem::take(&mut method.options), &mut of_method);
        refuse_second(
            method.component,
            component_from_method_attribute,
            &mut method.function.attributes,
            &mut of_method,
        );
        let handler =
            Handler::new(&method.function, options, &mut of_method).into_method(self_alias(Span::mixed_site()));
        validate::check_method(method, &handler, &mut of_method);
        validate::check_handler(&handler, &mut of_method);
        // A method with mistakes does not keep the others from being judged by rustc.
        if of_method.is_empty() && !validate::has_placeholder(&method.function.signature) {
            handlers.push(handler);
        }
        errors.append(of_method);
    }
    let expansion = match can_serve {
        true => expand::expand_server(&server, &handlers),
        false => server.block.to_token_stream(),
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #expansion)
}

fn not_a_block(item: TokenStream, error: syn::Error, mut errors: Errors) -> TokenStream {
    match validate::item_kind(&item) {
        Some((keyword, kind)) if kind != "an `impl` block" => {
            let fix = match kind.as_str() {
                "a function" => "on a function, put `#[mcp::tool]`",
                "a struct" | "an enum" => "put it on the `impl` block with the methods",
                "a trait" => "put it on an `impl` block of a type that calls these methods",
                _ => "remove it, or write an `impl` block",
            };
            errors.at(keyword, format!("`#[mcp::server]` goes on an `impl` block, and this is {kind}: {fix}"));
        }
        _ => errors.push(error),
    }
    let errors = errors.into_compile_errors();
    quote!(#errors #item)
}

pub(crate) fn main(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = MainOptions::parse(options, &mut errors);
    let item = match syn::parse2::<FnItem>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            match validate::item_kind(&tokens) {
                Some((keyword, kind)) if kind != "a function" => {
                    errors.at(keyword, format!("`#[mcp::main]` goes on `async fn main()`, and this is {kind}"))
                }
                _ => errors.push(error),
            }
            let errors = errors.into_compile_errors();
            return quote!(#errors #tokens);
        }
    };
    validate::check_main(&item.signature, &mut errors);
    if errors.is_empty() {
        return expand::expand_main(&item, &options);
    }
    let broken = expand::expand_broken_main(&item);
    let errors = errors.into_compile_errors();
    quote!(#errors #broken)
}

pub(crate) fn model(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = ModelOptions::parse(options, &mut errors);
    let input = match syn::parse2::<DeriveInput>(tokens.clone()) {
        Ok(input) => input,
        Err(error) => {
            match validate::item_kind(&tokens) {
                Some((keyword, kind)) if !matches!(kind.as_str(), "a struct" | "an enum") => {
                    let fix = match kind.as_str() {
                        "a function" => ": on a function, put `#[mcp::tool]`",
                        _ => "",
                    };
                    errors.at(keyword, format!("`#[mcp::model]` goes on a struct or an enum, and this is {kind}{fix}"));
                }
                _ => errors.push(error),
            }
            let errors = errors.into_compile_errors();
            return quote!(#errors #tokens);
        }
    };
    let model = Model::new(&input, options, &mut errors);
    validate::check_model(&model, &mut errors);
    if errors.is_empty() {
        return expand::expand_model(&model);
    }
    let broken = expand::expand_broken_model(&model);
    let errors = errors.into_compile_errors();
    quote!(#errors #broken)
}
