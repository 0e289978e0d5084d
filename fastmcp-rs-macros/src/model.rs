//! A struct or enum under `#[mcp::model]`, sorted into the parts that its expansion needs.
//!
//! The expansion derives serde's traits and `JsonSchema`, so this file reads the `#[serde(..)]` attributes that change
//! the JSON form.

use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Meta, Path, Type, Variant};

use crate::errors::Errors;
use crate::parse::{ArgOptions, Entry, ModelOptions, RenameRule, parse_entries};

/// A type under `#[mcp::model]`.
pub(crate) struct Model<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) crate_path: Option<Path>,
    allows_unknown: bool,
    /// One group for a struct, and one for each variant of an enum.
    pub(crate) groups: Vec<FieldGroup<'a>>,
}

/// The fields of a struct or of one variant.
pub(crate) struct FieldGroup<'a> {
    /// The variant; none for a struct.
    pub(crate) variant: Option<&'a Variant>,
    pub(crate) fields: Vec<ModelField<'a>>,
}

/// A field with its `#[arg]` options.
pub(crate) struct ModelField<'a> {
    pub(crate) field: &'a Field,
    pub(crate) index: usize,
    pub(crate) options: ArgOptions,
    /// The key in JSON; empty if the field is the whole value, as in `struct Count(u32)`.
    pub(crate) key: String,
}

/// The JSON objects of a type in which unknown members are errors.
pub(crate) enum ClosedObjects {
    /// The object of a struct.
    Struct,
    /// The object of a struct, together with the members of its flattened fields.
    FlatStruct,
    /// The object of each variant, with or without a tag.
    Variants,
    /// The object of each variant, under the variant's name.
    Contents,
    /// The outer object of each variant, and the inner one under this key.
    Content(String),
}

/// The form that elicitation shows for a value of the type.
pub(crate) enum FormKind<'a> {
    /// A form with one field for each of these types.
    Object(Vec<&'a Type>),
    /// A choice between the names of an enum's variants.
    Choice,
    /// The form of the only field, which has no key in JSON.
    Wrapper(&'a Type),
}

impl<'a> Model<'a> {
    pub(crate) fn new(input: &'a DeriveInput, options: ModelOptions, errors: &mut Errors) -> Self {
        let ModelOptions { allows_unknown, crate_path } = options;
        let own_rule = serde_option(&input.attrs, "rename_all");
        let groups = match &input.data {
            Data::Struct(data) => vec![FieldGroup::new(None, &data.fields, own_rule, errors)],
            Data::Enum(data) => {
                let rule_of_fields = serde_option(&input.attrs, "rename_all_fields");
                data.variants
                    .iter()
                    .map(|variant| {
                        let rule = serde_option(&variant.attrs, "rename_all");
                        let rule = rule.or_else(|| rule_of_fields.clone());
                        FieldGroup::new(Some(variant), &variant.fields, rule, errors)
                    })
                    .collect()
            }
            // `validate::model` reports unions.
            Data::Union(_) => Vec::new(),
        };
        Self { input, crate_path, allows_unknown, groups }
    }

    /// Iterates over all fields, each with its variant.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Option<&'a Variant>, &ModelField<'a>)> {
        self.groups.iter().flat_map(|group| group.fields.iter().map(|field| (group.variant, field)))
    }

    /// Returns the form of the type; none if its JSON is not that of a form, or cannot be known from its source.
    pub(crate) fn form_kind(&self) -> Option<FormKind<'a>> {
        let is_changed =
            has_serde_option(&self.input.attrs, &["from", "try_from", "remote", "tag", "content", "untagged"]);
        if is_changed || !self.input.generics.params.is_empty() {
            return None;
        }
        match &self.input.data {
            Data::Struct(data) if has_serde_option(&self.input.attrs, &["transparent"]) => wrapper_form(&data.fields),
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => {
                    let is_flat = !fields.named.iter().any(|field| has_serde_option(&field.attrs, &["flatten"]));
                    is_flat.then(|| {
                        FormKind::Object(fields.named.iter().filter(is_always_asked).map(|field| &field.ty).collect())
                    })
                }
                fields => wrapper_form(fields),
            },
            Data::Enum(data) => {
                let is_name = |variant: &Variant| {
                    matches!(variant.fields, Fields::Unit) && !has_serde_option(&variant.attrs, &["untagged"])
                };
                (!data.variants.is_empty() && data.variants.iter().all(is_name)).then_some(FormKind::Choice)
            }
            Data::Union(_) => None,
        }
    }

    /// Returns the objects in which serde would ignore unknown members. Returns none if there are no such objects, if
    /// the type allows unknown members, or if its serde attributes set other rules.
    pub(crate) fn closed_objects(&self) -> Option<ClosedObjects> {
        let attributes = &self.input.attrs;
        let own_rule = ["from", "try_from", "remote", "transparent", "deny_unknown_fields"];
        if self.allows_unknown || has_serde_option(attributes, &own_rule) {
            return None;
        }
        match &self.input.data {
            Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => match has_flatten(&data.fields) {
                true => Some(ClosedObjects::FlatStruct),
                false => Some(ClosedObjects::Struct),
            },
            Data::Struct(_) | Data::Union(_) => None,
            Data::Enum(data) => {
                let is_name = |variant: &Variant| matches!(variant.fields, Fields::Unit);
                match serde_option(attributes, "content") {
                    Some(content) => Some(ClosedObjects::Content(content)),
                    None if has_serde_option(attributes, &["tag", "untagged"]) => Some(ClosedObjects::Variants),
                    None => (!data.variants.iter().all(is_name)).then_some(ClosedObjects::Contents),
                }
            }
        }
    }

    /// Returns whether the type ignores unknown members and has flattened fields, whose own rules must not apply to it.
    pub(crate) fn is_open(&self) -> bool {
        self.allows_unknown && matches!(&self.input.data, Data::Struct(data) if has_flatten(&data.fields))
    }

    /// Returns whether serde would ignore members beside the tag of a unit variant, which its derive reads by special
    /// code.
    pub(crate) fn has_lax_variants(&self) -> bool {
        self.input.generics.params.is_empty()
            && matches!(self.closed_objects(), Some(ClosedObjects::Variants))
            && has_serde_option(&self.input.attrs, &["tag"])
            && self.groups.iter().filter_map(|group| group.variant).any(is_lax_variant)
    }

    /// Returns whether a field has a constraint that reading must enforce.
    pub(crate) fn is_constrained(&self) -> bool {
        self.fields().any(|(_, field)| field.options.is_constrained())
    }
}

impl<'a> FieldGroup<'a> {
    fn new(variant: Option<&'a Variant>, fields: &'a Fields, rule: Option<String>, errors: &mut Errors) -> Self {
        let is_whole = matches!(fields, Fields::Unnamed(list) if list.unnamed.len() == 1);
        let fields = fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let options = ArgOptions::parse(&field.attrs, errors);
                let key = match &field.ident {
                    Some(ident) => json_key(ident, field, &options, rule.as_deref()),
                    None if is_whole => String::new(),
                    None => index.to_string(),
                };
                ModelField { field, index, options, key }
            })
            .collect();
        Self { variant, fields }
    }
}

/// Returns whether serde ignores members beside the tag of this variant.
pub(crate) fn is_lax_variant(variant: &Variant) -> bool {
    matches!(variant.fields, Fields::Unit)
        && !has_serde_option(
            &variant.attrs,
            &["other", "untagged", "skip", "skip_deserializing", "with", "deserialize_with"],
        )
}

/// Returns whether one of the fields is flattened into the object of the others.
pub(crate) fn has_flatten(fields: &Fields) -> bool {
    fields.iter().any(|field| has_serde_option(&field.attrs, &["flatten"]))
}

/// Returns the key of a named field in JSON.
fn json_key(ident: &Ident, field: &Field, options: &ArgOptions, rule: Option<&str>) -> String {
    if let Some(rename) = &options.rename {
        return rename.value();
    }
    if let Some(rename) = serde_option(&field.attrs, "rename") {
        return rename;
    }
    let name = ident.unraw().to_string();
    match rule.and_then(RenameRule::from_word) {
        Some(rule) => rule.apply(&name),
        None => name,
    }
}

/// Returns whether the form has the field in every build. Fields with `#[cfg]` are checked when the server starts.
fn is_always_asked(field: &&Field) -> bool {
    !has_serde_option(&field.attrs, &["skip", "skip_deserializing"])
        && !field.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// Returns the form of a type that is its only field in JSON.
fn wrapper_form(fields: &Fields) -> Option<FormKind<'_>> {
    let mut fields = fields.iter();
    match (fields.next(), fields.next()) {
        (Some(field), None) if is_always_asked(&field) => Some(FormKind::Wrapper(&field.ty)),
        _ => None,
    }
}

/// Returns whether a `#[serde(..)]` attribute has one of these keys.
pub(crate) fn has_serde_option(attributes: &[Attribute], keys: &[&str]) -> bool {
    parse_serde_options(attributes).iter().any(|entry| keys.iter().any(|key| entry.key == key))
}

/// Returns the value of `#[serde(key = "value")]`.
fn serde_option(attributes: &[Attribute], key: &str) -> Option<String> {
    parse_serde_options(attributes)
        .into_iter()
        .filter(|entry| entry.key == key)
        .find_map(|entry| syn::parse2::<LitStr>(entry.value?).ok())
        .map(|literal| literal.value())
}

/// Parses all `#[serde(..)]` attributes. Errors in them are ignored, because serde's derive reports them.
fn parse_serde_options(attributes: &[Attribute]) -> Vec<Entry> {
    let mut ignored = Errors::default();
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::List(list) => Some(list.tokens.clone()),
            _ => None,
        })
        .flat_map(|tokens| parse_entries(tokens, &mut ignored))
        .collect()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    /// Describes the form of a type in words.
    fn form_of(input: DeriveInput) -> String {
        let model = Model::new(&input, ModelOptions::default(), &mut Errors::default());
        match model.form_kind() {
            None => "nothing".to_owned(),
            Some(FormKind::Choice) => "a name".to_owned(),
            Some(FormKind::Wrapper(ty)) => format!("as {}", ty.to_token_stream()),
            Some(FormKind::Object(types)) => {
                let types: Vec<String> = types.iter().map(|ty| ty.to_token_stream().to_string()).collect();
                format!("fields {}", types.join(", "))
            }
        }
    }

    #[test]
    fn the_form_of_a_type_follows_its_json() {
        assert_eq!(
            form_of(parse_quote!(
                struct Order {
                    id: String,
                    #[serde(skip)]
                    own: Own,
                    n: u8,
                }
            )),
            "fields String, u8"
        );
        assert_eq!(
            form_of(parse_quote!(
                struct Order {
                    #[cfg(x)]
                    id: String,
                    #[serde(default)]
                    n: u8,
                }
            )),
            "fields u8"
        );
        assert_eq!(
            form_of(parse_quote!(
                struct Order {}
            )),
            "fields "
        );
        assert_eq!(
            form_of(parse_quote!(
                struct Email(#[arg(min_length = 1)] String);
            )),
            "as String"
        );
        assert_eq!(
            form_of(parse_quote!(
                #[serde(transparent)]
                struct Email {
                    text: String,
                }
            )),
            "as String"
        );
        assert_eq!(
            form_of(parse_quote!(
                #[serde(rename_all = "lowercase")]
                enum Status {
                    Paid,
                    #[serde(rename = "x")]
                    Sent,
                }
            )),
            "a name"
        );
        for input in [
            parse_quote!(
                struct Unit;
            ),
            parse_quote!(
                struct Pair(u8, u8);
            ),
            parse_quote!(
                struct Page<T> {
                    items: Vec<T>,
                }
            ),
            parse_quote!(
                struct Text<'a> {
                    text: &'a str,
                }
            ),
            parse_quote!(
                struct Order {
                    id: u8,
                    #[serde(flatten)]
                    rest: Rest,
                }
            ),
            parse_quote!(
                #[serde(try_from = "Raw")]
                struct Order {
                    id: u8,
                }
            ),
            parse_quote!(
                #[serde(tag = "kind")]
                struct Order {
                    id: u8,
                }
            ),
            parse_quote!(
                #[serde(default, untagged)]
                enum Status {
                    Paid,
                }
            ),
            parse_quote!(
                enum Status {
                    Paid,
                    Sent(u8),
                }
            ),
            parse_quote!(
                enum Status {
                    Paid,
                    Sent {},
                }
            ),
            parse_quote!(
                enum Never {}
            ),
        ] {
            assert_eq!(form_of(input), "nothing");
        }
    }

    #[test]
    fn the_keys_of_fields_follow_serde() {
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
        let model = Model::new(&input, ModelOptions::default(), &mut Errors::default());
        let keys: Vec<&str> = model.fields().map(|(_, field)| field.key.as_str()).collect();
        assert_eq!(keys, ["orderId", "n", "kind"]);
    }
}
