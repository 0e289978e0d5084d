//! Reports an attribute on an item of the wrong kind, with the attribute or item to use instead.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::component::Component;
use crate::errors::Errors;
use crate::parse::split_at_commas;

/// Reports an item under `#[mcp::tool]`, `#[mcp::resource]` or `#[mcp::prompt]` that is not a function with a body.
pub(crate) fn report_non_function(component: Component, item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    match item_kind(item) {
        Some((keyword, kind)) if kind != "a function" => {
            let fix = match kind {
                "a struct" | "an enum" => &format!("on a type that {component}s take or return, put `#[mcp::model]`"),
                "an `impl` block" => &format!("put `#[mcp::server]` on it, and `#[{component}]` on each method"),
                "a trait" => "write each method as a function that takes its data as `State<T>`",
                "a module" => "put it on each function inside",
                _ => "remove it, or write a function",
            };
            errors.at(
                keyword,
                format!("`#[mcp::{component}]` goes on a `fn` or an `async fn`, and this is {kind}: {fix}"),
            );
        }
        Some((keyword, _)) if error.to_string().contains("expected a body") => errors.at(
            keyword,
            format!(
                "a {component} needs a body, and this function is only declared: write one, or, in a trait, call it \
                     from a function with `#[mcp::{component}]`"
            ),
        ),
        None if is_closure(item) => errors.at(
            item,
            format!("`#[mcp::{component}]` goes on a `fn` or an `async fn`, and this is a closure: write a function"),
        ),
        _ => errors.push(error),
    }
}

/// Reports the defaults that parameters cannot have in Rust, such as `limit: u32 = 10`. Returns the function without
/// them, or nothing if there are none.
pub(crate) fn report_parameter_defaults(
    component: Component,
    item: &TokenStream,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let keyword = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "fn"))?;
    let list = tokens.iter_mut().skip(keyword).find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
        _ => None,
    })?;
    let mut has_defaults = false;
    let parameters = split_at_commas(list.stream()).into_iter().map(|parameter| {
        let is_sign = |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '=');
        let Some(sign) = parameter.iter().position(is_sign) else {
            return parameter.into_iter().collect();
        };
        has_defaults = true;
        let (written, default) = parameter.split_at(sign);
        let written: TokenStream = written.iter().cloned().collect();
        let value: TokenStream = default.iter().skip(1).cloned().collect();
        errors.at(default.iter().cloned().collect::<TokenStream>(), default_fix(component, &written, &value));
        written
    });
    let parameters: Vec<TokenStream> = parameters.collect();
    let mut without_defaults = Group::new(Delimiter::Parenthesis, quote!(#(#parameters),*));
    without_defaults.set_span(list.span());
    *list = without_defaults;
    has_defaults.then(|| tokens.into_iter().collect())
}

/// Returns the message for a parameter with a default.
fn default_fix(component: Component, parameter: &TokenStream, value: &TokenStream) -> String {
    let parameter = parameter.to_string().replace(" :", ":");
    match parameter.split_once(": Context") {
        Some((name, "")) => format!("a {component} gets its context without a default: write `{name}: &Context`"),
        _ => format!("a default is an option of the parameter: write `#[arg(default = {value})] {parameter}`"),
    }
}

/// Returns whether an expression is a closure.
pub(crate) fn is_closure(item: &TokenStream) -> bool {
    let words = ["move", "async", "static", "const"];
    let first = item
        .clone()
        .into_iter()
        .find(|token| !matches!(token, TokenTree::Ident(word) if words.iter().any(|known| word == known)));
    matches!(first, Some(TokenTree::Punct(bar)) if bar.as_char() == '|')
}

/// Reports an item under `#[mcp::server]` that is not an `impl` block.
pub(crate) fn report_non_impl_block(item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    match item_kind(item) {
        Some((keyword, kind)) if kind != "an `impl` block" => {
            let fix = match kind {
                "a function" => "on a function, put `#[mcp::tool]`",
                "a struct" | "an enum" => "put it on the `impl` block with the methods",
                "a trait" => "put it on an `impl` block of a type that calls these methods",
                _ => "remove it, or write an `impl` block",
            };
            errors.at(keyword, format!("`#[mcp::server]` goes on an `impl` block, and this is {kind}: {fix}"));
        }
        _ => errors.push(error),
    }
}

/// Reports an item under `#[mcp::main]` that is not a function with a body.
pub(crate) fn report_non_main(item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    match item_kind(item) {
        Some((keyword, kind)) if kind != "a function" => {
            errors.at(keyword, format!("`#[mcp::main]` goes on `async fn main()`, and this is {kind}"))
        }
        _ => errors.push(error),
    }
}

/// Reports an item under `#[mcp::model]` that is not a type definition.
pub(crate) fn report_non_type(item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    match item_kind(item) {
        Some((keyword, kind)) if !matches!(kind, "a struct" | "an enum") => {
            let fix = match kind {
                "a function" => ": on a function, put `#[mcp::tool]`",
                _ => "",
            };
            errors.at(keyword, format!("`#[mcp::model]` goes on a struct or an enum, and this is {kind}{fix}"));
        }
        _ => errors.push(error),
    }
}

/// Returns the keyword that starts an item, and the name of its kind in messages.
fn item_kind(item: &TokenStream) -> Option<(TokenTree, &'static str)> {
    const KEYWORDS: &[(&str, &str)] = &[
        ("fn", "a function"),
        ("struct", "a struct"),
        ("enum", "an enum"),
        ("union", "a union"),
        ("impl", "an `impl` block"),
        ("trait", "a trait"),
        ("mod", "a module"),
        ("use", "an import"),
        ("type", "a type alias"),
        ("static", "a static"),
        ("const", "a constant"),
        ("extern", "an `extern` block"),
        ("macro_rules", "a macro"),
    ];
    let words: Vec<(TokenTree, &'static str)> = item
        .clone()
        .into_iter()
        .filter_map(|token| {
            let TokenTree::Ident(word) = &token else {
                return None;
            };
            let (_, kind) = KEYWORDS.iter().find(|(keyword, _)| word == keyword)?;
            Some((token, *kind))
        })
        .collect();
    // `const fn` and `extern "C" fn` are functions.
    let function = words.iter().take(3).find(|(_, kind)| *kind == "a function");
    let (token, kind) = function.or_else(|| words.first())?;
    Some((token.clone(), *kind))
}
