//! Recognises the spelling of other frameworks, so that errors can answer with ours.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Pat, PatType, Path, Type};

use super::tokens::{is_punct, split_at_commas};
use crate::types::{generic_arguments, strip_groups};

/// The hints of the specification, of rmcp and of FastMCP, and our options for them.
pub(super) const HINTS: &[(&str, &str)] = &[
    ("title", "title"),
    ("readOnlyHint", "read_only"),
    ("read_only_hint", "read_only"),
    ("destructiveHint", "destructive"),
    ("destructive_hint", "destructive"),
    ("idempotentHint", "idempotent"),
    ("idempotent_hint", "idempotent"),
    ("openWorldHint", "open_world"),
    ("open_world_hint", "open_world"),
    ("audience", "audience"),
    ("priority", "priority"),
    ("lastModified", "last_modified"),
    ("last_modified", "last_modified"),
];

/// Explains that hints are options of their own, and translates those that are written: `annotations(read_only_hint =
/// true)`, `annotations = {"readOnlyHint": True}`, `annotations = ToolAnnotations(readOnlyHint=True)`.
pub(super) fn annotations_message(value: &TokenStream) -> String {
    let options = match translate_hints(value.clone()) {
        options if options.is_empty() => "`read_only`, `destructive`, `title = \"..\"` and the like".to_owned(),
        options => format!("`{}`", options.join(", ")),
    };
    format!("hints are options of their own: write {options} instead of `annotations`")
}

/// Returns our options for all hints in the tokens.
fn translate_hints(tokens: TokenStream) -> Vec<String> {
    let mut options = Vec::new();
    for part in split_at_commas(tokens) {
        let key = part.iter().find_map(|token| match token {
            TokenTree::Ident(word) => find_hint(&word.to_string()),
            TokenTree::Literal(literal) => find_hint(literal.to_string().trim_matches('"')),
            _ => None,
        });
        let sign = part.iter().position(|token| is_punct(token, '=') || is_punct(token, ':'));
        match (key, sign) {
            (Some(key), Some(sign)) => {
                let value: TokenStream = part[sign + 1..].iter().cloned().collect();
                options.push(match value.to_string().to_lowercase().as_str() {
                    "true" => key.to_owned(),
                    "false" => format!("{key} = false"),
                    _ => format!("{key} = {value}"),
                });
            }
            _ => options.extend(part.into_iter().flat_map(|token| match token {
                TokenTree::Group(group) => translate_hints(group.stream()),
                _ => Vec::new(),
            })),
        }
    }
    options
}

fn find_hint(name: &str) -> Option<&'static str> {
    HINTS.iter().find(|(hint, _)| *hint == name).map(|(_, option)| *option)
}

/// Returns the fix for an option that has no counterpart here, because the same thing is said elsewhere.
pub(super) fn find_elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "input_schema" | "inputSchema" | "parameters" | "params" => {
            "the input schema is made from the types of the parameters: remove it"
        }
        "exclude_args" => "clients do not see parameters of the types `State<T>` and `&Context`: remove it",
        "enabled" | "disabled" => "`AppHandle::disable` turns components off: remove it",
        "auth" => "`App::visible_if` decides which callers see a component: remove it",
        "vis" => "the handle has the visibility of the function, such as `pub`: remove it",
        "version" => "the version is that of the app, `App::version`: remove it",
        "task" | "execution" => "tools run as plain calls, without tasks: remove it",
        _ => return None,
    })
}

/// Returns `T` of a parameter of the type `Parameters<T>`, with which rmcp wraps all arguments. A type of that name in
/// a module of the user has a longer path.
pub(crate) fn find_wrapped_parameters(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = strip_groups(ty) else {
        return None;
    };
    let is_foreign = path.path.segments.len() == 1 || path.path.segments.first()?.ident == "rmcp";
    match generic_arguments(ty, "Parameters")?.as_slice() {
        [inner] if is_foreign => Some(inner),
        _ => None,
    }
}

/// Replaces `Parameters` by a type that exists, so that rustc does not report the missing one too.
pub(super) fn replace_wrapped_parameters(parameter: &mut PatType) {
    let Some(inner) = find_wrapped_parameters(&parameter.ty).cloned() else {
        return;
    };
    let path: Path = syn::parse_quote!(::fastmcp_rs::__private::Parameters);
    if let Pat::TupleStruct(pattern) = &mut *parameter.pat {
        pattern.path = path.clone();
    }
    *parameter.ty = syn::parse_quote!(#path<#inner>);
}

/// Explains that there is no `Parameters<T>`.
pub(crate) fn wrapped_parameters_message(inner: &Type) -> String {
    let inner = inner.to_token_stream().to_string().replace(' ', "");
    format!(
        "there is no `Parameters<T>`: write the members of `{inner}` as parameters of the function, or put \
         `#[arg(flatten)]` on a parameter of the type `{inner}`"
    )
}
