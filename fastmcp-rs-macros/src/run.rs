//! Leads each macro through its phases.
//!
//! Whatever goes wrong, the user's item comes out again: a lost item makes all that uses it fail too,
//! and buries the one error that matters.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, DeriveInput};

use crate::component::Component;
use crate::data::DataType;
use crate::errors::Errors;
use crate::expand;
use crate::model::Handler;
use crate::parse::{FnItem, MainOptions, Options, model_options};
use crate::validate;

/// A function that clients reach as this component.
pub(crate) fn handler(component: Component, options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(component, options, &mut errors);
    let mut item = match syn::parse2::<FnItem>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => return not_a_function(component, tokens, error, errors),
    };
    refuse_second(component, &mut item.attributes, &mut errors);
    let handler = Handler::new(&item, options, &mut errors);
    validate::check(&handler, &mut errors);
    if errors.is_empty() && !validate::has_placeholder(&item.signature) {
        return expand::handler(&handler);
    }
    let errors = errors.into_compile_errors();
    if validate::is_method(&item.signature) {
        // An `impl` block holds no other items.
        let method = item.clone().without_parameter_options();
        return quote!(#errors #method);
    }
    let broken = expand::broken_handler(&handler);
    quote!(#errors #broken)
}

/// Reports every further attribute that would make the function a component, and takes it off.
fn refuse_second(component: Component, attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    attributes.retain(|attribute| {
        let Some(second) = validate::component_of(attribute) else {
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
                "an `impl` block" | "a trait" => {
                    "write each method as a function on its own, which takes what it needs as `State<T>`"
                }
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
        return expand::main(&item, &options);
    }
    let broken = expand::broken_main(&item);
    let errors = errors.into_compile_errors();
    quote!(#errors #broken)
}

pub(crate) fn model(options: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = model_options(options, &mut errors);
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
    let data = DataType::new(&input, krate, &mut errors);
    validate::check_data(&data, &mut errors);
    if errors.is_empty() {
        return expand::model(&data);
    }
    let broken = expand::broken_model(&data);
    let errors = errors.into_compile_errors();
    quote!(#errors #broken)
}
