//! A struct or enum under `#[mcp::model]`, sorted into the parts that its expansion needs.
//!
//! The expansion derives serde's traits and `JsonSchema`, so this file reads the `#[serde(..)]` attributes that change
//! the JSON form.

use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, Path, Token, Type, Variant};

use crate::errors::Errors;
use crate::parse::{ArgOptions, Flag, ModelOptions};
use crate::serde_options::{
    Renames, has_schemars_option, has_serde_option, read_options, read_renames, rename_field, rename_variant,
    serde_option,
};
use crate::types::{Shape, find_word, generic_arguments, has_reference, strip_groups};

/// Options of serde with which a field or a variant does not have the JSON of its type or name.
const OWN_FORM: &[&str] = &[
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "with",
    "serialize_with",
    "deserialize_with",
    "getter",
    "other",
    "untagged",
];
/// Options of schemars with which a field does not have the schema of its type.
const OWN_SCHEMA: &[&str] = &["with", "schema_with", "skip", "skip_serializing", "skip_deserializing"];

/// A type under `#[mcp::model]`.
pub(crate) struct Model<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) crate_path: Option<Path>,
    /// The names of the options of the type as written, for editors.
    pub(crate) keys: Vec<Ident>,
    allows_unknown: bool,
    pub(crate) direction: Direction,
    /// The conversions of an enum of names that the type is to have.
    pub(crate) conversions: Conversions,
    /// The keys of the options that only an enum of names takes.
    pub(crate) conversion_keys: Vec<Ident>,
    /// One group for a struct, and one for each variant of an enum.
    pub(crate) groups: Vec<FieldGroup<'a>>,
}

/// The uses of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Direction {
    Both,
    /// Only in arguments: the type has no `Serialize`.
    Input,
    /// Only in results: the type has no `Deserialize`.
    Output,
}

impl Direction {
    pub(crate) fn is_read(self) -> bool {
        self != Direction::Output
    }

    pub(crate) fn is_written(self) -> bool {
        self != Direction::Input
    }
}

/// The conversions between an enum of names and text.
#[derive(Clone, Copy)]
pub(crate) struct Conversions {
    pub(crate) as_str: bool,
    pub(crate) display: bool,
    pub(crate) from_str: bool,
}

/// A variant of an enum of names.
pub(crate) struct VariantName<'a> {
    pub(crate) variant: &'a Variant,
    /// The name that is written.
    pub(crate) written: String,
    /// The names that are read.
    pub(crate) read: Vec<String>,
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
        let ModelOptions { allows_unknown, crate_path, input: is_input, output: is_output, .. } = &options;
        let is_on = |flag: &Option<Flag>| flag.as_ref().is_some_and(|flag| flag.on);
        let direction = match (is_on(is_input), is_on(is_output)) {
            (true, _) => Direction::Input,
            (false, true) => Direction::Output,
            (false, false) if has_unreadable_field(&input.data) => Direction::Output,
            (false, false) => Direction::Both,
        };
        let conversions = Conversions {
            as_str: options.as_str.as_ref().is_none_or(|flag| flag.on),
            display: options.display.as_ref().map_or(!has_derive(input, &["Display", "Error"]), |flag| flag.on),
            from_str: options.from_str.as_ref().map_or(!has_derive(input, &["FromStr", "EnumString"]), |flag| flag.on),
        };
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
        Self {
            input,
            crate_path: crate_path.clone(),
            keys: options.keys.clone(),
            allows_unknown: *allows_unknown,
            direction,
            conversions,
            conversion_keys: [&options.as_str, &options.display, &options.from_str]
                .into_iter()
                .flatten()
                .map(|flag| flag.key.clone())
                .collect(),
            groups,
        }
    }

    /// Iterates over all fields, each with its variant.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Option<&'a Variant>, &ModelField<'a>)> {
        self.groups.iter().flat_map(|group| group.fields.iter().map(|field| (group.variant, field)))
    }

    /// Returns the form of the type; none if its JSON is not that of a form, or cannot be known from its source.
    pub(crate) fn form_kind(&self) -> Option<FormKind<'a>> {
        let is_changed =
            has_serde_option(&self.input.attrs, &["from", "try_from", "remote", "tag", "content", "untagged"]);
        if is_changed || self.direction != Direction::Both || !self.input.generics.params.is_empty() {
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
        self.direction.is_read() && self.fields().any(|(_, field)| field.options.is_constrained())
    }

    /// Returns the names of an enum whose variants have no fields; none for all other types, and for enums whose serde
    /// attributes change more than names.
    pub(crate) fn names(&self) -> Option<Vec<VariantName<'a>>> {
        let Data::Enum(data) = &self.input.data else { return None };
        let attributes = &self.input.attrs;
        let is_changed = has_serde_option(
            attributes,
            &["from", "try_from", "into", "remote", "tag", "content", "untagged", "variant_identifier"],
        );
        let is_name =
            |variant: &Variant| matches!(variant.fields, Fields::Unit) && !has_serde_option(&variant.attrs, OWN_FORM);
        let has_names = !is_changed
            && self.input.generics.params.is_empty()
            && !data.variants.is_empty()
            && data.variants.iter().all(is_name);
        if !has_names {
            return None;
        }
        let rules = read_renames(attributes, "rename_all");
        Some(data.variants.iter().map(|variant| VariantName::new(variant, &rules)).collect())
    }

    /// Returns whether serde's traits of the type are derived as usual: they need the traits of its fields.
    pub(crate) fn has_plain_derives(&self) -> bool {
        let own = ["from", "try_from", "into", "remote"];
        !has_serde_option(&self.input.attrs, &own) && !has_schemars_option(&self.input.attrs, &["with"])
    }

    /// Returns the fields whose types must have all traits of a model's field, and may lack them.
    pub(crate) fn checked_fields(&self) -> Vec<CheckedField<'_, 'a>> {
        if !self.has_plain_derives() {
            return Vec::new();
        }
        let parameters: Vec<String> = self.input.generics.type_params().map(|param| param.ident.to_string()).collect();
        let constants = self.input.generics.const_params().map(|param| param.ident.to_string());
        let parameters: Vec<String> = parameters.into_iter().chain(constants).collect();
        let mut checked = Vec::new();
        for (variant, field) in self.fields() {
            let attributes = variant.into_iter().flat_map(|variant| &variant.attrs).chain(&field.field.attrs);
            let attributes: Vec<Attribute> = attributes.cloned().collect();
            let has_own_form = has_serde_option(&attributes, OWN_FORM) || has_schemars_option(&attributes, OWN_SCHEMA);
            let ty = &field.field.ty;
            let is_generic = parameters.iter().any(|parameter| find_word(ty, parameter).is_some());
            let leaves = find_leaves(ty);
            let is_self = |leaf: &&Type| find_word(leaf, "Self").is_some();
            if has_own_form || is_generic || leaves.is_empty() || leaves.iter().any(is_self) {
                continue;
            }
            checked.push(CheckedField { variant, field, leaves });
        }
        checked
    }

    /// Returns whether the field is one of the [checked ones](Self::checked_fields).
    pub(crate) fn is_checked(&self, field: &ModelField<'_>) -> bool {
        self.checked_fields().iter().any(|checked| std::ptr::addr_eq(checked.field, field))
    }

    /// Returns whether the derives are those of a hidden copy, which has no error if a field lacks a trait.
    pub(crate) fn is_guarded(&self) -> bool {
        self.input.generics.params.is_empty()
            && !self.has_lax_variants()
            && !has_serde_option(&self.input.attrs, &["default", "bound", "crate"])
            && !has_schemars_option(&self.input.attrs, &["bound", "crate"])
            && !self.checked_fields().is_empty()
    }
}

impl<'a> VariantName<'a> {
    fn new(variant: &'a Variant, rules: &Renames) -> Self {
        let own = read_renames(&variant.attrs, "rename");
        let ident = variant.ident.unraw().to_string();
        let name = |own: Option<String>, rule: &Option<String>| match (own, rule) {
            (Some(own), _) => own,
            (None, Some(rule)) => rename_variant(&ident, rule),
            (None, None) => ident.clone(),
        };
        let aliases = read_options(&variant.attrs, "serde").into_iter().filter(|option| option.key == "alias");
        let aliases = aliases.filter_map(|option| option.value).map(|value| value.value());
        let read = std::iter::once(name(own.deserialize, &rules.deserialize)).chain(aliases).collect();
        Self { variant, written: name(own.serialize, &rules.serialize), read }
    }
}

/// A field whose type is checked.
pub(crate) struct CheckedField<'m, 'a> {
    pub(crate) variant: Option<&'a Variant>,
    pub(crate) field: &'m ModelField<'a>,
    /// The types inside of lists, maps, options and references that are not known to have all traits.
    pub(crate) leaves: Vec<&'a Type>,
}

/// Returns the types inside of a type that may lack a trait: those of other items, without the lists and the like
/// around them.
fn find_leaves(ty: &Type) -> Vec<&Type> {
    let ty = strip_groups(ty);
    match ty {
        Type::Reference(reference) => find_leaves(&reference.elem),
        Type::Slice(slice) => find_leaves(&slice.elem),
        Type::Array(array) => find_leaves(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(find_leaves).collect(),
        Type::Path(path) => {
            let containers = ["Option", "Box", "Vec", "VecDeque", "HashSet", "BTreeSet", "HashMap", "BTreeMap", "Cow"];
            let container = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            let inner = containers.iter().find(|name| **name == container);
            match inner.and_then(|name| generic_arguments(ty, name)) {
                Some(arguments) if !arguments.is_empty() => arguments.into_iter().flat_map(find_leaves).collect(),
                _ if Shape::from_type(ty) != Shape::Unknown => Vec::new(),
                _ => vec![ty],
            }
        }
        _ => vec![ty],
    }
}

/// Returns whether serde can read no value of the type from data that ends before it, because a field is a reference.
fn has_unreadable_field(data: &Data) -> bool {
    let fields: Vec<&Field> = match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    let is_unread =
        |field: &Field| has_serde_option(&field.attrs, &["skip", "skip_deserializing", "with", "deserialize_with"]);
    fields.into_iter().any(|field| has_reference(&field.ty) && !is_unread(field))
}

/// Returns whether the type derives a trait of one of these names.
fn has_derive(input: &DeriveInput, names: &[&str]) -> bool {
    derived_paths(&input.attrs)
        .iter()
        .any(|path| path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name)))
}

/// Returns the paths in all `#[derive(..)]` attributes.
pub(crate) fn derived_paths(attributes: &[Attribute]) -> Vec<Path> {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let lists = derives.filter_map(|attribute| {
        let parser = Punctuated::<Path, Token![,]>::parse_terminated;
        attribute.parse_args_with(parser).ok()
    });
    lists.flatten().collect()
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
    match rule {
        Some(rule) => rename_field(&name, rule),
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
