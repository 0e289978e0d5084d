//! Reads the function under an attribute.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Signature, Token, Visibility};

use super::foreign::replace_wrapped_parameters;

/// A function with an unparsed body.
///
/// The body stays a token group, so that unfinished code in an editor, or syntax newer than `syn`, does not make the
/// whole function fail to parse.
#[derive(Clone)]
pub(crate) struct FnItem {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

impl FnItem {
    /// Removes the parameter attributes that rustc rejects: doc comments and `#[arg]`. Replaces types of other
    /// frameworks, which are reported.
    pub(crate) fn strip_parameter_options(mut self) -> Self {
        for input in &mut self.signature.inputs {
            if let FnArg::Typed(typed) = input {
                replace_wrapped_parameters(typed);
            }
            let attributes = match input {
                FnArg::Typed(typed) => &mut typed.attrs,
                FnArg::Receiver(receiver) => &mut receiver.attrs,
            };
            attributes.retain(is_allowed_on_parameter);
        }
        self
    }
}

/// Returns whether rustc accepts this attribute on a parameter.
pub(crate) fn is_allowed_on_parameter(attribute: &Attribute) -> bool {
    const BUILT_IN: &[&str] = &["allow", "warn", "deny", "forbid", "expect", "cfg", "cfg_attr"];
    BUILT_IN.iter().any(|name| attribute.path().is_ident(name))
}

impl Parse for FnItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error("expected a body"));
        }
        match input.parse()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                Ok(Self { attributes, visibility, signature, body })
            }
            other => Err(syn::Error::new_spanned(other, "expected a body")),
        }
    }
}

impl ToTokens for FnItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.attributes.iter().map(ToTokens::to_token_stream).chain([
            self.visibility.to_token_stream(),
            self.signature.to_token_stream(),
            self.body.to_token_stream(),
        ]));
    }
}
