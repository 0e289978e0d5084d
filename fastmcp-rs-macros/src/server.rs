//! An `impl` block under `#[mcp::server]`, sorted into the parts that its expansion needs.
//!
//! Each method is rewritten as a free function, so that the code that parses, validates and expands functions also
//! handles methods: `&self` becomes a parameter of type `&State<Self>`, and `Self` becomes an alias that items outside
//! of the block can use. Only the generated call differs, because it puts the type in front of the name.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Meta, Pat, PatIdent, PatType, Path, Receiver, Type};

use crate::component::Component;
use crate::errors::Errors;
use crate::parse::{BlockItem, FnItem, HandlerOptions, ImplBlock, RenameRule, ServerOptions};
use crate::types::rename_self;

/// An `impl` block with its components.
pub(crate) struct ServerBlock {
    /// The block that is emitted, without the attributes of fastmcp-rs.
    pub(crate) block: ImplBlock,
    pub(crate) crate_path: Option<Path>,
    pub(crate) renames: Renames,
    /// The names of the options of the block as written, for editors.
    pub(crate) keys: Vec<Ident>,
    /// Whether the block adds to those of another block of the type, which implements the trait.
    pub(crate) is_extension: bool,
    pub(crate) methods: Vec<ServerMethod>,
}

/// The naming rules of a block.
#[derive(Clone, Copy)]
pub(crate) struct Renames {
    rename_all: Option<RenameRule>,
    rename_tools: Option<RenameRule>,
    rename_prompts: Option<RenameRule>,
}

impl Renames {
    /// Adds the rules to the options of a method. Its own rule wins, and the variables of a URI template have no
    /// hyphens.
    pub(crate) fn add_to(self, options: &mut HandlerOptions) {
        let component = options.component();
        let inherited = self.rename_all.filter(|rule| component != Component::Resource || !rule.has_hyphens());
        options.rename_all = options.rename_all.or(inherited);
        options.rename_self = match component {
            Component::Tool => self.rename_tools,
            Component::Prompt => self.rename_prompts,
            Component::Resource => None,
        };
    }
}

/// A method with a component attribute, such as `#[tool]`.
pub(crate) struct ServerMethod {
    pub(crate) component: Component,
    /// The unparsed options of the attribute.
    pub(crate) options: TokenStream,
    pub(crate) receiver: Option<Receiver>,
    /// The method, rewritten as a free function without a body.
    pub(crate) function: FnItem,
}

impl ServerBlock {
    /// Takes the component attributes off the methods. Reports those on other items.
    pub(crate) fn new(mut block: ImplBlock, options: ServerOptions, errors: &mut Errors) -> Self {
        let mut methods = Vec::new();
        block.header.attrs.retain(|attribute| !report_router(attribute, errors));
        for item in &mut block.items {
            match item {
                BlockItem::Function(function) => {
                    let Some((component, attribute)) = take_component_attribute(&mut function.attributes) else {
                        continue;
                    };
                    let options = attribute_options(component, &attribute, errors);
                    let options = rename_self(options, &self_alias(Span::mixed_site()));
                    match ServerMethod::new(component, options, function) {
                        Ok(method) => methods.push(method),
                        Err(error) => errors.push(error),
                    }
                    // The copy in `methods` keeps the attributes; rustc must not see them on the emitted method.
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
        let ServerOptions { keys, crate_path, rename_all, rename_tools, rename_prompts, extend } = options;
        let renames = Renames { rename_all, rename_tools, rename_prompts };
        Self { block, crate_path, renames, keys, is_extension: extend, methods }
    }
}

impl ServerMethod {
    fn new(component: Component, options: TokenStream, method: &FnItem) -> syn::Result<Self> {
        let mut function = method.clone();
        let receiver = function.signature.inputs.first().and_then(|input| match input {
            FnArg::Receiver(receiver) => Some(receiver.clone()),
            FnArg::Typed(_) => None,
        });
        // Only the method in the block needs its body.
        function.body = Group::new(function.body.delimiter(), TokenStream::new());
        function = syn::parse2(rename_self(function.into_token_stream(), &self_alias(Span::mixed_site())))?;
        function.visibility = syn::Visibility::Inherited;
        // The URI of a resource may be a constant of the type.
        let options = rename_self(options, &self_alias(Span::mixed_site()));
        if let (Some(receiver), Some(first)) = (&receiver, function.signature.inputs.first_mut()) {
            *first = FnArg::Typed(receiver_as_state(receiver));
        }
        Ok(Self { component, options, receiver, function })
    }
}

/// The alias `__Self`, which stands for the block's type outside of the block.
pub(crate) fn self_alias(span: Span) -> Ident {
    Ident::new("__Self", span)
}

/// Converts a receiver into the parameter `self: &State<__Self>`.
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

/// Returns whether the attribute is one of rmcp for such blocks, and reports it.
fn report_router(attribute: &Attribute, errors: &mut Errors) -> bool {
    let routers = ["tool_router", "tool_handler", "prompt_router", "prompt_handler"];
    let Some(name) = routers.iter().find(|name| attribute.path().is_ident(name)) else {
        return false;
    };
    errors.at(attribute.path(), format!("`#[mcp::server]` registers the methods itself: remove `#[{name}]`"));
    true
}

/// Removes and returns the first component attribute of a method.
fn take_component_attribute(attributes: &mut Vec<Attribute>) -> Option<(Component, Attribute)> {
    let (index, component) = attributes.iter().enumerate().find_map(|(index, attribute)| {
        Component::from_method_attribute(attribute).map(|component| (index, component))
    })?;
    Some((component, attributes.remove(index)))
}

/// Returns the tokens in the parentheses of a component attribute.
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
