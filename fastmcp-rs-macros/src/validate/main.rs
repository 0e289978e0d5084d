//! Checks the function under `#[mcp::main]`.

use quote::ToTokens;
use syn::Signature;

use crate::errors::Errors;

/// Reports a signature that `main` cannot have.
pub(crate) fn check_main(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            "`#[mcp::main]` starts the async runtime: write `async fn`, or remove the attribute",
        );
    }
    if !signature.inputs.is_empty() {
        errors.at(&signature.inputs, "`main` takes no arguments: read the command line with `std::env::args()`");
    }
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        errors.at(generics, "`main` cannot be generic: remove the parameters");
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(clause.where_token, "`main` cannot be generic: remove the `where` clause");
    }
    let qualifiers = [
        signature.constness.as_ref().map(ToTokens::to_token_stream),
        signature.abi.as_ref().map(ToTokens::to_token_stream),
        match &signature.safety {
            syn::Safety::Default => None,
            safety => Some(safety.to_token_stream()),
        },
    ];
    for qualifier in qualifiers.into_iter().flatten() {
        errors.at(qualifier, "`main` is a plain `async fn`: remove this");
    }
}
