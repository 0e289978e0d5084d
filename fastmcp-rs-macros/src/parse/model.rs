//! Reads the options of `#[mcp::model(..)]`.

use proc_macro2::TokenStream;
use syn::Path;

use super::entry::read_options;
use super::value;
use crate::errors::{Errors, did_you_mean};

/// Options of `#[mcp::model(..)]`.
#[derive(Default)]
pub(crate) struct ModelOptions {
    /// Ignores unknown members in arguments as well, instead of reporting them.
    pub(crate) allows_unknown: bool,
    pub(crate) crate_path: Option<Path>,
}

impl ModelOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        read_options(tokens, errors, |entry, errors| {
            match entry.name().as_str() {
                "allow_unknown_fields" => {
                    options.allows_unknown = value::parse_flag(entry, errors).unwrap_or_default();
                }
                "crate" => options.crate_path = value::parse_path(entry, errors),
                unknown => errors.at(
                    &entry.key,
                    format!(
                        "`#[mcp::model]` has no option `{unknown}`{}: it takes `allow_unknown_fields` and `crate`, and options of the whole type are serde's, as in `#[serde(rename_all = \"camelCase\")]`",
                        did_you_mean(unknown, &["allow_unknown_fields", "crate"])
                    ),
                ),
            }
        });
        options
    }
}
