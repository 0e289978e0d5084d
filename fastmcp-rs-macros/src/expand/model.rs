//! Expands `#[mcp::model]`.
//!
//! The type derives the traits of serde and schemars, through the runtime's re-exports. Constraints are published as
//! extensions of a field's schema. They are enforced by a generated `Deserialize`, which reads a shadow of the type
//! with serde's derive and then checks each constrained field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Member, Type, Variant, Visibility};

use super::attributes::cfg_attributes;
use super::checks::{expand_bound_checks, expand_computed_default, expand_default_check};
use super::crate_path::{CratePath, import_runtime, private, private_at};
use super::definition::{expand_constraints, expand_number};
use super::model_fields::{expand_field_checks, expand_guarded, expand_stubs};
use super::model_names::{expand_markers, expand_names};
use crate::model::{
    ClosedObjects, Direction, FieldGroup, FormKind, Model, ModelField, derived_paths, has_flatten, is_lax_variant,
};
use crate::parse::{JsonLiteral, Number, OptionValue};
use crate::serde_options::has_serde_option;
use crate::types::{Shape, rename_self};

/// Generates the type with its derives, its defaults, its `Deserialize`, the checks of its fields and its form.
pub(crate) fn expand_model(model: &Model<'_>) -> TokenStream {
    let crate_path = CratePath::new(model.crate_path.as_ref());
    let is_guarded = model.is_guarded();
    let has_own_deserialize = model.direction.is_read() && (model.is_constrained() || model.has_lax_variants());
    let derives = Derives {
        serialize: model.direction.is_written(),
        deserialize: model.direction.is_read() && !has_own_deserialize,
        schema: true,
    };
    let item = match is_guarded {
        true => {
            let item = strip_options(model);
            let attributes = crate_path.private_text("ModelAttributes");
            let attributes: syn::Path =
                syn::parse_str(&attributes).unwrap_or_else(|_| syn::parse_quote!(ModelAttributes));
            quote!(#[derive(#attributes)] #item)
        }
        false => {
            let derives = expand_derives(model, &crate_path, &derives);
            let item = convert_options(model, &crate_path);
            quote!(#derives #item)
        }
    };
    let defaults = model.direction.is_read().then(|| expand_defaults(model));
    let implementations = match (is_guarded, has_own_deserialize) {
        (true, _) => expand_guarded(model, &crate_path),
        (false, true) => expand_deserialize(model, &crate_path),
        (false, false) => TokenStream::new(),
    };
    let fields = expand_field_checks(model);
    let names = expand_names(model);
    let markers = expand_markers(model);
    let form = expand_form(model, true);
    let block = expand_block(model, &crate_path, &quote!(#defaults #implementations #fields #names #markers #form));
    quote!(#item #block)
}

/// Generates a replacement for a type with mistakes. It has all traits, so that code that uses it does not fail too.
///
/// The traits are not derived, because the derives would report the mistakes again.
pub(crate) fn expand_broken_model(model: &Model<'_>) -> TokenStream {
    let crate_path = CratePath::new(model.crate_path.as_ref());
    let mut item = model.input.clone();
    if matches!(item.data, Data::Union(_)) || has_written_derives(&item.attrs) {
        remove_attributes(&mut item, |attribute| attribute.path().is_ident("arg"));
        return item.into_token_stream();
    }
    let ours = ["arg", "serde", "schemars"];
    remove_attributes(&mut item, |attribute| ours.iter().any(|name| attribute.path().is_ident(name)));
    let stubs = expand_stubs(model);
    let names = expand_names(model);
    let markers = expand_markers(model);
    let form = expand_form(model, false).into_token_stream();
    let block = expand_block(model, &crate_path, &quote!(#stubs #names #markers #form));
    quote!(#item #block)
}

/// Wraps implementations in a block of their own, which imports the runtime. Generates nothing if there are none.
fn expand_block(model: &Model<'_>, crate_path: &CratePath, implementations: &TokenStream) -> Option<TokenStream> {
    let conditions = cfg_attributes(&model.input.attrs);
    let imports = import_runtime(crate_path);
    (!implementations.is_empty()).then(|| {
        quote! {
            #(#conditions)*
            #[allow(deprecated, unused_qualifications)]
            const _: () = {
                #imports
                #implementations
            };
        }
    })
}

/// The derives that the macro may write itself.
const DERIVED: [&str; 3] = ["Serialize", "Deserialize", "JsonSchema"];

/// Returns whether the user derives one of the traits, which is reported already.
fn has_written_derives(attributes: &[Attribute]) -> bool {
    let is_ours =
        |path: &syn::Path| path.segments.last().is_some_and(|last| DERIVED.iter().any(|name| last.ident == name));
    derived_paths(attributes).iter().any(is_ours)
}

/// Generates the traits of types that elicitation can ask for.
///
/// A field that no form can have is not a mistake of the type, which may have other uses. The lifetime in each bound
/// allows a bound that does not hold, and rustc reports it at the elicitation.
fn expand_form(model: &Model<'_>, with_bounds: bool) -> Option<TokenStream> {
    let name = &model.input.ident;
    // rustc shows the implementation with its bounds, so the span is that of the type's name, not of the attribute.
    let span = name.span();
    let private = private_at(span);
    let bounds = |types: &[&Type]| {
        let types = types.iter().filter(|_| with_bounds).map(|ty| {
            let span = ty.span();
            let private = private_at(span);
            quote_spanned!(span=> for<'__form> #private::FieldOf<'__form, #ty>: #private::FormMember)
        });
        quote!(where #(#types),*)
    };
    Some(match model.form_kind()? {
        FormKind::Object(types) => {
            let bounds = bounds(&types);
            quote_spanned!(span=> impl #private::Form for #name #bounds {})
        }
        FormKind::Choice => quote_spanned! {span=>
            impl #private::FieldType for #name {}
            impl #private::FormField for #name {}
            impl #private::FormChoice for #name {}
            impl #private::Form for #name {
                const IS_FIELD: bool = true;
            }
        },
        FormKind::Wrapper(ty) => {
            let bounds = bounds(&[ty]);
            quote_spanned! {span=>
                impl #private::FieldType for #name {}
                impl #private::FormField for #name #bounds {}
                impl #private::Form for #name #bounds {
                    const IS_FIELD: bool = true;
                }
            }
        }
    })
}

/// Returns the path of serde for the derives. Closed types use `model_serde`, which rejects unknown members of
/// arguments.
pub(super) fn serde_path(crate_path: &CratePath, closed: Option<&ClosedObjects>) -> String {
    crate_path.private_text(if closed.is_some() { "model_serde" } else { "serde" })
}

/// Returns the marker for the type's schema that tells the runtime's normaliser which objects are closed.
///
/// A type that allows unknown members has one if it has flattened fields, whose markers would count as its own.
fn schema_marker(model: &Model<'_>) -> Option<String> {
    let marker = match model.closed_objects() {
        Some(ClosedObjects::Struct) => "struct",
        Some(ClosedObjects::FlatStruct) => "flat",
        Some(ClosedObjects::Variants) => "variants",
        Some(ClosedObjects::Contents) => "contents",
        Some(ClosedObjects::Content(name)) => return Some(format!("content:{name}")),
        None if model.is_open() => "open",
        None => return None,
    };
    Some(marker.to_owned())
}

/// The traits that a type derives.
pub(super) struct Derives {
    pub(super) serialize: bool,
    pub(super) deserialize: bool,
    pub(super) schema: bool,
}

/// Generates the derives and their attributes.
pub(super) fn expand_derives(model: &Model<'_>, crate_path: &CratePath, derives: &Derives) -> TokenStream {
    let private = crate_path.private();
    let serde = serde_path(crate_path, model.closed_objects().as_ref());
    let closed = schema_marker(model).map(|mark| quote!(, extend("x-fastmcp-closed" = #mark)));
    let schemars = crate_path.private_text("schemars");
    let serialize = derives.serialize.then(|| quote!(#private::serde::Serialize,));
    let deserialize = derives.deserialize.then(|| quote!(#private::serde::Deserialize,));
    let schema = derives.schema.then(|| quote!(#private::schemars::JsonSchema));
    let serde = (derives.serialize || derives.deserialize).then(|| quote!(#[serde(crate = #serde)]));
    let schemars = derives.schema.then(|| quote!(#[schemars(crate = #schemars #closed)]));
    quote! {
        #[derive(#serialize #deserialize #schema)]
        #serde
        #schemars
    }
}

/// Returns the type without `#[arg]`, for a type whose traits are derived on a hidden copy.
fn strip_options(model: &Model<'_>) -> DeriveInput {
    let mut item = model.input.clone();
    remove_attributes(&mut item, |attribute| attribute.path().is_ident("arg"));
    item
}

/// Converts the `#[arg]` options of the type's fields into attributes of serde and schemars.
pub(super) fn convert_options(model: &Model<'_>, crate_path: &CratePath) -> DeriveInput {
    let mut item = model.input.clone();
    let groups: Vec<&mut Fields> = field_lists(&mut item.data);
    for (fields, group) in groups.into_iter().zip(&model.groups) {
        for (field, described) in fields.iter_mut().zip(&group.fields) {
            field.attrs.retain(|attribute| !attribute.path().is_ident("arg"));
            field.attrs.extend(make_serde_attributes(model, group, described));
            field.attrs.extend(make_schema_attribute(described, crate_path));
        }
    }
    if model.closed_objects().is_some() {
        mark_foreign_variants(&mut item.data);
    }
    item
}

/// Marks variants that hold a value of another type, because that type has its own rules for unknown members.
fn mark_foreign_variants(data: &mut Data) {
    let Data::Enum(data) = data else { return };
    for variant in &mut data.variants {
        if matches!(variant.fields, Fields::Unnamed(_)) || has_flatten(&variant.fields) {
            variant.attrs.push(syn::parse_quote!(#[schemars(extend("x-fastmcp-foreign" = true))]));
        }
    }
}

pub(super) fn field_lists(data: &mut Data) -> Vec<&mut Fields> {
    match data {
        Data::Struct(data) => vec![&mut data.fields],
        Data::Enum(data) => data.variants.iter_mut().map(|variant| &mut variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    }
}

fn make_serde_attributes(model: &Model<'_>, group: &FieldGroup<'_>, field: &ModelField<'_>) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    if let Some(rename) = &field.options.rename {
        attributes.push(syn::parse_quote!(#[serde(rename = #rename)]));
    }
    if field.options.has_default() {
        let path = format!("{}::{}", model.input.ident, default_function_name(group.variant, field));
        attributes.push(syn::parse_quote!(#[serde(default = #path)]));
    }
    attributes
}

/// Generates the extensions of a field's schema. Numbers are generated with their types, because rustc reads a bare
/// literal as an `i32`, and JSON values from their text.
fn make_schema_attribute(field: &ModelField<'_>, crate_path: &CratePath) -> Option<Attribute> {
    let options = &field.options;
    let private = crate_path.private();
    let text = |key: &str, value: &Option<OptionValue<LitStr>>| {
        let value = &value.as_ref()?.value;
        Some(quote!(#key = #value))
    };
    let bound = |key: &str, bound: &Option<OptionValue<Number>>| {
        let value = expand_number(bound.as_ref()?.value, &private);
        Some(quote!(#key = #value.to_json()))
    };
    // The runtime's normaliser knows the type in the schema, and so whether these limit a string or a list.
    let length = |key: &str, bound: &Option<OptionValue<u64>>| {
        let value = bound.as_ref()?.value;
        Some(quote!(#key = #value))
    };
    let examples = options.examples.iter().map(|(json, _)| json);
    let pairs = [
        text("title", &options.title),
        bound("minimum", &options.min),
        bound("maximum", &options.max),
        length("x-fastmcp-min-length", &options.min_length),
        length("x-fastmcp-max-length", &options.max_length),
        text("pattern", &options.pattern),
        options.default.as_ref().map(|JsonLiteral { json, .. }| quote!("default" = #private::parse_json(#json))),
        (!options.examples.is_empty()).then(|| quote!("examples" = [#(#private::parse_json(#examples)),*])),
    ];
    let mut pairs = pairs.into_iter().flatten().peekable();
    pairs.peek()?;
    Some(syn::parse_quote!(#[schemars(extend(#(#pairs),*))]))
}

/// Returns the name of the function that returns a field's default.
fn default_function_name(variant: Option<&Variant>, field: &ModelField<'_>) -> Ident {
    let member = match &field.field.ident {
        Some(ident) => syn::ext::IdentExt::unraw(ident).to_string(),
        None => field.index.to_string(),
    };
    let span = Span::mixed_site();
    match variant {
        Some(Variant { ident, .. }) => format_ident!("__fastmcp_default_{ident}_{member}", span = span),
        None => format_ident!("__fastmcp_default_{member}", span = span),
    }
}

/// Generates the functions that serde calls for absent fields.
fn expand_defaults(model: &Model<'_>) -> Option<TokenStream> {
    let functions: Vec<TokenStream> = model
        .fields()
        .filter_map(|(variant, field)| {
            let name = default_function_name(variant, field);
            let ty = &field.field.ty;
            let value = match (&field.options.default, &field.options.computed_default) {
                (Some(default), _) => {
                    let json = &default.json;
                    let private = private();
                    let check = expand_default_check(default, &ty.to_token_stream());
                    let preset = match model.is_checked(field) {
                        true => quote!(#private::FieldFit::<#ty>::preset),
                        false => quote!(#private::preset::<#ty>),
                    };
                    quote!(#check #preset(#json))
                }
                (None, Some(default)) => expand_computed_default(default),
                (None, None) => return None,
            };
            let conditions = field_cfg_attributes(variant, field);
            Some(quote! {
                #(#conditions)*
                #[allow(dead_code, non_snake_case)]
                fn #name() -> #ty {
                    #value
                }
            })
        })
        .collect();
    let name = &model.input.ident;
    (!functions.is_empty()).then(|| quote!(impl #name { #(#functions)* }))
}

/// Returns the `#[cfg(..)]` attributes under which a field exists: its own and those of its variant.
pub(super) fn field_cfg_attributes<'a>(
    variant: Option<&'a Variant>,
    field: &ModelField<'a>,
) -> impl Iterator<Item = &'a Attribute> {
    let variant_attributes = variant.map(|variant| cfg_attributes(&variant.attrs));
    variant_attributes.into_iter().flatten().chain(cfg_attributes(&field.field.attrs))
}

/// Generates `impl Deserialize` for a type with constraints or with variants that serde reads too leniently.
fn expand_deserialize(model: &Model<'_>, crate_path: &CratePath) -> TokenStream {
    let private = private();
    let serde = serde_path(crate_path, model.closed_objects().as_ref());
    let name = &model.input.ident;
    let remote = name.to_string();
    let shadow = expand_shadow(model, crate_path);
    let value = Ident::new("__value", Span::mixed_site());
    let checks = expand_checks(model, &value);
    let bounds = expand_field_bounds(model);
    quote! {
        #bounds

        impl<'de> #private::serde::Deserialize<'de> for #name {
            fn deserialize<__D>(__deserializer: __D) -> ::core::result::Result<Self, __D::Error>
            where
                __D: #private::serde::Deserializer<'de>,
            {
                #[derive(#private::serde::Deserialize)]
                #[serde(crate = #serde, remote = #remote)]
                #[allow(dead_code)]
                #shadow

                let #value = __Shadow::deserialize(__deserializer)?;
                #checks
                ::core::result::Result::Ok(#value)
            }
        }
    }
}

/// Generates the checks that the values of each field can satisfy its constraints.
pub(super) fn expand_field_bounds(model: &Model<'_>) -> TokenStream {
    let bounds = model.fields().map(|(variant, field)| {
        let ty = rename_self(field.field.ty.to_token_stream(), &model.input.ident);
        let checks = expand_bound_checks(&field.options, &ty, Shape::from_type(&field.field.ty));
        let conditions = field_cfg_attributes(variant, field);
        // A `#[cfg]` applies to one item, so the checks of a field are wrapped in one.
        (!checks.is_empty()).then(|| quote!(#(#conditions)* const _: () = { #checks };))
    });
    bounds.flatten().collect()
}

/// Generates the shadow: the same type under another name, with attributes of serde only.
fn expand_shadow(model: &Model<'_>, crate_path: &CratePath) -> TokenStream {
    let mut shadow = convert_options(model, crate_path);
    if let (true, Data::Enum(data)) = (model.has_lax_variants(), &mut shadow.data) {
        for variant in data.variants.iter_mut().filter(|variant| is_lax_variant(variant)) {
            // A variant with empty braces is constructed like a unit variant, and its derive checks members.
            variant.fields = Fields::Named(syn::parse_quote!({}));
        }
    }
    let stays = |attribute: &Attribute| ["serde", "cfg"].iter().any(|name| attribute.path().is_ident(name));
    remove_attributes(&mut shadow, |attribute| !stays(attribute));
    // The shadow is local to a function, where a lint would report `pub` as unreachable.
    shadow.vis = Visibility::Inherited;
    for field in field_lists(&mut shadow.data).into_iter().flat_map(Fields::iter_mut) {
        field.vis = Visibility::Inherited;
    }
    let original = std::mem::replace(&mut shadow.ident, Ident::new("__Shadow", Span::mixed_site()));
    // Inside of the shadow, `Self` would be the shadow.
    let shadow = rename_self(shadow.into_token_stream(), &original);
    // serde takes absent fields from the `Default` of the original type, but also requires one of the shadow.
    let default = has_serde_option(&model.input.attrs, &["default"]).then(|| {
        quote! {
            impl ::core::default::Default for __Shadow {
                fn default() -> Self {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote!(#shadow #default)
}

pub(super) fn remove_attributes(item: &mut DeriveInput, is_removed: impl Fn(&Attribute) -> bool) {
    item.attrs.retain(|attribute| !is_removed(attribute));
    if let Data::Enum(data) = &mut item.data {
        for variant in &mut data.variants {
            variant.attrs.retain(|attribute| !is_removed(attribute));
        }
    }
    for fields in field_lists(&mut item.data) {
        for field in fields.iter_mut() {
            field.attrs.retain(|attribute| !is_removed(attribute));
        }
    }
}

/// Generates the checks of a value's constrained fields.
pub(super) fn expand_checks(model: &Model<'_>, value: &Ident) -> TokenStream {
    if !model.is_constrained() {
        return TokenStream::new();
    }
    let private = private();
    let arms = model.groups.iter().filter_map(|group| {
        let constrained: Vec<&ModelField<'_>> =
            group.fields.iter().filter(|field| field.options.is_constrained()).collect();
        if constrained.is_empty() {
            return None;
        }
        let group_conditions = group.variant.map(|variant| cfg_attributes(&variant.attrs)).unwrap_or_default();
        let variant = group.variant.map(|Variant { ident, .. }| quote!(::#ident));
        let members = constrained.iter().map(|field| match &field.field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::from(field.index),
        });
        let bindings: Vec<Ident> =
            constrained.iter().map(|field| format_ident!("__{}", field.index, span = Span::mixed_site())).collect();
        let checks =
            constrained.iter().zip(&bindings).map(|(field, binding)| expand_field_check(model, field, binding));
        let patterns = constrained.iter().zip(members).zip(&bindings).map(|((field, member), binding)| {
            let conditions = cfg_attributes(&field.field.attrs);
            quote!(#(#conditions)* #member: #binding)
        });
        Some(quote! {
            #(#group_conditions)*
            Self #variant { #(#patterns,)* .. } => { #(#checks)* }
        })
    });
    let error = quote!(<__D::Error as #private::serde::de::Error>::custom);
    quote! {
        let __refuse = #error;
        match &#value {
            #(#arms)*
            #[allow(unreachable_patterns)]
            _ => {}
        }
    }
}

/// Generates the check of one field, at the span of its type.
fn expand_field_check(model: &Model<'_>, field: &ModelField<'_>, binding: &Ident) -> TokenStream {
    let span = field.field.ty.span();
    let there = private_at(span);
    let private = private();
    let key = &field.key;
    let constraints = expand_constraints(&field.options, &private);
    let check = match model.direction == Direction::Both && model.is_checked(field) {
        true => {
            let ty = rename_self(field.field.ty.to_token_stream(), &model.input.ident);
            quote_spanned!(span=> #there::FieldFit::<#ty>::check)
        }
        false => quote_spanned!(span=> #there::check_field),
    };
    let conditions = cfg_attributes(&field.field.attrs);
    quote! {
        #(#conditions)*
        #check(#binding, &#constraints, #key).map_err(__refuse)?;
    }
}
