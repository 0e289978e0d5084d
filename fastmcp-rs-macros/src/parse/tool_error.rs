//! Reads a type under `#[derive(mcp::ToolError)]` with its `#[mcp(..)]` attributes.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitBool, LitStr, Meta, Path};

use super::entry::{Entry, parse_entries, report_duplicate};
use super::tokens::split_at_commas;
use super::value;
use crate::errors::{Errors, did_you_mean};

/// A type under `#[derive(mcp::ToolError)]`.
pub(crate) struct ErrorType<'a> {
    pub(crate) input: &'a DeriveInput,
    /// The options of the whole type.
    pub(crate) options: ErrorOptions,
    /// One case for a struct, and one for each variant of an enum.
    pub(crate) cases: Vec<ErrorCase<'a>>,
}

/// The struct, or a variant of the enum.
pub(crate) struct ErrorCase<'a> {
    /// The name of the variant; none for a struct.
    pub(crate) variant: Option<&'a Ident>,
    pub(crate) fields: &'a Fields,
    pub(crate) options: ErrorOptions,
    /// True for `#[error(transparent)]` of thiserror: the error is its only field.
    pub(crate) is_transparent: bool,
}

/// Options of `#[mcp(..)]` on an error type or a variant.
#[derive(Default)]
pub(crate) struct ErrorOptions {
    pub(crate) visible: Option<Visible>,
    pub(crate) crate_path: Option<Path>,
}

/// The value of `visible`.
pub(crate) enum Visible {
    /// Whether the model reads the error's own text.
    Own(bool),
    /// The model reads this text, in which `{field}` stands for a field.
    Text(LitStr),
}

impl<'a> ErrorType<'a> {
    pub(crate) fn new(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let options = ErrorOptions::parse(&input.attrs, true, errors);
        let cases = match &input.data {
            Data::Enum(data) => {
                let variants = data.variants.iter().map(|variant| {
                    let options = ErrorOptions::parse(&variant.attrs, false, errors);
                    let is_transparent = is_transparent(&variant.attrs, &variant.fields);
                    ErrorCase { variant: Some(&variant.ident), fields: &variant.fields, options, is_transparent }
                });
                variants.collect()
            }
            Data::Struct(data) => {
                let is_transparent = is_transparent(&input.attrs, &data.fields);
                let options = ErrorOptions::default();
                vec![ErrorCase { variant: None, fields: &data.fields, options, is_transparent }]
            }
            Data::Union(_) => Vec::new(),
        };
        Self { input, options, cases }
    }

    /// Returns the choice for a case: its own, or that of the whole type.
    ///
    /// The choice for an enum does not apply to its transparent variants, whose text is that of another type.
    pub(crate) fn visible<'s>(&'s self, case: &'s ErrorCase<'a>) -> Option<&'s Visible> {
        let of_type = self.options.visible.as_ref().filter(|_| case.variant.is_none() || !case.is_transparent);
        case.options.visible.as_ref().or(of_type)
    }
}

impl ErrorCase<'_> {
    /// Returns the fields with their names: `name`, also for `r#name`, or the index of a field without a name.
    pub(crate) fn named_fields(&self) -> impl Iterator<Item = (String, &Field)> {
        let name = |(index, field): (usize, &Field)| {
            field.ident.as_ref().map_or(index.to_string(), |name| name.unraw().to_string())
        };
        self.fields.iter().enumerate().map(move |at| (name(at), at.1))
    }
}

impl ErrorOptions {
    fn parse(attributes: &[Attribute], is_type: bool, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for attribute in attributes.iter().filter(|attribute| is_option(attribute)) {
            let Meta::List(list) = &attribute.meta else {
                errors.at(attribute, "options go in parentheses, as in `#[mcp(visible)]`");
                continue;
            };
            if split_at_commas(list.tokens.clone()).is_empty() {
                errors.at(attribute, "this attribute has no option: write `#[mcp(visible)]`, or remove it");
            }
            for entry in parse_entries(list.tokens.clone(), errors) {
                if !report_duplicate(&entry, &mut seen, errors) {
                    options.read(&entry, is_type, errors);
                }
            }
        }
        options
    }

    fn read(&mut self, entry: &Entry, is_type: bool, errors: &mut Errors) {
        match entry.name().as_str() {
            "visible" => self.visible = Visible::parse(entry, errors),
            "crate" if is_type => self.crate_path = value::parse_path(entry, errors),
            "crate" => errors.at(&entry.key, "`crate` goes on the type, not on a variant"),
            "internal" | "masked" | "hidden" | "private" | "operator" => errors.at(
                &entry.key,
                format!(
                    "`#[mcp(..)]` has no option `{}`: errors are internal by default, and `visible = false` hides a \
                     variant of a visible type",
                    entry.key
                ),
            ),
            unknown => {
                let suggestion = match unknown {
                    "public" | "show" | "shown" | "model" | "text" | "message" => " (did you mean `visible`?)".into(),
                    _ => did_you_mean(unknown, &["visible", "crate"]),
                };
                errors.at(
                    &entry.key,
                    format!("`#[mcp(..)]` of an error has no option `{unknown}`{suggestion}: it takes `visible`, `visible = \"text\"` and `visible = false`"),
                );
            }
        }
    }
}

impl Visible {
    fn parse(entry: &Entry, errors: &mut Errors) -> Option<Self> {
        let Some(value) = &entry.value else {
            return Some(Self::Own(true));
        };
        let literal = |tokens: &TokenStream| syn::parse2::<LitStr>(tokens.clone());
        match (syn::parse2::<LitBool>(value.clone()), literal(value)) {
            (Ok(literal), _) => Some(Self::Own(literal.value)),
            (_, Ok(text)) => Some(Self::Text(text)),
            _ => {
                errors.at(
                    value,
                    "`visible` stands alone, or takes `false` or a text: `visible`, `visible = false`, `visible = \"There is no order {id}.\"`",
                );
                None
            }
        }
    }
}

/// Returns whether the attribute has options of this derive.
pub(crate) fn is_option(attribute: &Attribute) -> bool {
    attribute.path().is_ident("mcp")
}

/// Returns whether thiserror makes the error its only field.
fn is_transparent(attributes: &[Attribute], fields: &Fields) -> bool {
    let mut lists = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::List(list) if attribute.path().is_ident("error") => Some(list.tokens.to_token_stream().to_string()),
        _ => None,
    });
    fields.len() == 1 && lists.any(|tokens| tokens == "transparent")
}
