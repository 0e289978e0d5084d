//! Reads the options of `#[mcp::server(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::Path;

use super::entry::read_options;
use super::rename::RenameRule;
use super::tokens::{leading_names, split_at_commas};
use super::value;
use crate::errors::{Errors, did_you_mean};

/// Options of `#[mcp::server(..)]`.
#[derive(Default)]
pub(crate) struct ServerOptions {
    /// The names of all options as written, for editors.
    pub(crate) keys: Vec<Ident>,
    pub(crate) crate_path: Option<Path>,
    /// The rule for the names of arguments, for components without a rule of their own.
    pub(crate) rename_all: Option<RenameRule>,
    /// The rule for the names of tools without `name`.
    pub(crate) rename_tools: Option<RenameRule>,
    /// The rule for the names of prompts without `name`.
    pub(crate) rename_prompts: Option<RenameRule>,
    /// Whether the block adds to those of another block of the type.
    pub(crate) extend: bool,
}

pub(super) const SERVER_KEYS: &[&str] = &["crate", "rename_all", "rename_tools", "rename_prompts", "extend"];

impl ServerOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let keys = leading_names(&split_at_commas(tokens.clone()));
        let mut options = Self { keys, ..Self::default() };
        read_options(tokens, errors, |entry, errors| match entry.name().as_str() {
            "crate" => options.crate_path = value::parse_path(entry, errors),
            "rename_all" => options.rename_all = RenameRule::parse(entry, errors),
            "rename_tools" => options.rename_tools = RenameRule::parse(entry, errors),
            "rename_prompts" => options.rename_prompts = RenameRule::parse(entry, errors),
            "extend" => options.extend = value::parse_flag(entry, errors).unwrap_or_default(),
            unknown => errors.at(
                &entry.key,
                format!(
                    "`#[mcp::server]` has no option `{unknown}`{}: options of a component go on its method, as in \
                         `#[tool(read_only)]`",
                    did_you_mean(unknown, SERVER_KEYS)
                ),
            ),
        });
        options
    }
}
