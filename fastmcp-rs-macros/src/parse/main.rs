//! Reads what stands inside `#[mcp::main(..)]`, `#[mcp::model(..)]` and `#[mcp::server(..)]`.

use proc_macro2::TokenStream;
use syn::Path;

use super::entry::{entries, is_duplicate};
use super::value;
use crate::errors::{Errors, did_you_mean};

/// The options of `#[mcp::main]` that were given.
#[derive(Default)]
pub(crate) struct MainOptions {
    pub(crate) worker_threads: Option<u64>,
    pub(crate) krate: Option<Path>,
}

impl MainOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for entry in entries(tokens, errors) {
            if is_duplicate(&entry, &mut seen, errors) {
                continue;
            }
            match entry.name().as_str() {
                "worker_threads" => {
                    options.worker_threads = value::count(&entry, errors);
                    if options.worker_threads == Some(0) {
                        errors.at(entry.blame(), "a server needs at least one worker thread: write 1 or more");
                    }
                }
                "crate" => options.krate = value::path(&entry, errors),
                name => errors.at(
                    &entry.key,
                    format!(
                        "`#[mcp::main]` has no option `{name}`{}: it takes `worker_threads` and `crate`",
                        did_you_mean(name, &["worker_threads", "crate"])
                    ),
                ),
            }
        }
        options
    }
}

/// The options of `#[mcp::model]` that were given.
#[derive(Default)]
pub(crate) struct ModelOptions {
    /// Whether members that the type does not have are skipped in arguments, too.
    pub(crate) allows_unknown: bool,
    pub(crate) krate: Option<Path>,
}

impl ModelOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for entry in entries(tokens, errors) {
            if is_duplicate(&entry, &mut seen, errors) {
                continue;
            }
            match entry.name().as_str() {
                "allow_unknown_fields" => {
                    options.allows_unknown = value::flag(&entry, errors).unwrap_or_default();
                }
                "crate" => options.krate = value::path(&entry, errors),
                unknown => errors.at(
                    &entry.key,
                    format!(
                        "`#[mcp::model]` has no option `{unknown}`{}: it takes `allow_unknown_fields` and `crate`, and options of the whole type are serde's, as in `#[serde(rename_all = \"camelCase\")]`",
                        did_you_mean(unknown, &["allow_unknown_fields", "crate"])
                    ),
                ),
            }
        }
        options
    }
}

/// Reads the options of `#[mcp::server]`.
pub(crate) fn server_options(tokens: TokenStream, errors: &mut Errors) -> Option<Path> {
    only_crate("server", "those of a component stand at its method, as in `#[tool(read_only)]`", tokens, errors)
}

/// Reads options among which there is only the path of the runtime crate.
fn only_crate(name: &str, rest: &str, tokens: TokenStream, errors: &mut Errors) -> Option<Path> {
    let mut krate = None;
    let mut seen = Vec::new();
    for entry in entries(tokens, errors) {
        if is_duplicate(&entry, &mut seen, errors) {
            continue;
        }
        match entry.name().as_str() {
            "crate" => krate = value::path(&entry, errors),
            unknown => errors.at(
                &entry.key,
                format!("`#[mcp::{name}]` has no option `{unknown}`{}: {rest}", did_you_mean(unknown, &["crate"])),
            ),
        }
    }
    krate
}
