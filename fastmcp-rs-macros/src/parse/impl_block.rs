//! Reads the `impl` block under `#[mcp::server]`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ImplItem, ItemImpl};

use super::function::FnItem;

/// An `impl` block. Only the signatures are parsed; bodies stay tokens, as in [`FnItem`].
pub(crate) struct ImplBlock {
    /// The tokens before the braces, parsed as a block without items.
    pub(crate) header: ItemImpl,
    /// The tokens between the attributes and the braces, as written.
    written_header: TokenStream,
    braces: Group,
    /// The `#![..]` attributes at the start of the block.
    inner_attributes: Vec<Attribute>,
    pub(crate) items: Vec<BlockItem>,
}

/// An item of an `impl` block.
pub(crate) enum BlockItem {
    Function(Box<FnItem>),
    /// A constant, a type or a macro call.
    Other {
        attributes: Vec<Attribute>,
        item: TokenStream,
    },
}

impl ImplBlock {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        let mut header: Vec<TokenTree> = tokens.into_iter().collect();
        let braces = match header.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            other => return Err(syn::Error::new_spanned(other, "expected an `impl` block")),
        };
        let written_header: TokenStream = header.into_iter().collect();
        let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
        empty.set_span(braces.span());
        let with_empty = written_header.clone().into_iter().chain([TokenTree::Group(empty)]).collect();
        let header: ItemImpl = syn::parse2(with_empty)?;
        // An attribute is `#` and a group.
        let written_header = written_header.into_iter().skip(2 * header.attrs.len()).collect();
        let (inner_attributes, items) = parse_body.parse2(braces.stream())?;
        Ok(Self { header, written_header, braces, inner_attributes, items })
    }
}

fn parse_body(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<BlockItem>)> {
    let inner_attributes = input.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        if let Ok(function) = ahead.parse() {
            input.advance_to(&ahead);
            items.push(BlockItem::Function(Box::new(function)));
            continue;
        }
        let attributes = input.call(Attribute::parse_outer)?;
        let item: ImplItem = input.parse()?;
        items.push(BlockItem::Other { attributes, item: item.into_token_stream() });
    }
    Ok((inner_attributes, items))
}

impl ToTokens for ImplBlock {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut body = TokenStream::new();
        body.extend(self.inner_attributes.iter().map(ToTokens::to_token_stream));
        body.extend(self.items.iter().map(ToTokens::to_token_stream));
        let mut braces = Group::new(Delimiter::Brace, body);
        braces.set_span(self.braces.span());
        tokens.extend(self.header.attrs.iter().map(ToTokens::to_token_stream));
        self.written_header.to_tokens(tokens);
        braces.to_tokens(tokens);
    }
}

impl ToTokens for BlockItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            BlockItem::Function(function) => function.to_tokens(tokens),
            BlockItem::Other { attributes, item } => {
                tokens.extend(attributes.iter().map(ToTokens::to_token_stream));
                item.to_tokens(tokens);
            }
        }
    }
}
