//! Generates the static data of a tool, resource or prompt, and of its parameters.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ExprPath;
use syn::spanned::Spanned;

use super::crate_path::private_at;
use crate::component::Component;
use crate::handler::{Execution, Handler, Parameter};
use crate::parse::{ArgOptions, Flag, Icon, Number, ResourceOptions, SpecificOptions, ToolOptions};

/// Names of the runtime's items for one kind of component.
pub(super) struct RuntimeNames {
    /// The trait that the handle implements.
    pub(super) handle: Ident,
    pub(super) definition: Ident,
    pub(super) registered: Ident,
    /// The constant of `ComponentLists` that lists the components of this kind.
    pub(super) list: Ident,
}

impl RuntimeNames {
    pub(super) fn new(component: Component) -> Self {
        let name = match component {
            Component::Tool => "Tool",
            Component::Resource => "Resource",
            Component::Prompt => "Prompt",
        };
        let ident = |text: String| Ident::new(&text, Span::mixed_site());
        Self {
            handle: ident(format!("{name}Handle")),
            definition: ident(format!("{name}Definition")),
            registered: ident(format!("Registered{name}")),
            list: ident(format!("{name}s").to_uppercase()),
        }
    }
}

/// Generates `ToolDefinition { .. }`, `ResourceDefinition { .. }` or `PromptDefinition { .. }`.
pub(super) fn expand_definition(handler: &Handler<'_>, private: &Ident) -> TokenStream {
    let name = handler.name();
    let options = &handler.options;
    let title = expand_option(options.title.as_ref());
    let description = &handler.description;
    let tags = &options.tags;
    let icons = options.icons.iter().map(|icon| expand_icon(icon, private));
    let meta = expand_option(options.meta.as_ref());
    let timeout = expand_option(options.timeout.map(expand_duration));
    let execution = match handler.execution() {
        Execution::Async => quote!(Async),
        Execution::Inline => quote!(Inline),
        Execution::Blocking | Execution::BlockingAsync => quote!(Blocking),
    };
    let location = expand_location(handler, private);
    let ty = RuntimeNames::new(handler.component()).definition;
    let specific_fields = match &options.specific {
        SpecificOptions::Tool(options) => tool_fields(options, private),
        SpecificOptions::Resource(options) => resource_fields(options, private),
        SpecificOptions::Prompt => TokenStream::new(),
    };
    quote! {
        #private::#ty {
            name: #name,
            title: #title,
            description: #description,
            #specific_fields
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

fn expand_duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// Generates the fields that only the definition of a tool has.
fn tool_fields(options: &ToolOptions, private: &Ident) -> TokenStream {
    let hints = [
        ("read_only", &options.read_only),
        ("destructive", &options.destructive),
        ("idempotent", &options.idempotent),
        ("open_world", &options.open_world),
    ];
    let results =
        [("structured", &options.structured), ("wrapped", &options.wrapped), ("link_text", &options.link_text)];
    let field = |(key, flag): (&str, &Option<Flag>)| {
        let key = Ident::new(key, Span::mixed_site());
        let value = expand_option(flag.as_ref().map(|Flag { on, .. }| on));
        quote!(#key: #value)
    };
    let (hints, results) = (hints.map(field), results.map(field));
    quote! {
        annotations: #private::ToolAnnotations { #(#hints),* },
        results: #private::ResultOptions { #(#results),* },
    }
}

/// Generates the fields that only the definition of a resource has.
fn resource_fields(options: &ResourceOptions, private: &Ident) -> TokenStream {
    let uri = options.uri.as_ref().map(|uri| uri.literal.value()).unwrap_or_default();
    let mime_type = expand_option(options.mime_type.as_ref());
    let size = expand_option(options.size.as_ref().map(|size| size.value));
    let audience = &options.audience;
    let priority = expand_option(options.priority.as_ref().map(|priority| priority.value.as_f64()));
    let last_modified = expand_option(options.last_modified.as_ref());
    let allow_traversal = &options.allow_traversal;
    let ttl = expand_option(options.ttl.map(expand_duration));
    let scope = expand_option(options.scope.as_ref().map(|scope| {
        let scope = Ident::new(if scope.value() == "public" { "Public" } else { "Private" }, Span::mixed_site());
        quote!(#private::CacheScope::#scope)
    }));
    quote! {
        uri: #uri,
        mime_type: #mime_type,
        size: #size,
        annotations: #private::ResourceAnnotations {
            audience: &[#(#audience),*],
            priority: #priority,
            last_modified: #last_modified,
        },
        allow_traversal: &[#(#allow_traversal),*],
        ttl: #ttl,
        scope: #scope,
    }
}

/// Generates `Location { .. }`. `line!()` has the span of the function's name, because the attribute is on another
/// line.
fn expand_location(handler: &Handler<'_>, private: &Ident) -> TokenStream {
    let span = handler.ident().span();
    let file = quote_spanned!(span=> ::core::file!());
    let line = quote_spanned!(span=> ::core::line!());
    quote! {
        #private::Location {
            file: #file,
            line: #line,
            module_path: ::core::module_path!(),
        }
    }
}

fn expand_icon(icon: &Icon, private: &Ident) -> TokenStream {
    let Icon { src, sizes, .. } = icon;
    let mime_type = expand_option(icon.mime_type.as_ref());
    let theme = expand_option(icon.theme.as_ref());
    quote! {
        #private::IconDefinition {
            src: #src,
            mime_type: #mime_type,
            sizes: &[#(#sizes),*],
            theme: #theme,
        }
    }
}

/// Generates `Parameter { .. }`.
pub(super) fn expand_parameter(parameter: &Parameter<'_>, private: &Ident) -> TokenStream {
    let name = parameter.name();
    let description = &parameter.description;
    let options = &parameter.options;
    let constraints = expand_constraints(options, private);
    let title = expand_option(options.title.as_ref().map(|title| &title.value));
    let default = expand_option(options.default.as_ref().map(|default| &default.json));
    let examples = options.examples.iter().map(|(json, _)| json);
    let header = expand_option(options.header.as_ref().map(|header| &header.value));
    let complete = expand_option(options.complete.as_ref().map(|complete| expand_completion(&complete.value)));
    quote! {
        #private::Parameter {
            name: #name,
            title: #title,
            description: #description,
            constraints: #constraints,
            default: #default,
            examples: &[#(#examples),*],
            header: #header,
            complete: #complete,
        }
    }
}

/// Generates the closure that calls the user's completion function. rustc reports a wrong function at its path.
fn expand_completion(path: &ExprPath) -> TokenStream {
    let span = path.span();
    let private = private_at(span);
    let [completing, context] =
        ["__completing", "__context"].map(|name| Ident::new(name, Span::mixed_site().located_at(span)));
    quote_spanned! {span=>
        |#completing, #context| #private::complete(#path, #completing, #context)
    }
}

/// Generates `Constraints { .. }`.
pub(super) fn expand_constraints(options: &ArgOptions, private: &Ident) -> TokenStream {
    if !options.is_constrained() {
        return quote!(#private::Constraints::NONE);
    }
    let bounds = [("min", &options.min), ("max", &options.max)].map(|(key, bound)| {
        let value = bound.as_ref().map(|bound| expand_number(bound.value, private));
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

pub(super) fn expand_number(number: Number, private: &impl ToTokens) -> TokenStream {
    match number {
        Number::Integer(value) => quote!(#private::Number::Integer(#value)),
        Number::Float(value) => quote!(#private::Number::Float(#value)),
    }
}

/// Generates `Some(..)` or `None`.
pub(super) fn expand_option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
