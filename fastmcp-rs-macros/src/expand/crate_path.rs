//! Paths into the runtime crate.

use proc_macro2::{Delimiter, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// The path by which the user's crate names fastmcp-rs.
pub(crate) struct CratePath(TokenStream);

impl CratePath {
    /// Uses `path`, the value of the option `crate`, or `::fastmcp_rs` without one.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self(match path {
            Some(path) => path.to_token_stream(),
            None => quote!(::fastmcp_rs),
        })
    }

    /// Returns the path of `__private`, the module that expansions use.
    pub(crate) fn private(&self) -> TokenStream {
        let crate_path = &self.0;
        quote!(#crate_path::__private)
    }

    /// Returns the path of an item in `__private` as a string, the form that attributes of serde and schemars take.
    pub(crate) fn private_text(&self, item: &str) -> String {
        format!("{}::{item}", self.private()).replace(' ', "")
    }
}

/// Generates the imports of a block: `__private` under the name that [`private`] returns, and the traits of the probes,
/// which are imported without names.
pub(super) fn import_runtime(crate_path: &CratePath) -> TokenStream {
    let (path, alias) = (crate_path.private(), private());
    quote! {
        use #path as #alias;
        #[allow(unused_imports)]
        use #path::probe::*;
    }
}

/// Returns a use of a type's alias that begins at the first token of the type and ends at its last one, so that rustc
/// underlines the type as a whole. A span of several tokens cannot be made.
pub(super) fn spread_alias(alias: &Ident, ty: &impl ToTokens) -> TokenStream {
    let tokens: Vec<TokenTree> = ty.to_token_stream().into_iter().collect();
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return alias.to_token_stream();
    };
    if tokens.len() == 1 {
        let mut alias = alias.clone();
        alias.set_span(first.span());
        return alias.into_token_stream();
    }
    let private = private_at(first_span(first));
    let mut end = Punct::new('>', Spacing::Alone);
    end.set_span(last_span(last));
    quote!(#private::Same<#alias #end)
}

/// Returns the span of the first character of a token.
fn first_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => group.span_open(),
        other => other.span(),
    }
}

/// Returns the span of the last character of a token.
fn last_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() != Delimiter::None => group.span_close(),
        other => other.span(),
    }
}

/// Returns the name of `__private` inside a generated block.
pub(super) fn private() -> Ident {
    private_at(Span::mixed_site())
}

/// Returns the name of `__private` with a span. rustc reports an error in a path at the path's first segment.
pub(super) fn private_at(span: Span) -> Ident {
    Ident::new("__p", span)
}
