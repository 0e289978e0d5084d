//! Checks the signature of a tool, resource or prompt.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, GenericParam, ReturnType, Signature, Type, WherePredicate};

use crate::component::Component;
use crate::errors::Errors;
use crate::handler::Handler;
use crate::parse::Surroundings;
use crate::types::{find_word, strip_groups};

/// Reports a signature that the runtime cannot call.
pub(crate) fn check_signature(signature: &Signature, component: Component, errors: &mut Errors) {
    check_inputs(signature, component, errors);
    check_output(&signature.output, component, errors);
    check_self_type(signature, component, errors);
}

/// Reports the qualifiers, generics and receivers that a signature cannot have.
pub(super) fn check_inputs(signature: &Signature, component: Component, errors: &mut Errors) {
    check_qualifiers(signature, component, errors);
    check_generics(signature, component, errors);
    for input in &signature.inputs {
        if let FnArg::Receiver(receiver) = input {
            errors.at(
                receiver.self_token,
                format!(
                    "a method is a {component} only in an `impl` block with `#[mcp::server]`: put that on the block, \
                     or move the function out of it and take its data as `State<T>`"
                ),
            );
        }
    }
}

fn check_qualifiers(signature: &Signature, component: Component, errors: &mut Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(
            constness,
            format!("a {component} is called at run time: remove `const`, or call the `const fn` from a {component}"),
        );
    }
    if !matches!(signature.safety, syn::Safety::Default) {
        errors.at(
            &signature.safety,
            format!(
                "any client can call a {component} with any arguments, so it must be safe: remove this, and check the \
                 conditions of `unsafe` blocks in the body"
            ),
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, format!("a {component} is a Rust function: remove the ABI"));
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic.dots,
            format!("a {component} has a fixed list of arguments: take a `Vec<T>` instead of `...`"),
        );
    }
}

fn check_generics(signature: &Signature, component: Component, errors: &mut Errors) {
    let rule = format!("a {component} {}, so it cannot be generic", component.inputs_reason());
    for parameter in &signature.generics.params {
        match parameter {
            GenericParam::Lifetime(_) => {}
            GenericParam::Type(parameter) => errors
                .at(&parameter.ident, format!("{rule}: replace `{}` with the type that clients send", parameter.ident)),
            GenericParam::Const(parameter) => {
                errors.at(&parameter.ident, format!("{rule}: replace `{}` with its value", parameter.ident))
            }
        }
    }
    let Some(clause) = &signature.generics.where_clause else {
        return;
    };
    // The bounds of a type parameter disappear with it, and bounds of lifetimes have no effect on the expansion.
    let has_type_parameter = signature.generics.type_params().next().is_some();
    let bounds_a_type = clause.predicates.iter().any(|predicate| !matches!(predicate, WherePredicate::Lifetime(_)));
    if bounds_a_type && !has_type_parameter {
        errors.at(
            clause.where_token,
            format!("a {component} cannot be generic, so there is nothing to bound: remove the `where` clause"),
        );
    }
}

/// Reports a return type that has no fixed type, or is a future.
pub(super) fn check_output(output: &ReturnType, component: Component, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    if let Some(future) = find_future(ty) {
        errors.at(
            future,
            format!(
                "a {component} that returns a future is an `async fn`: write `async fn`, and the type of its value"
            ),
        );
        return;
    }
    let rule = format!("a {component} names the type that it returns{}", component.output_reason());
    if let Some(keyword) = find_word(ty, "impl") {
        errors.at(keyword, format!("{rule}: write the type instead of `impl ..`"));
    } else if let Type::TraitObject(object) = strip_groups(ty) {
        errors.at(object.dyn_token.to_token_stream(), format!("{rule}: write the type instead of `dyn ..`"));
    }
}

/// Finds the token at which a return type is a future: `impl Future`, `dyn Future`, or the alias `BoxFuture`.
fn find_future(ty: &Type) -> Option<Ident> {
    let alias = || find_word(ty, "BoxFuture").or_else(|| find_word(ty, "LocalBoxFuture"));
    match find_word(ty, "impl").or_else(|| find_word(ty, "dyn")) {
        Some(keyword) => find_word(ty, "Future").map(|_| keyword),
        None => alias(),
    }
}

/// Reports `Self`, which shows that the function is in an `impl` block even if it takes no `self`.
fn check_self_type(signature: &Signature, component: Component, errors: &mut Errors) {
    for ty in spelled_types(signature) {
        if let Some(word) = find_word(ty, "Self") {
            errors.at(
                word,
                format!(
                    "in an `impl` block, functions are {component}s only if the block has `#[mcp::server]`: put that on the block, or move the function out of it and write the type's name instead of `Self`"
                ),
            );
        }
    }
}

/// Reports a function of an `impl` block or a trait that neither `self` nor `Self` gives away.
pub(crate) fn report_surroundings(surroundings: Surroundings, handler: &Handler<'_>, errors: &mut Errors) {
    let component = handler.component();
    let problem = match surroundings {
        Surroundings::Impl => format!(
            "in an `impl` block, functions are {component}s only if the block has `#[mcp::server]`: put that on the \
             block, or move the function out of it"
        ),
        Surroundings::Trait => format!(
            "the functions of a trait cannot be {component}s: call this one from a function with `#[mcp::{component}]`"
        ),
    };
    errors.at(handler.ident(), problem);
}

/// Returns whether the function can only be in an `impl` block or a trait.
pub(crate) fn is_method(signature: &Signature) -> bool {
    let has_receiver = signature.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_)));
    has_receiver || spelled_types(signature).any(|ty| find_word(ty, "Self").is_some())
}

/// Returns whether the signature has a `_` type. rustc reports it, and suggests the type.
pub(crate) fn has_placeholder(signature: &Signature) -> bool {
    spelled_types(signature).any(|ty| find_word(ty, "_").is_some())
}

/// Returns whether a type of the signature depends on a type parameter or a constant of the function, which only the
/// function knows.
pub(super) fn names_generic(signature: &Signature, ty: &Type) -> bool {
    signature.generics.params.iter().any(|parameter| match parameter {
        GenericParam::Type(parameter) => find_word(ty, &parameter.ident.to_string()).is_some(),
        GenericParam::Const(parameter) => find_word(ty, &parameter.ident.to_string()).is_some(),
        GenericParam::Lifetime(_) => false,
    })
}

/// Iterates over the types of the parameters and the return type.
fn spelled_types(signature: &Signature) -> impl Iterator<Item = &Type> {
    let inputs = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    let output = match &signature.output {
        ReturnType::Type(_, ty) => Some(&**ty),
        ReturnType::Default => None,
    };
    inputs.chain(output)
}
