//! The static data of a tool, a resource or a prompt, and of its parameters.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ExprPath;
use syn::spanned::Spanned;

use super::krate::private_at;
use crate::component::Component;
use crate::model::{Execution, Handler, Parameter};
use crate::parse::{ArgOptions, Flag, Hints, Icon, Kind, Literal, Number, OwnOptions, ResourceOptions};
use crate::types::{Shape, respanned};

/// What the runtime calls the parts of a component.
pub(super) struct Names {
    /// The trait that the handle implements.
    pub(super) component: Ident,
    pub(super) definition: Ident,
    pub(super) registered: Ident,
    /// The constant of a server that lists its components of this kind.
    pub(super) list: Ident,
}

impl Names {
    pub(super) fn of(component: Component) -> Self {
        let name = match component {
            Component::Tool => "Tool",
            Component::Resource => "Resource",
            Component::Prompt => "Prompt",
        };
        let ident = |text: String| Ident::new(&text, Span::mixed_site());
        Self {
            component: ident(name.to_owned()),
            definition: ident(format!("{name}Definition")),
            registered: ident(format!("Registered{name}")),
            list: ident(format!("{name}s").to_uppercase()),
        }
    }
}

/// `ToolDefinition { .. }` and the like.
pub(super) fn definition(handler: &Handler<'_>, private: &Ident) -> TokenStream {
    let name = handler.name();
    let options = &handler.options;
    let title = option(options.title.as_ref());
    let description = &handler.description;
    let tags = &options.tags;
    let icons = options.icons.iter().map(|icon| self::icon(icon, private));
    let meta = option(options.meta.as_ref());
    let timeout = option(options.timeout.map(duration));
    let execution = match handler.execution() {
        Execution::Async => quote!(Async),
        Execution::Inline => quote!(Inline),
        Execution::Blocking | Execution::BlockingAsync => quote!(Blocking),
    };
    let location = location(handler, private);
    let ty = Names::of(handler.component()).definition;
    let own = match &options.own {
        OwnOptions::Tool(hints) => hint_fields(hints, private),
        OwnOptions::Resource(own) => resource_fields(own, private),
        OwnOptions::Prompt => TokenStream::new(),
    };
    quote! {
        #private::#ty {
            name: #name,
            title: #title,
            description: #description,
            #own
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

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// What only a tool's definition has.
fn hint_fields(options: &Hints, private: &Ident) -> TokenStream {
    let hints = [
        ("read_only", &options.read_only),
        ("destructive", &options.destructive),
        ("idempotent", &options.idempotent),
        ("open_world", &options.open_world),
    ];
    let structured = option(options.structured.as_ref().map(|Flag { on, .. }| on));
    let hints = hints.map(|(key, flag)| {
        let key = Ident::new(key, Span::mixed_site());
        let value = option(flag.as_ref().map(|Flag { on, .. }| on));
        quote!(#key: #value)
    });
    quote! {
        annotations: #private::ToolAnnotations { #(#hints),* },
        structured: #structured,
    }
}

/// What only a resource's definition has.
fn resource_fields(own: &ResourceOptions, private: &Ident) -> TokenStream {
    let uri = own.uri.as_ref().map(|uri| uri.literal.value()).unwrap_or_default();
    let mime_type = option(own.mime_type.as_ref());
    let size = option(own.size.as_ref().map(|size| size.value));
    let audience = &own.audience;
    let priority = option(own.priority.as_ref().map(|priority| priority.value.as_f64()));
    let last_modified = option(own.last_modified.as_ref());
    let allow_traversal = &own.allow_traversal;
    let ttl = option(own.ttl.map(duration));
    let scope = option(own.scope.as_ref().map(|scope| {
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

/// `Location { .. }`, where `line!()` is the line of the function's name, not of the attribute.
fn location(handler: &Handler<'_>, private: &Ident) -> TokenStream {
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
    let title = option(options.title.as_ref().map(|title| &title.value));
    let default = option(options.default.as_ref().map(|default| &default.json));
    let examples = options.examples.iter().map(|(json, _)| json);
    let header = option(options.header.as_ref().map(|header| &header.value));
    let complete = option(options.complete.as_ref().map(|complete| completion(&complete.value)));
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

/// What calls the user's function; a function that cannot complete is reported at its path.
fn completion(path: &ExprPath) -> TokenStream {
    let span = path.span();
    let private = private_at(span);
    let [completing, context] =
        ["__completing", "__context"].map(|name| Ident::new(name, Span::mixed_site().located_at(span)));
    quote_spanned! {span=>
        |#completing, #context| #private::complete(#path, #completing, #context)
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

/// Whether the constraints can hold for the type, asked where they are written.
///
/// The spelling of most types has told that already; this is for those with another name.
pub(super) fn bound_checks(options: &ArgOptions, ty: &TokenStream, shape: Shape) -> TokenStream {
    let check = |tokens: &TokenStream, condition: &dyn Fn(Ident, TokenStream) -> TokenStream, problem: String| {
        let span = tokens.span();
        let private = private_at(span);
        let ty = respanned(ty.clone(), span);
        let values = quote_spanned!(span=> #private::BoundsOf::<#ty>::VALUES);
        let condition = condition(private, values);
        quote_spanned! {span=>
            const _: () = if !#condition {
                ::core::panic!("{}", #problem)
            };
        }
    };
    let bounds = [&options.min, &options.max].into_iter().flatten().filter(|_| shape == Shape::Unknown);
    let bounds = bounds.map(|bound| {
        let text = format!(
            "`{} = {}` is no value of this argument's type: remove it, or change the type",
            bound.key,
            bound.tokens.to_string().replace("- ", "-")
        );
        let is_reached = |private: Ident, values: TokenStream| {
            let number = number(bound.value, &private);
            quote_spanned!(bound.tokens.span()=> #values.reach(#number))
        };
        check(&bound.tokens, &is_reached, text)
    });
    let (min, max) = (&options.min_length, &options.max_length);
    let length = min.as_ref().or(max.as_ref()).filter(|_| matches!(shape, Shape::List | Shape::Unknown));
    let length = length.map(|first| {
        let low = min.as_ref().map_or(0, |min| min.value);
        let high = max.as_ref().map_or(u64::MAX, |max| max.value);
        let text = "no value of this argument's type has such a length: remove the bound, or change the type";
        let condition =
            |_: Ident, values: TokenStream| quote_spanned!(first.tokens.span()=> #values.have_length(#low, #high));
        check(&first.tokens, &condition, text.to_owned())
    });
    bounds.chain(length).collect()
}

pub(super) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
