//! Generates the checks of a model's fields, and the derives of a model whose fields may lack a trait.
//!
//! Each trait that a field lacks would be several errors in the derived code. So the derives are those of a hidden copy
//! of the type, and their implementations depend on the traits of the fields. The type itself forwards to the
//! copy, and to a fallback if the copy has no implementation. The field is then one error, that of its check.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Fields, LitStr, Type, Variant, Visibility};

use super::attributes::cfg_attributes;
use super::crate_path::{CratePath, private, private_at, spread_alias};
use super::model_checks::{expand_checks, expand_field_bounds, field_cfg_attributes};
use super::model_derives::{
    Derives, convert_options, expand_derives, field_lists, is_flat_option, remove_attributes, remove_discriminants,
};
use crate::model::{CheckedField, Direction, Model, ModelField};
use crate::serde_options::{has_schemars_option, has_serde_option};
use crate::types::{is_borrowed, rename_self, replace_lifetimes};

/// Generates the checks that the types of all fields have the traits of a model's field, each at its type.
///
/// A list of an unfit type is reported at the type inside. The list itself is reported only if the type inside fits.
pub(super) fn expand_field_checks(model: &Model<'_>) -> TokenStream {
    let (function, fit) = match model.direction {
        Direction::Both => ("model_field", "IN_MODEL"),
        Direction::Output => ("output_field", "IN_OUTPUT"),
        Direction::Input => ("input_field", "IN_INPUT"),
    };
    let private = private();
    let checks = model.checked_fields().into_iter().map(|CheckedField { variant, field, leaves }| {
        let conditions: Vec<&Attribute> = field_cfg_attributes(variant, field).collect();
        let names = FieldAliases::new(model, variant, field);
        let whole = &field.field.ty;
        let leaf_names = leaves.iter().enumerate().map(|(position, leaf)| names.leaf(position, leaf.span()));
        let leaf_types: Vec<Ident> = leaf_names.collect();
        let aliases = leaves.iter().enumerate().map(|(position, leaf)| {
            let alias = names.leaf(position, model.input.ident.span());
            let ty = replace_lifetimes(leaf.to_token_stream());
            // In the position of the source: rustc suggests a type parameter for a missing type in angle brackets.
            let ty = match leaf.to_token_stream().to_string() == whole.to_token_stream().to_string() {
                true => ty,
                false => quote!(#private::Same<#ty>),
            };
            quote!(#(#conditions)* #[allow(dead_code, non_camel_case_types)] type #alias = #ty;)
        });
        let aliases: TokenStream = aliases.collect();
        let whole_alias = names.define_whole().map(|alias| quote!(#(#conditions)* #alias));
        let leaf_checks = leaves.iter().zip(&leaf_types).map(|(leaf, ty)| {
            let span = leaf.span();
            let (private, function) = (private_at(span), Ident::new(function, span));
            let ty = spread_alias(ty, leaf);
            let check = quote_spanned!(span=> #private::#function::<#ty>);
            quote!(#(#conditions)* const _: fn() = #check;)
        });
        let leaf_checks: Vec<TokenStream> = leaf_checks.collect();
        let fit = Ident::new(fit, Span::mixed_site());
        let whole_type = replace_lifetimes(names.whole(whole.span()));
        let is_nested = leaves.len() != 1 || whole.to_token_stream().to_string() != leaves[0].to_token_stream().to_string();
        let whole_check = is_nested.then(|| {
            let span = whole.span();
            let problem = format!(
                "`{}` cannot be the type of a field in a model, although the types inside of it can: a set or a map needs `Eq` and `Hash`, or `Ord`, of its items; else take another list, map or pointer",
                whole.to_token_stream().to_string().replace(' ', "")
            );
            quote_spanned! {span=>
                #(#conditions)*
                const _: () = if #(#private::FieldFit::<#leaf_types>::#fit &&)* !#private::FieldFit::<#whole_type>::#fit {
                    ::core::panic!("{}", #problem)
                };
            }
        });
        quote! {
            #aliases
            #whole_alias
            #(#leaf_checks)*
            #whole_check
        }
    });
    let checks: TokenStream = checks.collect();
    if checks.is_empty() {
        return checks;
    }
    quote! {
        #[allow(unused_imports)]
        use #private::model_probe::*;
        #checks
    }
}

/// The aliases of the types of one checked field. Only they name the types again, with the span of the model's name, so
/// that rustc reports a missing type once: its suggestions depend on the place where a type is named.
pub(super) struct FieldAliases<'a> {
    name: &'a Ident,
    ty: &'a Type,
    suffix: String,
}

impl<'a> FieldAliases<'a> {
    pub(super) fn new(model: &Model<'a>, variant: Option<&Variant>, field: &ModelField<'a>) -> Self {
        let variant = variant.map(|variant| format!("{}_", variant.ident.unraw())).unwrap_or_default();
        Self { name: &model.input.ident, ty: &field.field.ty, suffix: format!("{variant}{}", field.index) }
    }

    /// Returns the alias of a type inside of the field's.
    fn leaf(&self, position: usize, span: Span) -> Ident {
        format_ident!("__L{}_{position}", self.suffix, span = span)
    }

    /// Returns the alias of the field's type, or the type itself if it has lifetimes, which an alias would lack.
    pub(super) fn whole(&self, span: Span) -> TokenStream {
        match is_borrowed(self.ty) {
            true => rename_self(self.ty.to_token_stream(), self.name),
            false => format_ident!("__F{}", self.suffix, span = span).into_token_stream(),
        }
    }

    /// Generates the alias of the field's type.
    fn define_whole(&self) -> Option<TokenStream> {
        let alias = self.whole(self.name.span());
        let ty = rename_self(self.ty.to_token_stream(), self.name);
        (!is_borrowed(self.ty)).then(|| quote!(#[allow(dead_code, non_camel_case_types)] type #alias = #ty;))
    }
}

/// Generates the hidden copies and the implementations that forward to them.
pub(super) fn expand_guarded(model: &Model<'_>, crate_path: &CratePath) -> TokenStream {
    let private = private();
    let name = &model.input.ident;
    let copies = expand_copies(model, crate_path);
    let (is_read, is_written) = (model.direction.is_read(), model.direction.is_written());
    let serialize = is_written.then(|| {
        quote! {
            impl #private::serde::Serialize for #name {
                fn serialize<__S>(&self, __serializer: __S) -> ::core::result::Result<__S::Ok, __S::Error>
                where
                    __S: #private::serde::Serializer,
                {
                    __Copy::serialize(self, __serializer)
                }
            }
        }
    });
    let value = Ident::new("__value", Span::mixed_site());
    let checks = expand_checks(model, &value);
    let deserialize = is_read.then(|| {
        let read = match checks.is_empty() {
            true => quote!(__Copy::deserialize(__deserializer)),
            false => quote! {
                let #value = __Copy::deserialize(__deserializer)?;
                #checks
                ::core::result::Result::Ok(#value)
            },
        };
        quote! {
            impl<'de> #private::serde::Deserialize<'de> for #name {
                fn deserialize<__D>(__deserializer: __D) -> ::core::result::Result<Self, __D::Error>
                where
                    __D: #private::serde::Deserializer<'de>,
                {
                    #read
                }
            }
        }
    });
    let bounds = is_read.then(|| expand_field_bounds(model));
    let schema = expand_schema(name);
    quote! {
        #bounds
        #copies
        impl #private::UnfitModel<#name> for __Copy {}
        #serialize
        #deserialize
        #schema
    }
}

/// Generates the two copies with their derives: one for serde, and one for schemars, which has a parameter because
/// schemars reads `bound` only then.
fn expand_copies(model: &Model<'_>, crate_path: &CratePath) -> TokenStream {
    let (is_read, is_written) = (model.direction.is_read(), model.direction.is_written());
    let derives = Derives { serialize: is_written, deserialize: is_read, schema: false };
    let derives = expand_derives(model, crate_path, &derives);
    let serialize = is_written.then(|| bound_all(model, "serde::Serialize")).map(|bound| quote!(serialize = #bound,));
    let deserialize = is_read.then(|| bound_all(model, "serde::de::DeserializeOwned"));
    let deserialize = deserialize.map(|bound| quote!(deserialize = #bound,));
    let remote = model.input.ident.to_string();
    let copy = copy_type(model, crate_path, "__Copy", &["serde", "cfg"]);
    let describe = Derives { serialize: false, deserialize: false, schema: true };
    let describe = expand_derives(model, crate_path, &describe);
    let bound = bound_all(model, "schemars::JsonSchema");
    let described = ["serde", "schemars", "doc", "deprecated", "validate", "garde", "cfg"];
    let mut described = copy_type(model, crate_path, "__Described", &described);
    described.generics.params.push(syn::parse_quote!(const __N: u8));
    let attributes = &model.input.attrs;
    let is_renamed = has_serde_option(attributes, &["rename"]) || has_schemars_option(attributes, &["rename"]);
    let rename_schema = (!is_renamed).then(|| quote!(#[schemars(rename = #remote)]));
    let rename = (!has_serde_option(attributes, &["rename"])).then(|| quote!(rename = #remote,));
    // Inside of the copies, `Self` would be the copy.
    let [copy, described] = [copy, described].map(|copy| rename_self(copy.into_token_stream(), &model.input.ident));
    quote! {
        #derives
        #[serde(remote = #remote, #rename bound(#serialize #deserialize))]
        #[allow(dead_code)]
        #copy

        #describe
        #[schemars(bound = #bound)]
        #rename_schema
        #[allow(dead_code)]
        #described
    }
}

/// Returns the type under another name, with attributes of these names only.
fn copy_type(model: &Model<'_>, crate_path: &CratePath, name: &str, attributes: &[&str]) -> DeriveInput {
    let mut copy = convert_options(model, crate_path);
    for (fields, group) in field_lists(&mut copy.data).into_iter().zip(&model.groups) {
        for (field, described) in fields.iter_mut().zip(&group.fields) {
            if model.is_checked(described) {
                let alias = FieldAliases::new(model, group.variant, described).whole(described.field.ty.span());
                field.ty = Type::Verbatim(alias);
            }
        }
    }
    remove_attributes(&mut copy, |attribute| !attributes.iter().any(|name| attribute.path().is_ident(name)));
    remove_discriminants(&mut copy);
    copy.ident = Ident::new(name, Span::mixed_site());
    // The copy is local to a block, where a lint would report `pub` as unreachable.
    copy.vis = Visibility::Inherited;
    for field in field_lists(&mut copy.data).into_iter().flat_map(Fields::iter_mut) {
        field.vis = Visibility::Inherited;
    }
    copy
}

/// Returns the bounds of an implementation that exists only if all fields have a trait. The lifetime in each bound
/// allows a bound that does not hold.
fn bound_all(model: &Model<'_>, item: &str) -> LitStr {
    let private = private();
    let always = |field: &CheckedField<'_, '_>| {
        field.variant.is_none_or(|variant| cfg_attributes(&variant.attrs).is_empty())
            && cfg_attributes(&field.field.field.attrs).is_empty()
    };
    let fields = model.checked_fields();
    let bounds: Vec<String> = fields
        .iter()
        .filter(|field| always(field))
        .flat_map(|CheckedField { variant, field, leaves }| {
            let names = FieldAliases::new(model, *variant, field);
            // The reader of a flattened `Option` needs the trait of the type inside, which that of the `Option` does not
            // imply.
            let inside = (0..leaves.len()).filter(|_| is_flat_option(field));
            let inside = inside.map(|position| names.leaf(position, Span::mixed_site()).into_token_stream());
            std::iter::once(names.whole(Span::mixed_site())).chain(inside).collect::<Vec<_>>()
        })
        .map(|ty| format!("for<'__field> {ty}: {private}::{item}"))
        .collect();
    LitStr::new(&bounds.join(", "), Span::mixed_site())
}

/// Generates the `JsonSchema` that forwards to the copy.
fn expand_schema(name: &Ident) -> TokenStream {
    let private = private();
    quote! {
        const __SCHEMA: #private::SchemaFunctions = #private::SchemaOf::<__Described<0>>::FUNCTIONS;
        impl #private::schemars::JsonSchema for #name {
            fn inline_schema() -> bool {
                (__SCHEMA.inline_schema)()
            }
            fn schema_name() -> #private::SchemaText {
                (__SCHEMA.name)()
            }
            fn schema_id() -> #private::SchemaText {
                (__SCHEMA.id)()
            }
            fn json_schema(__generator: &mut #private::schemars::SchemaGenerator) -> #private::schemars::Schema {
                (__SCHEMA.schema)(__generator)
            }
            fn _schemars_private_non_optional_json_schema(
                __generator: &mut #private::schemars::SchemaGenerator,
            ) -> #private::schemars::Schema {
                (__SCHEMA.schema_without_null)(__generator)
            }
            fn _schemars_private_is_option() -> bool {
                (__SCHEMA.is_option)()
            }
        }
    }
}

/// Generates implementations that never run, for a type with mistakes.
pub(super) fn expand_stubs(model: &Model<'_>) -> TokenStream {
    let private = private();
    let name = &model.input.ident;
    let (parameters, arguments, bounds) = model.input.generics.split_for_impl();
    let mut with_lifetime = model.input.generics.clone();
    with_lifetime.params.insert(0, syn::parse_quote!('__de));
    let (read_parameters, _, _) = with_lifetime.split_for_impl();
    let serialize = model.direction.is_written().then(|| {
        quote! {
            impl #parameters #private::serde::Serialize for #name #arguments #bounds {
                fn serialize<__S: #private::serde::Serializer>(
                    &self,
                    _: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    ::core::unreachable!()
                }
            }
        }
    });
    let deserialize = model.direction.is_read().then(|| {
        quote! {
            impl #read_parameters #private::serde::Deserialize<'__de> for #name #arguments #bounds {
                fn deserialize<__D: #private::serde::Deserializer<'__de>>(
                    _: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote! {
        #serialize
        #deserialize
        impl #parameters #private::schemars::JsonSchema for #name #arguments #bounds {
            fn schema_name() -> #private::SchemaText {
                ::core::unreachable!()
            }
            fn json_schema(_: &mut #private::schemars::SchemaGenerator) -> #private::schemars::Schema {
                ::core::unreachable!()
            }
        }
    }
}
