//! The static data of a tool and of its parameters.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::krate::private_at;
use crate::model::{Execution, Parameter, ToolFn};
use crate::parse::{ArgOptions, Flag, Icon, Kind, Literal, Number};
use crate::types::respanned;

/// `ToolDefinition { .. }`.
pub(super) fn definition(tool: &ToolFn<'_>, private: &Ident) -> TokenStream {
    let name = tool.name();
    let options = &tool.options;
    let title = option(options.title.as_ref());
    let description = &tool.description;
    let annotations = [
        ("read_only", &options.read_only),
        ("destructive", &options.destructive),
        ("idempotent", &options.idempotent),
        ("open_world", &options.open_world),
    ];
    let annotations = annotations.map(|(key, flag)| {
        let key = Ident::new(key, Span::mixed_site());
        let value = option(flag.as_ref().map(|Flag { on, .. }| on));
        quote!(#key: #value)
    });
    let tags = &options.tags;
    let icons = options.icons.iter().map(|icon| self::icon(icon, private));
    let meta = option(options.meta.as_ref());
    let timeout = option(options.timeout.map(|timeout| {
        let (seconds, nanos) = (timeout.as_secs(), timeout.subsec_nanos());
        quote!(::core::time::Duration::new(#seconds, #nanos))
    }));
    let execution = match tool.execution() {
        Execution::Async => quote!(Async),
        Execution::Inline => quote!(Inline),
        Execution::Blocking | Execution::BlockingAsync => quote!(Blocking),
    };
    let location = location(tool, private);
    quote! {
        #private::ToolDefinition {
            name: #name,
            title: #title,
            description: #description,
            annotations: #private::ToolAnnotations { #(#annotations),* },
            tags: &[#(#tags),*],
            icons: &[#(#icons),*],
            meta: #meta,
            timeout: #timeout,
            execution: #private::Execution::#execution,
            location: #location,
            invoke: __invoke,
        }
    }
}

/// `Location { .. }`, where `line!()` is the line of the function's name, not of the attribute.
fn location(tool: &ToolFn<'_>, private: &Ident) -> TokenStream {
    let span = tool.ident().span();
    let file = quote_spanned!(span=> ::core::file!());
    let line = quote_spanned!(span=> ::core::line!());
    quote! {
        #private::Location {
            file: #file,
            line: #line,
            module_path: ::core::module_path!(),
            crate_name: ::core::env!("CARGO_PKG_NAME"),
            crate_version: ::core::env!("CARGO_PKG_VERSION"),
        }
    }
}

fn icon(icon: &Icon, private: &Ident) -> TokenStream {
    let Icon { src, sizes, .. } = icon;
    let mime_type = option(icon.mime_type.as_ref());
    let theme = option(icon.theme.as_ref());
    quote! {
        #private::IconDefinition {
            src: #src,
            mime_type: #mime_type,
            sizes: &[#(#sizes),*],
            theme: #theme,
        }
    }
}

/// `Parameter { .. }`.
pub(super) fn parameter(parameter: &Parameter<'_>, private: &Ident) -> TokenStream {
    let name = parameter.name();
    let description = &parameter.description;
    let options = &parameter.options;
    let constraints = constraints(options, private);
    let default = option(options.default.as_ref().map(|default| &default.json));
    let examples = options.examples.iter().map(|(json, _)| json);
    let header = option(options.header.as_ref().map(|header| &header.value));
    quote! {
        #private::Parameter {
            name: #name,
            description: #description,
            constraints: #constraints,
            default: #default,
            examples: &[#(#examples),*],
            header: #header,
            complete: ::core::option::Option::None,
        }
    }
}

/// `Constraints { .. }`.
pub(super) fn constraints(options: &ArgOptions, private: &Ident) -> TokenStream {
    if !options.is_constrained() {
        return quote!(#private::Constraints::NONE);
    }
    let bounds = [("min", &options.min), ("max", &options.max)].map(|(key, bound)| {
        let value = bound.as_ref().map(|bound| number(bound.value, private));
        (key, value)
    });
    let lengths = [("min_length", &options.min_length), ("max_length", &options.max_length)]
        .map(|(key, bound)| (key, bound.as_ref().map(|bound| bound.value.to_token_stream())));
    let pattern = options.pattern.as_ref().map(|pattern| pattern.value.to_token_stream());
    let fields = bounds.into_iter().chain(lengths).chain([("pattern", pattern)]).filter_map(|(key, value)| {
        let key = Ident::new(key, Span::mixed_site());
        let value = value?;
        Some(quote!(#key: ::core::option::Option::Some(#value)))
    });
    quote!(#private::Constraints { #(#fields,)* ..#private::Constraints::NONE })
}

fn number(number: Number, private: &Ident) -> TokenStream {
    match number {
        Number::Integer(value) => quote!(#private::Number::Integer(#value)),
        Number::Float(value) => quote!(#private::Number::Float(#value)),
    }
}

/// Whether a default suits the type, asked where it is written.
pub(super) fn default_check(default: &Literal, ty: &TokenStream) -> TokenStream {
    let span = default.tokens.span();
    let private = private_at(span);
    let ty = respanned(ty.clone(), span);
    let kind = match default.kind {
        Kind::Integer => "integer",
        Kind::Float => "float",
        Kind::Text => "text",
        Kind::Flag => "flag",
    };
    let kind = Ident::new(kind, span);
    quote_spanned!(span=> (&#private::DefaultOf::<#ty>::NEW).kind().#kind();)
}

pub(super) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
