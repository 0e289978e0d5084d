//! Expands `#[mcp::model]`.
//!
//! The type derives the traits of serde and schemars, through the runtime's re-exports. Constraints are published as
//! extensions of a field's schema. They are enforced by a generated `Deserialize`, which reads a shadow of the type
//! with serde's derive and then checks each constrained field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, Fields, Type, Visibility};

use super::attributes::cfg_attributes;
use super::checks::{expand_computed_default, expand_default_check};
use super::crate_path::{CratePath, import_runtime, private, private_at};
use super::editor::expand_model_for_editors;
use super::model_checks::{expand_checks, expand_field_bounds, field_cfg_attributes};
use super::model_derives::{
    Derives, convert_options, default_function_name, expand_derives, field_lists, remove_attributes,
    remove_discriminants, serde_path, strip_options,
};
use super::model_fields::{FieldAliases, expand_field_checks, expand_guarded, expand_stubs};
use super::model_names::{expand_markers, expand_names};
use crate::model::{FormKind, Model, derived_paths, is_lax_variant};
use crate::serde_options::has_serde_option;
use crate::types::rename_self;

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
    let editor = expand_model_for_editors(model);
    quote!(#editor #item #block)
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
    let editor = expand_model_for_editors(model);
    quote!(#editor #item #block)
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
            let checked = model.checked_fields();
            let checked = checked.iter().find(|checked| std::ptr::eq(&checked.field.field.ty, *ty));
            let ty = match checked {
                Some(checked) => FieldAliases::new(model, checked.variant, checked.field).whole(span),
                None => ty.to_token_stream(),
            };
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

/// Generates the shadow: the same type under another name, with attributes of serde only.
fn expand_shadow(model: &Model<'_>, crate_path: &CratePath) -> TokenStream {
    let mut shadow = convert_options(model, crate_path);
    remove_discriminants(&mut shadow);
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
