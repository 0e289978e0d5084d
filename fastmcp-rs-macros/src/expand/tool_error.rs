//! Expands `#[derive(mcp::ToolError)]`.
//!
//! The type gets a function that sorts its errors by their audience. An entry in the inventory makes the function known
//! to `ToolError`, so that `?` follows it, too.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Member};

use super::crate_path::{CratePath, private, private_at};
use crate::parse::{ErrorCase, ErrorType, Visible};

/// Generates the implementation and its registration.
pub(crate) fn expand_tool_error(error: &ErrorType<'_>) -> TokenStream {
    let private = private();
    let path = CratePath::new(error.options.crate_path.as_ref()).private();
    let name = &error.input.ident;
    let arms: Vec<TokenStream> = error.cases.iter().filter_map(|case| expand_case(error, case)).collect();
    let rest = (arms.len() < error.cases.len()).then(|| quote!(_ => #private::TypedError::Internal(self),));
    // At the name of the type, where rustc then reports that it is not an error.
    let private_here = private_at(name.span());
    let convert = quote_spanned!(name.span()=> #private_here::convert_typed::<#name>);
    quote! {
        #[allow(deprecated, unused_qualifications)]
        const _: () = {
            use #path as #private;

            impl #private::ClassifyError for #name {
                fn classify(self) -> #private::TypedError<Self> {
                    match self {
                        #(#arms)*
                        #rest
                    }
                }
            }

            const __REGISTERED: #private::RegisteredError = #private::RegisteredError(#convert);

            #private::inventory::submit! { __REGISTERED }
        };
    }
}

/// Generates the arm of a case, or nothing for an internal error.
fn expand_case(error: &ErrorType<'_>, case: &ErrorCase<'_>) -> Option<TokenStream> {
    let private = private();
    let path = match case.variant {
        Some(variant) => quote!(Self::#variant),
        None => quote!(Self),
    };
    match error.visible(case) {
        Some(Visible::Own(true)) => Some(quote!(#path { .. } => #private::TypedError::Visible(self),)),
        Some(Visible::Text(text)) => {
            let (bindings, text) = expand_text(text, case);
            Some(quote!(#path { #(#bindings,)* .. } => #private::TypedError::Text(#text),))
        }
        Some(Visible::Own(false)) => None,
        None if case.is_transparent => {
            let field = case.fields.members().next()?;
            let span = case.fields.span();
            let private_here = private_at(span);
            let inner = Ident::new("__inner", Span::mixed_site());
            let convert = quote_spanned!(span=> #private_here::ToolError::from(#inner));
            Some(quote!(#path { #field: #inner } => #private::TypedError::Transparent(#convert),))
        }
        None => None,
    }
}

/// Generates the bindings of the fields that the text names, and the call that formats it.
fn expand_text(text: &LitStr, case: &ErrorCase<'_>) -> (Vec<TokenStream>, TokenStream) {
    let span = text.span();
    let mut format = text.value();
    let mut bindings = Vec::new();
    let mut arguments = Vec::new();
    for (member, (name, _)) in case.fields.members().zip(case.named_fields()) {
        // `{0}` would count the arguments of the call, and `{type}` is no name for an argument, so the arguments of such
        // fields have other names.
        let argument = match &member {
            Member::Named(field) if *field != name => format_ident!("__raw_{name}", span = span),
            Member::Named(field) => field.clone(),
            Member::Unnamed(_) => format_ident!("_{name}", span = span),
        };
        if rename_placeholder(&mut format, &name, &argument.to_string()) {
            let binding = format_ident!("__field_{}", bindings.len(), span = Span::mixed_site());
            bindings.push(quote!(#member: #binding));
            arguments.push(quote!(#argument = #binding));
        }
    }
    let format = LitStr::new(&format, span);
    (bindings, quote_spanned!(span=> ::std::format!(#format #(, #arguments)*)))
}

/// Renames the placeholders `{name}` and `{name:..}` of a format string, and returns whether there are any.
fn rename_placeholder(format: &mut String, name: &str, new: &str) -> bool {
    let mut renamed = String::new();
    let mut rest = format.as_str();
    let mut is_used = false;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at + 1);
        renamed.push_str(before);
        rest = after;
        if let Some(escaped) = rest.strip_prefix('{') {
            renamed.push('{');
            rest = escaped;
        } else if let Some(end) = rest.strip_prefix(name).filter(|end| end.starts_with([':', '}'])) {
            renamed.push_str(new);
            rest = end;
            is_used = true;
        }
    }
    renamed.push_str(rest);
    *format = renamed;
    is_used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_outside_of_escapes_are_placeholders() {
        for (format, expected) in [
            ("{0} of {0:?}", Some("{_0} of {_0:?}")),
            ("{{0}} {00}", None),
            ("0 {1}", None),
            ("{{{0}}}", Some("{{{_0}}}")),
        ] {
            let mut renamed = format.to_owned();
            let is_used = rename_placeholder(&mut renamed, "0", "_0");
            assert_eq!((is_used, renamed.as_str()), (expected.is_some(), expected.unwrap_or(format)));
        }
    }
}
