//! Checks the type under `#[mcp::model]` and the `#[arg(..)]` options of its fields.

use syn::{Attribute, Data, Meta, Path};

use super::argument::{check_options, reject_completion, reject_header};
use super::serde::check_serde_options;
use crate::errors::Errors;
use crate::model::Model;
use crate::parse::ArgOptions;

/// Checks all parts of a model.
pub(crate) fn check_model(model: &Model<'_>, errors: &mut Errors) {
    check_serde_options(model, errors);
    if let Data::Union(union) = &model.input.data {
        errors.at(union.union_token, "a union does not store which of its fields is set: make it an `enum`");
    }
    check_derives(&model.input.attrs, errors);
    check_misplaced(&model.input.attrs, errors);
    if let Data::Enum(data) = &model.input.data {
        for variant in &data.variants {
            check_misplaced(&variant.attrs, errors);
        }
    }
    if model.names().is_none() {
        for key in &model.conversion_keys {
            errors.at(
                key,
                format!(
                    "`{key}` is an option of an enum whose variants have no fields and are all names in JSON: remove it"
                ),
            );
        }
    }
    let generics = &model.input.generics;
    let is_enforced = |options: &ArgOptions| options.is_constrained() || options.has_default();
    if !generics.params.is_empty() && model.fields().any(|(_, field)| is_enforced(&field.options)) {
        errors.at(
            generics,
            "a generic type cannot have constraints or defaults: remove the parameters, or put the constrained fields in a type of their own",
        );
    }
    for (_, field) in model.fields() {
        let options = &field.options;
        check_options(options, &field.field.ty, errors);
        reject_header(options, "the fields inside them", errors);
        reject_completion(options, "a field inside them", errors);
        if let Some(flatten) = &options.flatten {
            errors.at(flatten, "the fields of a model are flattened by serde: write `#[serde(flatten)]`");
        }
        if let (false, Some(default)) = (model.direction.is_read(), &options.default) {
            errors.at(
                &default.tokens,
                "this model is only a result, and a result has no defaults: remove `default`, or make the model readable by owning its data and without `output`",
            );
        }
        if field.field.ident.is_none() {
            if let Some(rename) = &options.rename {
                errors.at(rename, "this field has no key in JSON: remove `rename`, or name the field");
            }
        }
    }
}

/// Reports a derive of a trait that `#[mcp::model]` derives already. rustc's error for two implementations would name
/// neither attribute.
fn check_derives(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        let Meta::List(list) = &attribute.meta else {
            continue;
        };
        if !attribute.path().is_ident("derive") {
            continue;
        }
        let parser = syn::punctuated::Punctuated::<Path, syn::Token![,]>::parse_terminated;
        let Ok(paths) = syn::parse::Parser::parse2(parser, list.tokens.clone()) else {
            continue;
        };
        for path in paths {
            let Some(last) = path.segments.last() else {
                continue;
            };
            if ["Serialize", "Deserialize", "JsonSchema"].iter().any(|name| last.ident == name) {
                errors.at(&path, format!("`#[mcp::model]` derives `{}` already: remove this one", last.ident));
            }
        }
    }
}

/// Reports `#[arg]` on anything except a field.
fn check_misplaced(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("arg") {
            errors.at(attribute, "`#[arg(..)]` goes on a field");
        }
    }
}
