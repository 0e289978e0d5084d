//! Inspects and rewrites types by their spelling.
//!
//! A macro cannot see through aliases. So the spelling of a type never decides how a component behaves: it only makes
//! errors earlier and clearer, and the runtime's traits decide the rest.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, Type, TypeReference};

/// The kind of value that a type holds, under references, `Option` and smart pointers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    String,
    Char,
    Integer { min: i128, max: i128 },
    F32,
    F64,
    Bool,
    List,
    Map,
    Unknown,
}

impl Shape {
    /// Returns the shape of a type; `Unknown` for a user's type, an alias or anything else that is not recognised.
    pub(crate) fn from_type(ty: &Type) -> Self {
        match strip_groups(ty) {
            Type::Reference(reference) => Self::from_type(&reference.elem),
            Type::Slice(_) | Type::Array(_) => Self::List,
            Type::Path(path) if path.qself.is_none() => Self::from_path(&path.path, ty),
            _ => Self::Unknown,
        }
    }

    fn from_path(path: &Path, ty: &Type) -> Self {
        let Some(last) = path.segments.last() else {
            return Self::Unknown;
        };
        // Any other path of several segments may lead to a user's type of the same name.
        let is_known = path.segments.len() == 1
            || path
                .segments
                .first()
                .is_some_and(|first| ["std", "core", "alloc"].iter().any(|name| first.ident == name));
        if !is_known {
            return Self::Unknown;
        }
        let integer = |min, max| Self::Integer { min, max };
        match last.ident.to_string().as_str() {
            "String" | "str" => Self::String,
            "bool" => Self::Bool,
            "char" => Self::Char,
            "f32" => Self::F32,
            "f64" => Self::F64,
            "u8" => integer(0, u8::MAX.into()),
            "u16" => integer(0, u16::MAX.into()),
            "u32" => integer(0, u32::MAX.into()),
            "u64" | "usize" => integer(0, u64::MAX.into()),
            "u128" => integer(0, i128::MAX),
            "i8" => integer(i8::MIN.into(), i8::MAX.into()),
            "i16" => integer(i16::MIN.into(), i16::MAX.into()),
            "i32" => integer(i32::MIN.into(), i32::MAX.into()),
            "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
            "i128" => integer(i128::MIN, i128::MAX),
            "NonZeroU8" => integer(1, u8::MAX.into()),
            "NonZeroU16" => integer(1, u16::MAX.into()),
            "NonZeroU32" => integer(1, u32::MAX.into()),
            "NonZeroU64" | "NonZeroUsize" => integer(1, u64::MAX.into()),
            "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => Self::List,
            "HashMap" | "BTreeMap" => Self::Map,
            "Option" | "Box" | "Arc" | "Rc" => {
                let arguments = generic_arguments(ty, &last.ident.to_string()).unwrap_or_default();
                arguments.first().map_or(Self::Unknown, |inner| Self::from_type(inner))
            }
            _ => Self::Unknown,
        }
    }

    /// Names such a value in messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Shape::String => "a string",
            Shape::Char => "a single character",
            Shape::Integer { .. } => "an integer",
            Shape::F64 | Shape::F32 => "a float",
            Shape::Bool => "a boolean",
            Shape::List => "a list",
            Shape::Map => "a map",
            Shape::Unknown => "a value",
        }
    }
}

/// Strips the parentheses and invisible groups around a type.
pub(crate) fn strip_groups(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => strip_groups(&paren.elem),
        Type::Group(group) => strip_groups(&group.elem),
        other => other,
    }
}

/// Returns the type as a reference, if it is spelled as one.
pub(crate) fn as_reference(ty: &Type) -> Option<&TypeReference> {
    match strip_groups(ty) {
        Type::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// Returns the type arguments of a path whose last segment is `name`.
pub(crate) fn generic_arguments<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = strip_groups(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    if last.ident != name {
        return None;
    }
    match &last.arguments {
        PathArguments::AngleBracketed(list) => {
            let types = list.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            Some(types.collect())
        }
        _ => Some(Vec::new()),
    }
}

/// Finds the first identifier, keyword or `_` with this spelling in a type. Lifetimes do not count.
pub(crate) fn find_word(ty: &Type, word: &str) -> Option<Ident> {
    fn find(tokens: TokenStream, word: &str) -> Option<Ident> {
        let mut after_quote = false;
        tokens.into_iter().find_map(|token| {
            let is_lifetime = std::mem::take(&mut after_quote);
            match token {
                TokenTree::Ident(ident) if ident == word && !is_lifetime => Some(ident),
                TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => find(group.stream(), word),
                TokenTree::Punct(punct) => {
                    after_quote = punct.as_char() == '\'';
                    None
                }
                _ => None,
            }
        })
    }
    find(ty.to_token_stream(), word)
}

/// Returns whether a type spells a reference of any lifetime.
pub(crate) fn has_reference(ty: &Type) -> bool {
    fn has_and(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() == '&',
            TokenTree::Group(group) => group.delimiter() != Delimiter::Brace && has_and(group.stream()),
            _ => false,
        })
    }
    has_and(ty.to_token_stream())
}

/// Finds the first reference in a type that is not `&'static`.
pub(crate) fn find_nested_borrow(ty: &Type) -> Option<TokenTree> {
    find_borrow(ty.to_token_stream())
}

fn find_borrow(tokens: TokenStream) -> Option<TokenTree> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(and) if and.as_char() == '&' => {
                let is_lifetime = matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '\'');
                if !is_lifetime {
                    return Some(token);
                }
                tokens.next();
                match tokens.next() {
                    Some(TokenTree::Ident(name)) if name == "static" => {}
                    _ => return Some(token),
                }
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                if let Some(found) = find_borrow(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns whether a type spells a lifetime other than `'static`, or a reference that is not `&'static`.
pub(crate) fn is_borrowed(ty: &Type) -> bool {
    fn names_lifetime(tokens: TokenStream) -> bool {
        let mut after_quote = false;
        tokens.into_iter().any(|token| {
            let is_lifetime = std::mem::take(&mut after_quote);
            match token {
                TokenTree::Ident(name) => is_lifetime && name != "static",
                TokenTree::Punct(punct) => {
                    after_quote = punct.as_char() == '\'';
                    false
                }
                TokenTree::Group(group) => names_lifetime(group.stream()),
                TokenTree::Literal(_) => false,
            }
        })
    }
    find_nested_borrow(ty).is_some() || names_lifetime(ty.to_token_stream())
}

/// Replaces every lifetime by `'static`, and every `&T` by `&'static T`.
///
/// The generated code is outside of the function, where its lifetimes have no names. `'static` is correct there,
/// because the runtime asks for the owned form of each type.
pub(crate) fn replace_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut output = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(quote) if quote.as_char() == '\'' => {
                output.push(TokenTree::Punct(quote));
                if let Some(name) = tokens.next() {
                    output.push(Ident::new("static", name.span()).into());
                }
            }
            TokenTree::Punct(and) if and.as_char() == '&' => {
                let is_operator = output.last().is_some_and(ends_operand);
                let has_lifetime = matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '\'');
                let span = and.span();
                output.push(TokenTree::Punct(and));
                if !is_operator && !has_lifetime {
                    output.extend(static_lifetime(span));
                }
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let stream = replace_lifetimes(group.stream());
                let mut inner = Group::new(group.delimiter(), stream);
                inner.set_span(group.span());
                output.push(TokenTree::Group(inner));
            }
            other => output.push(other),
        }
    }
    output.into_iter().collect()
}

/// Returns whether `&` after this token is the operator, as in `[u8; A & B]`.
fn ends_operand(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => ["mut", "const", "static"].iter().all(|word| ident != word),
        TokenTree::Literal(_) => true,
        _ => false,
    }
}

fn static_lifetime(span: Span) -> [TokenTree; 2] {
    let mut quote = Punct::new('\'', Spacing::Joint);
    quote.set_span(span);
    [quote.into(), Ident::new("static", span).into()]
}

/// Moves all tokens to `span`, so that rustc reports errors inside them there.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let mut inner = Group::new(group.delimiter(), respan(group.stream(), span));
                inner.set_span(span);
                return TokenTree::Group(inner);
            }
            token.set_span(span);
            token
        })
        .collect()
}

/// Renames `Self`, which has no meaning, or another one, at the place where the tokens are emitted.
pub(crate) fn rename_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) if word == "Self" => {
                let mut name = name.clone();
                name.set_span(word.span());
                TokenTree::Ident(name)
            }
            TokenTree::Group(group) => {
                let stream = rename_self(group.stream(), name);
                let mut inner = Group::new(group.delimiter(), stream);
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_spelled_type_shows_its_shape() {
        for (ty, noun) in [
            (parse_quote!(&str), "a string"),
            (parse_quote!(Option<std::string::String>), "a string"),
            (parse_quote!(Option<&u8>), "an integer"),
            (parse_quote!((f32)), "a float"),
            (parse_quote!(&[&str]), "a list"),
            (parse_quote!(HashMap<String, u8>), "a map"),
            (parse_quote!(my::String), "a value"),
            (parse_quote!(<T as Trait>::String), "a value"),
        ] {
            let ty: Type = ty;
            assert_eq!(Shape::from_type(&ty).noun(), noun, "{}", ty.to_token_stream());
        }
    }

    #[test]
    fn every_lifetime_becomes_static() {
        let convert = |tokens| replace_lifetimes(tokens).to_string().replace(' ', "");
        assert_eq!(convert(quote!(Result<&'a str, Cow<'_, [&u8]>>)), "Result<&'staticstr,Cow<'static,[&'staticu8]>>");
        assert_eq!(convert(quote!([u8; A & B])), "[u8;A&B]");
        assert_eq!(convert(quote!(&&str)), "&'static&'staticstr");
    }

    #[test]
    fn borrows_and_words_are_found_inside_of_types() {
        assert!(is_borrowed(&parse_quote!(Cow<'a, str>)));
        assert!(is_borrowed(&parse_quote!(Option<&str>)));
        assert!(!is_borrowed(&parse_quote!(Option<&'static str>)));
        assert!(find_nested_borrow(&parse_quote!(State<&'static str>)).is_none());
        assert!(find_nested_borrow(&parse_quote!((u8, Vec<&'a str>))).is_some());
        assert!(find_word(&parse_quote!(Cow<'_, str>), "_").is_none());
        assert!(find_word(&parse_quote!(Vec<_>), "_").is_some());
    }
}
