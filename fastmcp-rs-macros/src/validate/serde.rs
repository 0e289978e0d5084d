//! Checks the `#[serde(..)]` attributes of a model.
//!
//! A mistake in them stops the derives of serde, after which rustc reports every use of the missing traits.

use syn::{Attribute, Data};

use crate::errors::{Errors, did_you_mean};
use crate::model::Model;
use crate::serde_options::{SerdeOption, has_schemars_option, read_options};

const OF_TYPE: &[&str] = &[
    "rename",
    "rename_all",
    "rename_all_fields",
    "deny_unknown_fields",
    "tag",
    "content",
    "untagged",
    "bound",
    "default",
    "remote",
    "transparent",
    "from",
    "try_from",
    "into",
    "crate",
    "expecting",
    "variant_identifier",
    "field_identifier",
    "non_exhaustive",
];
const OF_VARIANT: &[&str] = &[
    "rename",
    "alias",
    "rename_all",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "serialize_with",
    "deserialize_with",
    "with",
    "bound",
    "borrow",
    "other",
    "untagged",
];
const OF_FIELD: &[&str] = &[
    "rename",
    "alias",
    "default",
    "flatten",
    "skip",
    "skip_serializing",
    "skip_deserializing",
    "skip_serializing_if",
    "serialize_with",
    "deserialize_with",
    "with",
    "borrow",
    "bound",
    "getter",
];
const RULES: &[&str] = &[
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

/// A place of serde's attributes, with the options that it takes.
struct Place {
    name: &'static str,
    options: &'static [&'static str],
}

const TYPE: Place = Place { name: "the type", options: OF_TYPE };
const VARIANT: Place = Place { name: "a variant", options: OF_VARIANT };
const FIELD: Place = Place { name: "a field", options: OF_FIELD };

/// Checks the attributes of the type, its variants and its fields.
pub(super) fn check_serde_options(model: &Model<'_>, errors: &mut Errors) {
    check_place(&model.input.attrs, &TYPE, errors);
    if let Data::Enum(data) = &model.input.data {
        for variant in &data.variants {
            check_place(&variant.attrs, &VARIANT, errors);
        }
    }
    for (_, field) in model.fields() {
        let attributes = &field.field.attrs;
        check_place(attributes, &FIELD, errors);
        check_with(attributes, errors);
    }
}

fn check_place(attributes: &[Attribute], place: &Place, errors: &mut Errors) {
    for option in read_options(attributes, "serde") {
        let name = option.name();
        if !place.options.contains(&name.as_str()) {
            errors.at(&option.key, unknown_option_message(&name, place));
        } else if name.starts_with("rename_all") {
            check_rule(&option, errors);
            option.inner.iter().for_each(|inner| check_rule(inner, errors));
        }
    }
}

fn unknown_option_message(name: &str, place: &Place) -> String {
    let suggestion = did_you_mean(name, place.options);
    let mut others = [&TYPE, &VARIANT, &FIELD].into_iter().filter(|other| other.options.contains(&name));
    match others.next() {
        Some(other) => format!("serde's `{name}` goes on {}, not on {}: move it there", other.name, place.name),
        None if !suggestion.is_empty() => format!("serde has no option `{name}` for {}{suggestion}", place.name),
        None => {
            format!("serde has no option `{name}` for {}: it takes {}", place.name, list_names(place.options))
        }
    }
}

/// Reports a rule of `rename_all` that serde does not have.
fn check_rule(option: &SerdeOption, errors: &mut Errors) {
    let Some(rule) = &option.value else { return };
    let value = rule.value();
    if RULES.contains(&value.as_str()) {
        return;
    }
    let simple = |rule: &str| rule.replace(['-', '_'], "").to_lowercase();
    let nearest = RULES.iter().find(|known| simple(known) == simple(&value));
    let suggestion = match nearest {
        Some(known) => format!(" (did you mean `{known}`?)"),
        None => format!(": write one of {}", list_names(RULES)),
    };
    errors.at(rule, format!("serde has no rule `{value}` for names{suggestion}"));
}

/// Lists names in backticks.
fn list_names(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Reports `with` without a schema. serde takes the path of a module, and schemars would take it for a type.
fn check_with(attributes: &[Attribute], errors: &mut Errors) {
    if has_schemars_option(attributes, &["with", "schema_with", "skip"]) {
        return;
    }
    for option in read_options(attributes, "serde").iter().filter(|option| option.key == "with") {
        errors.at(
            &option.key,
            "`with` changes the JSON of this field, so its schema is not that of its type: add `#[schemars(with = \"String\")]` with the type that has the same JSON",
        );
    }
}
