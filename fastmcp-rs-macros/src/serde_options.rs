//! Reads the `#[serde(..)]` and `#[schemars(..)]` attributes that change the JSON form of a model.
//!
//! The derives of serde and schemars read them too. serde reports a misspelt option once for each of its derives, and
//! rustc then reports the traits that are missing, so `validate::serde` checks the options before.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{Attribute, LitStr, Meta};

use crate::errors::Errors;
use crate::parse::RenameRule;

/// An option of serde or schemars: `key`, `key = value` or `key(..)`.
pub(crate) struct SerdeOption {
    pub(crate) key: Ident,
    /// The string after `=`.
    pub(crate) value: Option<LitStr>,
    /// The options in parentheses, as in `rename(serialize = "a")`.
    pub(crate) inner: Vec<SerdeOption>,
}

impl SerdeOption {
    pub(crate) fn name(&self) -> String {
        self.key.to_string()
    }
}

/// Returns the options in all attributes of this name. Parts that are not options are left to the derives.
pub(crate) fn read_options(attributes: &[Attribute], name: &str) -> Vec<SerdeOption> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
        .filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(read_list(list.tokens.clone())),
            _ => None,
        })
        .flatten()
        .collect()
}

fn read_list(tokens: TokenStream) -> Vec<SerdeOption> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
    trees.split(is_comma).filter_map(read_option).collect()
}

fn read_option(part: &[TokenTree]) -> Option<SerdeOption> {
    let (TokenTree::Ident(key), rest) = part.split_first()? else {
        return None;
    };
    let (mut value, mut inner) = (None, Vec::new());
    match rest {
        [TokenTree::Punct(equals), tokens @ ..] if equals.as_char() == '=' => {
            value = syn::parse2(tokens.iter().cloned().collect()).ok();
        }
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => inner = read_list(group.stream()),
        _ => {}
    }
    Some(SerdeOption { key: key.clone(), value, inner })
}

/// Adds the option `rename_all` of `#[mcp::model]` to the attributes of the type, where serde reads it. Reports a
/// second rule.
pub(crate) fn add_rename_all(attributes: &mut Vec<Attribute>, key: &Ident, rule: RenameRule, errors: &mut Errors) {
    if has_serde_option(attributes, &["rename_all"]) {
        errors.at(key, "`#[serde(rename_all = ..)]` has a rule for these names already: remove one of the two");
        return;
    }
    let word = LitStr::new(rule.word(), key.span());
    attributes.push(syn::parse_quote_spanned!(key.span()=> #[serde(rename_all = #word)]));
}

/// Returns whether a `#[serde(..)]` attribute has one of these keys.
pub(crate) fn has_serde_option(attributes: &[Attribute], keys: &[&str]) -> bool {
    has_option(attributes, "serde", keys)
}

/// Returns whether a `#[schemars(..)]` attribute has one of these keys.
pub(crate) fn has_schemars_option(attributes: &[Attribute], keys: &[&str]) -> bool {
    has_option(attributes, "schemars", keys)
}

fn has_option(attributes: &[Attribute], name: &str, keys: &[&str]) -> bool {
    read_options(attributes, name).iter().any(|option| keys.iter().any(|key| option.key == key))
}

/// Returns the value of `#[serde(key = "value")]`.
pub(crate) fn serde_option(attributes: &[Attribute], key: &str) -> Option<String> {
    let mut options = read_options(attributes, "serde").into_iter().filter(|option| option.key == key);
    options.find_map(|option| option.value).map(|literal| literal.value())
}

/// The names of an item in JSON, one per direction.
#[derive(Default)]
pub(crate) struct Renames {
    pub(crate) serialize: Option<String>,
    pub(crate) deserialize: Option<String>,
}

/// Returns the values of `key = ".."` and `key(serialize = "..", deserialize = "..")`.
pub(crate) fn read_renames(attributes: &[Attribute], key: &str) -> Renames {
    let mut renames = Renames::default();
    for option in read_options(attributes, "serde").into_iter().filter(|option| option.key == key) {
        if let Some(value) = &option.value {
            renames.serialize = Some(value.value());
            renames.deserialize = Some(value.value());
        }
        for inner in &option.inner {
            let value = inner.value.as_ref().map(LitStr::value);
            match inner.name().as_str() {
                "serialize" => renames.serialize = value,
                "deserialize" => renames.deserialize = value,
                _ => {}
            }
        }
    }
    renames
}

/// Renames a field as serde's `rename_all` does.
pub(crate) fn rename_field(name: &str, rule: &str) -> String {
    RenameRule::from_word(rule).map_or_else(|| name.to_owned(), |rule| rule.apply(name))
}

/// Renames a variant as serde's `rename_all` does.
pub(crate) fn rename_variant(name: &str, rule: &str) -> String {
    match rule {
        "lowercase" => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "camelCase" => lower_first(name),
        "snake_case" => to_snake_case(name),
        "SCREAMING_SNAKE_CASE" => to_snake_case(name).to_ascii_uppercase(),
        "kebab-case" => to_snake_case(name).replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => to_snake_case(name).to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Puts a `_` before each capital except the first, and no other rule, as serde does: `HTTPError` is `h_t_t_p_error`.
fn to_snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, character) in name.char_indices() {
        if index > 0 && character.is_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn fields_and_variants_are_renamed_as_serde_does() {
        for (rule, field, variant) in [
            ("lowercase", "order_line_id", "inprogress"),
            ("UPPERCASE", "ORDER_LINE_ID", "INPROGRESS"),
            ("PascalCase", "OrderLineId", "InProgress"),
            ("camelCase", "orderLineId", "inProgress"),
            ("snake_case", "order_line_id", "in_progress"),
            ("SCREAMING_SNAKE_CASE", "ORDER_LINE_ID", "IN_PROGRESS"),
            ("kebab-case", "order-line-id", "in-progress"),
            ("SCREAMING-KEBAB-CASE", "ORDER-LINE-ID", "IN-PROGRESS"),
        ] {
            assert_eq!(rename_field("order_line_id", rule), field, "{rule}");
            assert_eq!(rename_variant("InProgress", rule), variant, "{rule}");
        }
    }

    #[test]
    fn each_direction_has_its_name() {
        let attributes: Vec<Attribute> = vec![parse_quote!(#[serde(skip, rename(serialize = "a", deserialize = "b"))])];
        let renames = read_renames(&attributes, "rename");
        assert_eq!((renames.serialize.as_deref(), renames.deserialize.as_deref()), (Some("a"), Some("b")));
        assert!(has_serde_option(&attributes, &["skip"]));
    }
}
