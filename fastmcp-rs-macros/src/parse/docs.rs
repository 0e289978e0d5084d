//! Turns doc comments into the description that a model reads.
//!
//! Markdown is kept as written. Only the comment syntax is removed.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use super::entry::Entry;
use crate::errors::Errors;

/// The description of a component or argument.
#[derive(Clone, Debug)]
pub(crate) enum Description {
    Literal(String),
    /// A constant expression that rustc evaluates, as in `#[doc = include_str!("tool.md")]`.
    Expression(TokenStream),
}

impl Description {
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Description::Literal(text) if text.is_empty())
    }
}

impl ToTokens for Description {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Description::Literal(text) => text.to_tokens(tokens),
            Description::Expression(expression) => expression.to_tokens(tokens),
        }
    }
}

/// Reads `description = ".."`, or a macro call such as `include_str!`.
pub(super) fn parse_description(entry: &Entry, errors: &mut Errors) -> Option<Description> {
    let value = entry.value.clone().unwrap_or_default();
    match syn::parse2::<Expr>(value) {
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
            Some(Description::Literal(text.value().trim().to_owned()))
        }
        Ok(Expr::Macro(call)) => Some(Description::Expression(call.into_token_stream())),
        _ => {
            errors.at(
                entry.error_tokens(),
                "`description` takes a string literal, as in `description = \"Finds an order.\"`",
            );
            None
        }
    }
}

/// Joins the doc comments among these attributes; empty if there are none.
pub(crate) fn read_doc_comments(attributes: &[Attribute]) -> Description {
    let mut parts: Vec<Description> = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        match (&pair.value, parts.last_mut()) {
            (Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), last) => {
                let lines = clean_comment(&text.value());
                match last {
                    Some(Description::Literal(known)) => {
                        known.push('\n');
                        known.push_str(&lines);
                    }
                    _ => parts.push(Description::Literal(lines)),
                }
            }
            (expression, _) => parts.push(Description::Expression(expression.to_token_stream())),
        }
    }
    match parts.as_slice() {
        [] => Description::Literal(String::new()),
        [Description::Literal(text)] => Description::Literal(trim_blank_lines(text)),
        [Description::Expression(expression)] => Description::Expression(expression.clone()),
        parts => Description::Expression(quote!(::core::concat!(#(#parts, "\n"),*))),
    }
}

/// Cleans the value of one `#[doc]` attribute: a `///` line, or a whole `/** */` block.
fn clean_comment(text: &str) -> String {
    if !text.contains('\n') {
        let line = text.strip_prefix(' ').unwrap_or(text);
        return line.trim_end_matches('\r').to_owned();
    }
    let lines: Vec<&str> = text.lines().collect();
    let lines = strip_stars(&lines);
    // The common indentation is removed, as rustdoc does.
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| match line.trim().is_empty() {
            true => "",
            false => &line[indent..],
        })
        .collect();
    trim_blank_lines(&lines.join("\n"))
}

/// Strips the leading `*` of a decorated block comment, if all its lines have one.
fn strip_stars<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let (first, rest) = match lines.split_first() {
        Some((first, rest)) => (*first, rest),
        None => return Vec::new(),
    };
    let is_decorated = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('*');
    let has_star = rest.iter().any(|line| line.trim_start().starts_with('*'));
    if !has_star || !rest.iter().all(is_decorated) {
        return lines.to_vec();
    }
    // A Markdown list of `* item` lines also has a line without a star, unless the block is decorated.
    let undecorated = rest.iter().map(|line| {
        let line = line.trim_start();
        line.strip_prefix('*').unwrap_or(line)
    });
    std::iter::once(first).chain(undecorated).collect()
}

fn trim_blank_lines(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_text = |line: &&str| !line.trim().is_empty();
    let Some(start) = lines.iter().position(is_text) else {
        return String::new();
    };
    let end = lines.iter().rposition(is_text).map_or(lines.len(), |last| last + 1);
    lines[start..end].join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn text(item: &syn::ItemFn) -> String {
        match read_doc_comments(&item.attrs) {
            Description::Literal(text) => text,
            Description::Expression(tokens) => format!("computed: {tokens}"),
        }
    }

    #[test]
    fn line_comments_keep_their_markdown() {
        let item: syn::ItemFn = parse_quote! {
            /// Finds an order.
            ///
            /// Use this when:
            ///   - a reference is given;
            ///     even an old one
            ///   - `code` matters
            ///
            ///     indented code
            ///
            fn f() {}
        };
        assert_eq!(
            text(&item),
            "Finds an order.\n\nUse this when:\n  - a reference is given;\n    even an old one\n  - `code` matters\n\n    indented code"
        );
    }

    #[test]
    fn block_comments_lose_their_stars_and_indentation() {
        let item: syn::ItemFn = parse_quote! {
            /** Finds an order.
             *
             * - one
             *   more
             */
            fn f() {}
        };
        assert_eq!(text(&item), "Finds an order.\n\n- one\n  more");
        let item: syn::ItemFn = parse_quote! {
            /**
                Finds an order.

                  indented
            */
            fn f() {}
        };
        assert_eq!(text(&item), "Finds an order.\n\n  indented");
        let item: syn::ItemFn = parse_quote! {
            /** One line. */
            fn f() {}
        };
        assert_eq!(text(&item), "One line.");
    }

    #[test]
    fn doc_attributes_count_as_comments() {
        let item: syn::ItemFn = parse_quote! {
            #[doc = "First."]
            #[doc(hidden)]
            #[doc = ""]
            /// Second.
            fn f() {}
        };
        assert_eq!(text(&item), "First.\n\nSecond.");
        let item: syn::ItemFn = parse_quote! {
            /// First.
            #[doc = include_str!("more.md")]
            fn f() {}
        };
        assert_eq!(
            text(&item),
            "computed: :: core :: concat ! (\"First.\" , \"\\n\" , include_str ! (\"more.md\") , \"\\n\")"
        );
        let item: syn::ItemFn = parse_quote!(
            fn f() {}
        );
        assert_eq!(text(&item), "");
    }
}
