//! An `impl` block under `#[mcp::server]`, sorted into what the expansion needs.
//!
//! A method becomes what a free function is, so that all that reads, judges and expands functions serves
//! methods too: `&self` turns into a parameter of type `&State<Self>`, and `Self` into a name for the type
//! that items outside the block can use. Only the call differs, by the type in front of the name.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Meta, Pat, PatIdent, PatType, Path, Receiver, Type};

use crate::component::Component;
use crate::errors::Errors;
use crate::parse::{BlockItem, FnItem, ImplBlock, ServerOptions};
use crate::types::rename_self;

pub(crate) struct ServerBlock {
    /// The block as rustc gets it.
    pub(crate) block: ImplBlock,
    pub(crate) crate_path: Option<Path>,
    pub(crate) methods: Vec<ServerMethod>,
}

/// A method with an attribute of ours.
pub(crate) struct ServerMethod {
    pub(crate) component: Component,
    /// What stands inside that attribute.
    pub(crate) options: TokenStream,
    pub(crate) receiver: Option<Receiver>,
    /// The method as a free function.
    pub(crate) function: FnItem,
}

impl ServerBlock {
    /// Takes our attributes off the methods; those on other items are reported.
    pub(crate) fn new(mut block: ImplBlock, options: ServerOptions, errors: &mut Errors) -> Self {
        let mut methods = Vec::new();
        for item in &mut block.items {
            match item {
                BlockItem::Function(function) => {
                    let Some((component, attribute)) = take_component_attribute(&mut function.attributes) else {
                        continue;
                    };
                    let options = attribute_options(component, &attribute, errors);
                    match ServerMethod::new(component, options, function) {
                        Ok(method) => methods.push(method),
                        Err(error) => errors.push(error),
                    }
                    // Everything that is ours is read: what remains is rustc's.
                    function.attributes.retain(|attribute| Component::from_method_attribute(attribute).is_none());
                    **function = FnItem::clone(function).strip_parameter_options();
                }
                BlockItem::Other { attributes, .. } => {
                    while let Some((component, attribute)) = take_component_attribute(attributes) {
                        errors.at(
                            attribute.path(),
                            format!("`#[{component}]` goes on a method with a body: remove it, or write a `fn`"),
                        );
                    }
                }
            }
        }
        Self { block, crate_path: options.crate_path, methods }
    }
}

impl ServerMethod {
    fn new(component: Component, options: TokenStream, method: &FnItem) -> syn::Result<Self> {
        let mut function = method.clone();
        let receiver = function.signature.inputs.first().and_then(|input| match input {
            FnArg::Receiver(receiver) => Some(receiver.clone()),
            FnArg::Typed(_) => None,
        });
        // The body is the method's own.
        function.body = Group::new(function.body.delimiter(), TokenStream::new());
        function = syn::parse2(rename_self(function.into_token_stream(), &self_alias(Span::mixed_site())))?;
        function.visibility = syn::Visibility::Inherited;
        if let (Some(receiver), Some(first)) = (&receiver, function.signature.inputs.first_mut()) {
            *first = FnArg::Typed(receiver_as_state(receiver));
        }
        Ok(Self { component, options, receiver, function })
    }
}

/// The name of the block's type outside of the block.
pub(crate) fn self_alias(span: Span) -> Ident {
    Ident::new("__Self", span)
}

/// `self: &State<Self>`
fn receiver_as_state(receiver: &Receiver) -> PatType {
    let span = receiver.self_token.span();
    let alias = self_alias(span);
    let ident = Ident::new("self", span);
    let pattern = PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None };
    let ty: Type = syn::parse_quote_spanned!(span=> &__p::State<#alias>);
    PatType {
        attrs: receiver.attrs.clone(),
        pat: Box::new(Pat::Ident(pattern)),
        colon_token: syn::Token![:](span),
        ty: Box::new(ty),
    }
}

/// Takes off the first attribute that makes a method a component.
fn take_component_attribute(attributes: &mut Vec<Attribute>) -> Option<(Component, Attribute)> {
    let (index, component) = attributes.iter().enumerate().find_map(|(index, attribute)| {
        Component::from_method_attribute(attribute).map(|component| (index, component))
    })?;
    Some((component, attributes.remove(index)))
}

fn attribute_options(component: Component, attribute: &Attribute, errors: &mut Errors) -> TokenStream {
    match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            errors.at(pair, format!("options go in parentheses, as in `#[{component}(title = \"..\")]`"));
            TokenStream::new()
        }
    }
}
