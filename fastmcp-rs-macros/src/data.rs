//! A struct or an enum under `#[mcp::model]`, sorted into what the expansion needs.

use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Meta, Path};

use crate::errors::Errors;
use crate::parse::{ArgOptions, entries};

pub(crate) struct DataType<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) krate: Option<Path>,
    /// The struct itself, or each variant of the enum.
    pub(crate) bodies: Vec<Body<'a>>,
}

/// Fields that stand together.
pub(crate) struct Body<'a> {
    /// None for a struct.
    pub(crate) variant: Option<&'a Ident>,
    pub(crate) fields: Vec<DataField<'a>>,
}

pub(crate) struct DataField<'a> {
    pub(crate) field: &'a Field,
    pub(crate) index: usize,
    pub(crate) options: ArgOptions,
    /// Its key in JSON; empty when the field is the whole value, as in `struct Count(u32)`.
    pub(crate) key: String,
}

impl<'a> DataType<'a> {
    pub(crate) fn new(input: &'a DeriveInput, krate: Option<Path>, errors: &mut Errors) -> Self {
        let own_rule = serde_value(&input.attrs, "rename_all");
        let bodies = match &input.data {
            Data::Struct(data) => vec![Body::new(None, &data.fields, own_rule, errors)],
            Data::Enum(data) => {
                let rule_of_fields = serde_value(&input.attrs, "rename_all_fields");
                data.variants
                    .iter()
                    .map(|variant| {
                        let rule = serde_value(&variant.attrs, "rename_all");
                        let rule = rule.or_else(|| rule_of_fields.clone());
                        Body::new(Some(&variant.ident), &variant.fields, rule, errors)
                    })
                    .collect()
            }
            // Reported as a whole.
            Data::Union(_) => Vec::new(),
        };
        Self { input, krate, bodies }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (Option<&'a Ident>, &DataField<'a>)> {
        self.bodies.iter().flat_map(|body| body.fields.iter().map(|field| (body.variant, field)))
    }

    pub(crate) fn is_constrained(&self) -> bool {
        self.fields().any(|(_, field)| field.options.is_constrained())
    }
}

impl<'a> Body<'a> {
    fn new(variant: Option<&'a Ident>, fields: &'a Fields, rule: Option<String>, errors: &mut Errors) -> Self {
        let is_whole = matches!(fields, Fields::Unnamed(list) if list.unnamed.len() == 1);
        let fields = fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let options = ArgOptions::parse(&field.attrs, errors);
                let key = match &field.ident {
                    Some(ident) => key(ident, field, &options, rule.as_deref()),
                    None if is_whole => String::new(),
                    None => index.to_string(),
                };
                DataField { field, index, options, key }
            })
            .collect();
        Self { variant, fields }
    }
}

fn key(ident: &Ident, field: &Field, options: &ArgOptions, rule: Option<&str>) -> String {
    if let Some(rename) = &options.rename {
        return rename.value();
    }
    if let Some(rename) = serde_value(&field.attrs, "rename") {
        return rename;
    }
    let name = ident.unraw().to_string();
    match rule {
        Some(rule) => renamed(&name, rule),
        None => name,
    }
}

/// What serde's `rename_all` makes of a field's name.
fn renamed(name: &str, rule: &str) -> String {
    let pascal = || {
        let words = name.split('_').map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters).collect::<String>()
        });
        words.collect::<String>()
    };
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            let mut characters = pascal.chars();
            let first = characters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// The value of `#[serde(key = "value")]`; what is wrong in there is serde's to report.
fn serde_value(attributes: &[Attribute], key: &str) -> Option<String> {
    let mut ignored = Errors::default();
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(list.tokens.clone()),
            _ => None,
        })
        .flat_map(|tokens| entries(tokens, &mut ignored))
        .filter(|entry| entry.key == key)
        .find_map(|entry| syn::parse2::<LitStr>(entry.value?).ok())
        .map(|literal| literal.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_serde() {
        for (rule, key) in [
            ("camelCase", "orderLineId"),
            ("PascalCase", "OrderLineId"),
            ("kebab-case", "order-line-id"),
            ("SCREAMING_SNAKE_CASE", "ORDER_LINE_ID"),
            ("SCREAMING-KEBAB-CASE", "ORDER-LINE-ID"),
            ("snake_case", "order_line_id"),
        ] {
            assert_eq!(renamed("order_line_id", rule), key);
        }
        let input: DeriveInput = syn::parse_quote! {
            #[serde(deny_unknown_fields, rename_all = "camelCase")]
            struct Line {
                order_id: u8,
                #[serde(default, rename = "n")]
                quantity: u8,
                #[arg(rename = "kind")]
                r#type: u8,
            }
        };
        let data = DataType::new(&input, None, &mut Errors::default());
        let keys: Vec<&str> = data.fields().map(|(_, field)| field.key.as_str()).collect();
        assert_eq!(keys, ["orderId", "n", "kind"]);
    }
}
