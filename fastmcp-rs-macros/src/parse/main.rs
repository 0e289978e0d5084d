//! Reads the options of `#[mcp::main(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::Path;

use super::entry::read_options;
use super::tokens::{leading_names, split_at_commas};
use super::value;
use crate::errors::{Errors, did_you_mean};

/// Options of `#[mcp::main(..)]`.
#[derive(Default)]
pub(crate) struct MainOptions {
    /// The names of all options as written, for editors.
    pub(crate) keys: Vec<Ident>,
    pub(crate) worker_threads: Option<u64>,
    pub(crate) crate_path: Option<Path>,
}

pub(super) const KEYS: [&str; 2] = ["worker_threads", "crate"];

impl MainOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let keys = leading_names(&split_at_commas(tokens.clone()));
        let mut options = Self { keys, ..Self::default() };
        read_options(tokens, errors, |entry, errors| match entry.name().as_str() {
            "worker_threads" => {
                options.worker_threads = value::parse_count(entry, errors);
                if options.worker_threads == Some(0) {
                    errors.at(entry.error_tokens(), "a server needs at least one worker thread: write 1 or more");
                }
            }
            "crate" => options.crate_path = value::parse_path(entry, errors),
            name => errors.at(
                &entry.key,
                format!(
                    "`#[mcp::main]` has no option `{name}`{}: it takes `worker_threads` and `crate`",
                    did_you_mean(name, &KEYS)
                ),
            ),
        });
        options
    }
}
