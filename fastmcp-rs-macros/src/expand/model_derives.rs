//! Writes the derives of a model, and the attributes that they read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Variant};

use super::crate_path::CratePath;
use super::definition::expand_number;
use crate::model::{ClosedObjects, FieldGroup, Model, ModelField, has_flatten};
use crate::parse::{JsonLiteral, Number, OptionValue};
use crate::serde_options::has_serde_option;
use crate::types::generic_arguments;

/// Returns the path of serde for the derives. Closed types use `model_serde`, which rejects unknown members of
/// arguments.
pub(super) fn serde_path(crate_path: &CratePath, closed: Option<&ClosedObjects>) -> String {
    crate_path.private_text(if closed.is_some() { "model_serde" } else { "serde" })
}

/// Returns the marker for the type's schema that tells the runtime's normaliser which objects are closed.
///
/// A type that allows unknown members has one if it has flattened fields, whose markers would count as its own.
pub(super) fn schema_marker(model: &Model<'_>) -> Option<String> {
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
pub(super) fn strip_options(model: &Model<'_>) -> DeriveInput {
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
            field.attrs.extend(make_flat_option_attribute(model, described, crate_path));
            field.attrs.extend(make_schema_attribute(described, crate_path));
        }
    }
    if model.closed_objects().is_some() {
        mark_foreign_variants(&mut item.data);
    }
    item
}

/// Removes the numbers of variants, which no derive reads, from a copy: rustc reports wrong ones in each type.
pub(super) fn remove_discriminants(item: &mut DeriveInput) {
    if let Data::Enum(data) = &mut item.data {
        data.variants.iter_mut().for_each(|variant| variant.discriminant = None);
    }
}

/// Marks variants that hold a value of another type, because that type has its own rules for unknown members, and
/// variants with flattened fields, whose members count as those of the variant.
fn mark_foreign_variants(data: &mut Data) {
    let Data::Enum(data) = data else { return };
    for variant in &mut data.variants {
        if matches!(variant.fields, Fields::Unnamed(_)) {
            variant.attrs.push(syn::parse_quote!(#[schemars(extend("x-fastmcp-foreign" = true))]));
        } else if has_flatten(&variant.fields) {
            variant.attrs.push(syn::parse_quote!(#[schemars(extend("x-fastmcp-flat-fields" = true))]));
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

/// Generates the reader of a flattened `Option`, which serde would make `None` if its members are wrong.
fn make_flat_option_attribute(model: &Model<'_>, field: &ModelField<'_>, crate_path: &CratePath) -> Option<Attribute> {
    let has_reader = has_serde_option(&field.field.attrs, &["with", "deserialize_with", "skip", "skip_deserializing"]);
    let is_generic = !model.input.generics.params.is_empty();
    if !is_flat_option(field) || has_reader || !model.direction.is_read() || is_generic {
        return None;
    }
    let path = crate_path.private_text("flat_option");
    Some(syn::parse_quote!(#[serde(deserialize_with = #path)]))
}

/// Returns true for an `Option` whose members are those of the model.
pub(super) fn is_flat_option(field: &ModelField<'_>) -> bool {
    has_serde_option(&field.field.attrs, &["flatten"]) && generic_arguments(&field.field.ty, "Option").is_some()
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
pub(super) fn default_function_name(variant: Option<&Variant>, field: &ModelField<'_>) -> Ident {
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
