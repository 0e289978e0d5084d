//! Generates compile-time checks of `#[arg]` options against the type of their parameter or field.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;

use super::crate_path::private_at;
use super::definition::expand_number;
use crate::parse::{ArgOptions, ComputedDefault, JsonLiteral, LiteralKind};
use crate::types::{Shape, respan};

/// Generates the check that a default fits the type, at the span of the default.
pub(super) fn expand_default_check(default: &JsonLiteral, ty: &TokenStream) -> TokenStream {
    let span = default.tokens.span();
    let private = private_at(span);
    let ty = respan(ty.clone(), span);
    let kind = match default.kind {
        LiteralKind::Integer => "integer",
        LiteralKind::Float => "float",
        LiteralKind::String => "text",
        LiteralKind::Bool => "flag",
        LiteralKind::List => "list",
    };
    let kind = Ident::new(kind, span);
    let is_unknown = syn::parse2::<syn::Type>(ty.clone()).is_ok_and(|ty| Shape::from_type(&ty) == Shape::Unknown);
    let named = (default.kind == LiteralKind::String && is_unknown).then(|| {
        let json = &default.tokens;
        quote_spanned! {span=>
            const _: () = if !#private::is_accepted(#private::NamesOf::<#ty>::ACCEPTED, #json) {
                ::core::panic!("{}", #private::NamesOf::<#ty>::UNFIT_DEFAULT)
            };
        }
    });
    quote_spanned! {span=>
        (&#private::DefaultOf::<#ty>::NEW).kind().#kind();
        #named
    }
}

/// Generates the value of a default that is no literal, at the span of the default. Its type is that of the place where
/// it is used, so that a literal inside of the expression has that type.
pub(super) fn expand_computed_default(default: &ComputedDefault) -> TokenStream {
    let span = default.tokens().span();
    let private = private_at(span);
    match default {
        ComputedDefault::OfType(_) => quote_spanned!(span=> #private::Default::default()),
        ComputedDefault::Expression(expression) => {
            quote_spanned!(span=> #private::IntoDefault::into_default(#expression))
        }
    }
}

/// Generates the function that returns a default that is no literal.
pub(super) fn expand_default_function(default: &ComputedDefault) -> TokenStream {
    let span = default.tokens().span();
    match default {
        // Clippy reports a closure that only calls a function.
        ComputedDefault::OfType(_) => {
            let private = private_at(span);
            quote_spanned!(span=> #private::Default::default)
        }
        ComputedDefault::Expression(_) => {
            let value = expand_computed_default(default);
            quote_spanned!(span=> || #value)
        }
    }
}

/// Generates the checks that values of the type can satisfy the constraints, at the spans of the constraints.
///
/// `validate` has checked types whose spelling it recognises. These checks are for aliases and users' types.
pub(super) fn expand_bound_checks(options: &ArgOptions, ty: &TokenStream, shape: Shape) -> TokenStream {
    let check = |tokens: &TokenStream, condition: &dyn Fn(Ident, TokenStream) -> TokenStream, problem: String| {
        let span = tokens.span();
        let private = private_at(span);
        let ty = respan(ty.clone(), span);
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
            "`{} = {}` is not a value of this argument's type: remove it, or change the type",
            bound.key,
            bound.tokens.to_string().replace("- ", "-")
        );
        let is_reached = |private: Ident, values: TokenStream| {
            let number = expand_number(bound.value, &private);
            quote_spanned!(bound.tokens.span()=> #values.reach(#number))
        };
        check(&bound.tokens, &is_reached, text)
    });
    let (min, max) = (&options.min_length, &options.max_length);
    let length = min.as_ref().or(max.as_ref()).filter(|_| matches!(shape, Shape::List | Shape::Unknown));
    let length = length.map(|first| {
        let low = min.as_ref().map_or(0, |min| min.value);
        let high = max.as_ref().map_or(u64::MAX, |max| max.value);
        let text = "no value of this argument's type has this length: remove the bound, or change the type";
        let condition =
            |_: Ident, values: TokenStream| quote_spanned!(first.tokens.span()=> #values.have_length(#low, #high));
        check(&first.tokens, &condition, text.to_owned())
    });
    bounds.chain(length).collect()
}
