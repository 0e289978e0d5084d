//! Reads the options of `#[mcp::model(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::Path;

use super::entry::read_options;
use super::handler::Flag;
use super::rename::RenameRule;
use super::tokens::{leading_names, split_at_commas};
use super::value;
use crate::errors::{Errors, did_you_mean};

/// Options of `#[mcp::model(..)]`.
#[derive(Default)]
pub(crate) struct ModelOptions {
    /// The names of all options as written, for editors.
    pub(crate) keys: Vec<Ident>,
    /// Ignores unknown members in arguments as well, instead of reporting them.
    pub(crate) allows_unknown: bool,
    pub(crate) crate_path: Option<Path>,
    /// The rule for the names of fields or variants, with its key.
    pub(crate) rename_all: Option<(Ident, RenameRule)>,
    /// The model is only in arguments.
    pub(crate) input: Option<Flag>,
    /// The model is only in results.
    pub(crate) output: Option<Flag>,
    /// The conversions of an enum of names.
    pub(crate) as_str: Option<Flag>,
    pub(crate) display: Option<Flag>,
    pub(crate) from_str: Option<Flag>,
}

pub(super) const KEYS: [&str; 8] =
    ["output", "input", "rename_all", "allow_unknown_fields", "as_str", "display", "from_str", "crate"];

impl ModelOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let keys = leading_names(&split_at_commas(tokens.clone()));
        let mut options = Self { keys, ..Self::default() };
        read_options(tokens, errors, |entry, errors| {
            match entry.name().as_str() {
                "allow_unknown_fields" => {
                    options.allows_unknown = value::parse_flag(entry, errors).unwrap_or_default();
                }
                "crate" => options.crate_path = value::parse_path(entry, errors),
                "rename_all" => {
                    options.rename_all = RenameRule::parse(entry, errors).map(|rule| (entry.key.clone(), rule));
                }
                "input" => options.input = Flag::parse(entry, errors),
                "output" => options.output = Flag::parse(entry, errors),
                "as_str" => options.as_str = Flag::parse(entry, errors),
                "display" => options.display = Flag::parse(entry, errors),
                "from_str" => options.from_str = Flag::parse(entry, errors),
                unknown => errors.at(
                    &entry.key,
                    format!(
                        "`#[mcp::model]` has no option `{unknown}`{}: it takes {}, and other options of the whole type are serde's, as in `#[serde(tag = \"kind\")]`",
                        did_you_mean(unknown, &KEYS),
                        KEYS.map(|key| format!("`{key}`")).join(", ")
                    ),
                ),
            }
        });
        if let (Some(Flag { on: true, .. }), Some(Flag { key, on: true })) = (&options.input, &options.output) {
            errors.at(key, "a model is for arguments and results if it has neither `input` nor `output`: remove both");
        }
        options
    }
}
