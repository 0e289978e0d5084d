//! Generates the static data of a tool, resource or prompt, and of its parameters.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ExprPath;
use syn::spanned::Spanned;

use super::crate_path::private_at;
use crate::component::Component;
use crate::handler::{Handler, Parameter};
use crate::parse::{
    ArgOptions, Description, Flag, Icon, Number, OptionValue, ResourceOptions, ResultContent, SpecificOptions,
    ToolOptions,
};

/// Names of the runtime's items for one kind of component.
pub(super) struct RuntimeNames {
    /// The trait that the handle implements.
    pub(super) handle: Ident,
    pub(super) definition: Ident,
    pub(super) registered: Ident,
    /// The constant of `ServerBlockWithoutExtend` that lists the components of this kind.
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
    let ty = RuntimeNames::new(handler.component()).definition;
    let component = Some(expand_component_definition(handler, private));
    let specific = match &handler.options.specific {
        SpecificOptions::Tool(options) => tool_fields(options, private),
        SpecificOptions::Resource(options) => resource_fields(options, private),
        SpecificOptions::Prompt => Vec::new(),
    };
    let fields = std::iter::once(("component", component)).chain(specific);
    expand_struct(quote!(#private::#ty), fields)
}

/// Generates a struct from all its fields: those that the source sets, and those of its constant `EMPTY`.
fn expand_struct<'a>(ty: TokenStream, fields: impl IntoIterator<Item = (&'a str, Option<TokenStream>)>) -> TokenStream {
    let (given, left): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, value)| value.is_some());
    let fields = given.into_iter().map(|(name, value)| {
        let name = Ident::new(name, Span::mixed_site());
        quote!(#name: #value)
    });
    // Clippy reports a base that provides no field.
    let base = (!left.is_empty()).then(|| quote!(..#ty::EMPTY));
    quote!(#ty { #(#fields,)* #base })
}

/// Generates a struct of `Option`s with the values that are given, or nothing if there are none.
fn expand_options<'a>(
    ty: TokenStream,
    fields: impl IntoIterator<Item = (&'a str, Option<TokenStream>)>,
) -> Option<TokenStream> {
    let fields: Vec<_> = fields.into_iter().collect();
    let is_given = fields.iter().any(|(_, value)| value.is_some());
    is_given.then(|| expand_struct(ty, fields))
}

/// Generates `ComponentDefinition { .. }`, the part that all definitions have.
fn expand_component_definition(handler: &Handler<'_>, private: &Ident) -> TokenStream {
    let options = &handler.options;
    let icons: Vec<_> = options.icons.iter().map(|icon| expand_icon(icon, private)).collect();
    let fields = [
        ("name", Some(handler.name().to_token_stream())),
        ("title", some(options.title.as_ref())),
        ("description", description(&handler.description)),
        ("tags", list(&options.tags)),
        ("icons", list(&icons)),
        ("meta", some(options.meta.as_ref())),
        ("timeout", some(options.timeout.map(expand_duration))),
        ("middleware", expand_middleware(&options.middleware)),
        ("location", Some(expand_location(handler, private))),
        ("invoke", Some(invoke_name(handler).into_token_stream())),
    ];
    expand_struct(quote!(#private::ComponentDefinition), fields)
}

/// Returns the name of the generated function. It has the span of the user's, so that rustc, which reports a missing
/// type of a signature in both, suggests the same type parameter for both and shows one error.
pub(super) fn invoke_name(handler: &Handler<'_>) -> Ident {
    Ident::new("__invoke", handler.ident().span())
}

/// Returns `Some(..)` for a value that the source sets.
fn some(value: Option<impl ToTokens>) -> Option<TokenStream> {
    value.map(|value| expand_option(Some(value)))
}

/// Returns the description, if the source has one.
fn description(description: &Description) -> Option<TokenStream> {
    (!description.is_empty()).then(|| description.to_token_stream())
}

/// Returns `&[..]` for values that the source sets.
fn list<T: ToTokens>(values: &[T]) -> Option<TokenStream> {
    (!values.is_empty()).then(|| quote!(&[#(#values),*]))
}

/// Generates the closure that creates the middleware. rustc reports a value that is not middleware at its expression.
fn expand_middleware(layers: &[TokenStream]) -> Option<TokenStream> {
    let list = Ident::new("__layers", Span::mixed_site());
    let calls = layers.iter().map(|layer| {
        let span = layer.span();
        let private = private_at(span);
        let list = Ident::new("__layers", Span::mixed_site().located_at(span));
        quote_spanned!(span=> #private::add_layer(#list, #layer);)
    });
    (!layers.is_empty()).then(|| expand_option(Some(quote!(|#list| { #(#calls)* }))))
}

fn expand_duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// Generates the fields that only the definition of a tool has.
fn tool_fields(options: &ToolOptions, private: &Ident) -> Vec<(&'static str, Option<TokenStream>)> {
    let flag = |flag: &Option<Flag>| some(flag.as_ref().map(|Flag { on, .. }| on));
    let annotations = [
        ("read_only", flag(&options.read_only)),
        ("destructive", flag(&options.destructive)),
        ("idempotent", flag(&options.idempotent)),
        ("open_world", flag(&options.open_world)),
    ];
    let results = [
        ("structured", flag(&options.structured)),
        ("wrapped", flag(&options.wrapped)),
        ("link_text", flag(&options.link_text)),
        ("content", some(options.result_content.as_ref().map(|content| expand_result_content(content.value, private)))),
    ];
    vec![
        ("annotations", expand_options(quote!(#private::ToolAnnotations), annotations)),
        ("results", expand_options(quote!(#private::ResultOptions), results)),
    ]
}

fn expand_result_content(content: ResultContent, private: &Ident) -> TokenStream {
    let content = match content {
        ResultContent::Both => "Both",
        ResultContent::Text => "Text",
        ResultContent::Structured => "Structured",
    };
    let content = Ident::new(content, Span::mixed_site());
    quote!(#private::ResultContent::#content)
}

/// Generates the fields that only the definition of a resource has.
fn resource_fields(options: &ResourceOptions, private: &Ident) -> Vec<(&'static str, Option<TokenStream>)> {
    let annotations = [
        ("audience", list(&options.audience)),
        ("priority", some(options.priority.as_ref().map(|priority| priority.value.as_f64()))),
        ("last_modified", some(options.last_modified.as_ref())),
    ];
    let scope = options.scope.as_ref().map(|scope| {
        let scope = Ident::new(if scope.value() == "public" { "Public" } else { "Private" }, Span::mixed_site());
        quote!(#private::CacheScope::#scope)
    });
    vec![
        ("uri", expand_uri(options)),
        ("mime_type", some(options.mime_type.as_ref())),
        ("size", some(options.size.as_ref().map(|size| size.value))),
        ("annotations", expand_options(quote!(#private::ResourceAnnotations), annotations)),
        ("allow_traversal", list(&options.allow_traversal)),
        ("ttl", some(options.ttl.map(expand_duration))),
        ("scope", some(scope)),
    ]
}

/// Generates the URI of a resource.
fn expand_uri(options: &ResourceOptions) -> Option<TokenStream> {
    match &options.uri_constant {
        Some(path) => Some(path.to_token_stream()),
        None => options.uri.as_ref().map(|uri| uri.literal.value().to_token_stream()),
    }
}

/// Generates the check of a URI in a constant, which rustc reports at its path.
pub(super) fn expand_uri_check(handler: &Handler<'_>) -> Option<TokenStream> {
    let SpecificOptions::Resource(options) = &handler.options.specific else {
        return None;
    };
    let span = options.uri_constant.as_ref()?.span();
    let private = private_at(span);
    let handle = handler.handle();
    // Through the definition, so that a constant of another type is one error.
    Some(quote_spanned! {span=>
        const _: () = #private::check_constant_uri(<#handle as #private::ResourceHandle>::DEFINITION.uri);
    })
}

/// Generates `Location { .. }`. `line!()` has the span of the function's name, because the attribute is on another
/// line. Its path is one that editors do not resolve, so that the name does not lead to the macro.
fn expand_location(handler: &Handler<'_>, private: &Ident) -> TokenStream {
    let span = handler.ident().span();
    let there = private_at(span);
    let file = quote_spanned!(span=> #there::file!());
    let line = quote_spanned!(span=> #there::line!());
    quote! {
        #private::Location {
            file: #file,
            line: #line,
            module_path: ::core::module_path!(),
        }
    }
}

fn expand_icon(icon: &Icon, private: &Ident) -> TokenStream {
    let fields = [
        ("src", Some(icon.src.to_token_stream())),
        ("mime_type", some(icon.mime_type.as_ref())),
        ("sizes", list(&icon.sizes)),
        ("theme", some(icon.theme.as_ref())),
    ];
    expand_struct(quote!(#private::IconDefinition), fields)
}

/// Generates `Parameter { .. }`.
pub(super) fn expand_parameter(parameter: &Parameter<'_>, private: &Ident) -> TokenStream {
    let options = &parameter.options;
    let examples: Vec<_> = options.examples.iter().map(|(json, _)| json).collect();
    let fields = [
        ("name", Some(parameter.name().to_token_stream())),
        ("title", some(options.title.as_ref().map(|title| &title.value))),
        ("description", description(&parameter.description)),
        ("constraints", expand_constraints(options, private)),
        ("default", some(options.default.as_ref().map(|default| &default.json))),
        ("examples", list(&examples)),
        ("header", some(options.header.as_ref().map(|header| &header.value))),
        ("complete", some(options.complete.as_ref().map(|complete| expand_completion(&complete.value)))),
    ];
    expand_struct(quote!(#private::Parameter), fields)
}

/// Generates the closure that uses the user's completion function. rustc reports a wrong function at its path.
fn expand_completion(path: &ExprPath) -> TokenStream {
    let span = path.span();
    let private = private_at(span);
    let completing = Ident::new("__completing", Span::mixed_site().located_at(span));
    quote_spanned! {span=>
        |#completing| #private::complete(#path, #completing)
    }
}

/// Generates `Constraints { .. }`, or nothing if there are no constraints.
pub(super) fn expand_constraints(options: &ArgOptions, private: &Ident) -> Option<TokenStream> {
    let number =
        |bound: &Option<OptionValue<Number>>| some(bound.as_ref().map(|bound| expand_number(bound.value, private)));
    let fields = [
        ("min", number(&options.min)),
        ("max", number(&options.max)),
        ("min_length", some(options.min_length.as_ref().map(|bound| &bound.value))),
        ("max_length", some(options.max_length.as_ref().map(|bound| &bound.value))),
        ("pattern", some(options.pattern.as_ref().map(|pattern| &pattern.value))),
    ];
    expand_options(quote!(#private::Constraints), fields)
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
