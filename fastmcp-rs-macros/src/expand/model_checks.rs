//! Writes the checks of the constraints of a model.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Member, Variant};

use super::attributes::cfg_attributes;
use super::checks::expand_bound_checks;
use super::crate_path::{private, private_at};
use super::definition::expand_constraints;
use crate::model::{Direction, Model, ModelField};
use crate::types::{Shape, rename_self};

/// Returns the `#[cfg(..)]` attributes under which a field exists: its own and those of its variant.
pub(super) fn field_cfg_attributes<'a>(
    variant: Option<&'a Variant>,
    field: &ModelField<'a>,
) -> impl Iterator<Item = &'a Attribute> {
    let variant_attributes = variant.map(|variant| cfg_attributes(&variant.attrs));
    variant_attributes.into_iter().flatten().chain(cfg_attributes(&field.field.attrs))
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
