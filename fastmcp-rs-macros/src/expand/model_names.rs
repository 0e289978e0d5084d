//! Generates the conversions of an enum of names, and the markers of models that are only arguments or only results.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::attributes::cfg_attributes;
use super::crate_path::private;
use crate::model::{Direction, Model, VariantName};

/// Generates `as_str`, `Display` and `FromStr` of an enum of names.
pub(super) fn expand_names(model: &Model<'_>) -> Option<TokenStream> {
    let names = model.names()?;
    let private = private();
    let enum_name = &model.input.ident;
    let as_str = model.conversions.as_str.then(|| expand_as_str(model, &names));
    let display = model.conversions.display.then(|| {
        let arms = names.iter().map(|name| written_arm(name));
        // rustc shows the implementation if the user has written another one.
        quote_spanned! {enum_name.span()=>
            impl ::core::fmt::Display for #enum_name {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    __f.pad(match *self { #(#arms)* })
                }
            }
        }
    });
    let from_str = model.conversions.from_str.then(|| {
        let arms = names.iter().map(|VariantName { variant, read, .. }| {
            let conditions = cfg_attributes(&variant.attrs);
            let ident = &variant.ident;
            quote!(#(#conditions)* #(#read)|* => ::core::result::Result::Ok(Self::#ident),)
        });
        quote_spanned! {enum_name.span()=>
            impl ::core::str::FromStr for #enum_name {
                type Err = #private::UnknownNameError;
                fn from_str(__text: &str) -> ::core::result::Result<Self, Self::Err> {
                    match __text {
                        #(#arms)*
                        _ => ::core::result::Result::Err(#private::unknown_name(
                            __text,
                            <Self as #private::NamedVariants>::NAMES,
                        )),
                    }
                }
            }
        }
    });
    let listed = names.iter().map(|VariantName { variant, read, .. }| {
        let conditions = cfg_attributes(&variant.attrs);
        let first = read.first();
        quote!(#(#conditions)* #first)
    });
    let aliases = names.iter().flat_map(|VariantName { variant, read, .. }| {
        let conditions = cfg_attributes(&variant.attrs);
        read.iter().skip(1).map(move |name| quote!(#(#conditions)* #name))
    });
    let problem = unfit_default(&names);
    Some(quote! {
        #as_str
        #display
        #from_str
        impl #private::NamedVariants for #enum_name {
            const NAMES: &'static [&'static str] = &[#(#listed),*];
            const ALIASES: &'static [&'static str] = &[#(#aliases),*];
            const UNFIT_DEFAULT: &'static str = #problem;
        }
    })
}

/// Generates `as_str`, which is as visible as the type.
fn expand_as_str(model: &Model<'_>, names: &[VariantName<'_>]) -> TokenStream {
    let (enum_name, visibility) = (&model.input.ident, &model.input.vis);
    let arms = names.iter().map(written_arm);
    let as_str = Ident::new("as_str", enum_name.span().resolved_at(Span::call_site()));
    quote_spanned! {enum_name.span()=>
        impl #enum_name {
            /// Returns the name of the variant in JSON.
            #[allow(dead_code, unreachable_pub)]
            #visibility const fn #as_str(&self) -> &'static str {
                match *self { #(#arms)* }
            }
        }
    }
}

fn written_arm(VariantName { variant, written, .. }: &VariantName<'_>) -> TokenStream {
    let conditions = cfg_attributes(&variant.attrs);
    let ident = &variant.ident;
    quote!(#(#conditions)* Self::#ident => #written,)
}

/// Returns the error message for a default that is none of the names.
fn unfit_default(names: &[VariantName<'_>]) -> String {
    let names: Vec<String> =
        names.iter().filter_map(|name| name.read.first()).map(|name| format!("`{name:?}`")).collect();
    let list = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    };
    format!("this default is not a name of the enum: write {list}")
}

/// Generates the markers of a model that is only an argument or only a result.
pub(super) fn expand_markers(model: &Model<'_>) -> Option<TokenStream> {
    let private = private();
    let marker = match model.direction {
        Direction::Both => return None,
        Direction::Input => quote!(InputOnly),
        Direction::Output => quote!(OutputOnly),
    };
    let name = &model.input.ident;
    let (parameters, arguments, bounds) = model.input.generics.split_for_impl();
    Some(quote!(impl #parameters #private::#marker for #name #arguments #bounds {}))
}
