//! The path of the runtime crate.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;

/// The path of fastmcp-rs as the user's crate names it.
pub(crate) struct CratePath(TokenStream);

impl CratePath {
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self(match path {
            Some(path) => path.to_token_stream(),
            None => quote!(::fastmcp_rs),
        })
    }

    /// The path of the module that expansions use.
    pub(crate) fn private(&self) -> TokenStream {
        let crate_path = &self.0;
        quote!(#crate_path::__private)
    }

    /// A path in a string, as serde's and schemars' own attributes take it.
    pub(crate) fn private_text(&self, item: &str) -> String {
        format!("{}::{item}", self.private()).replace(' ', "")
    }
}

/// The imports of a generated block: the runtime under a name of ours, which [`private`] gives, and
/// the traits of the probes, which have no names.
pub(super) fn import_runtime(crate_path: &CratePath) -> TokenStream {
    let (path, alias) = (crate_path.private(), private());
    quote! {
        use #path as #alias;
        #[allow(unused_imports)]
        use #path::probe::*;
    }
}

/// The runtime inside a generated block.
pub(super) fn private() -> Ident {
    private_at(Span::mixed_site())
}

/// The same, for code whose errors belong at `span`: rustc reports where a path starts.
pub(super) fn private_at(span: Span) -> Ident {
    Ident::new("__p", span)
}
