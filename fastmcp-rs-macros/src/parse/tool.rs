//! Reads what stands inside `#[mcp::tool(..)]`.

use std::time::Duration;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::docs::{self, Text};
use super::entry::{Entry, entries, is_duplicate};
use super::icon::{self, Icon};
use super::{duration, json, value};
use crate::errors::{Errors, did_you_mean};

const KEYS: &[&str] = &[
    "name",
    "title",
    "description",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "tags",
    "icons",
    "meta",
    "inline",
    "blocking",
    "timeout",
    "handle",
    "crate",
];

/// An option that is on or off, with the key to underline when it clashes with another.
pub(crate) struct Flag {
    pub(crate) key: Ident,
    pub(crate) on: bool,
}

/// The options of `#[mcp::tool]` that were given.
#[derive(Default)]
pub(crate) struct ToolOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<Text>,
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) icons: Vec<Icon>,
    /// JSON text of an object.
    pub(crate) meta: Option<String>,
    pub(crate) inline: Option<Flag>,
    pub(crate) blocking: Option<Flag>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) handle: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

impl ToolOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for entry in entries(tokens, errors) {
            if !is_duplicate(&entry, &mut seen, errors) {
                options.read(&entry, errors);
            }
        }
        options
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        let flag = |errors: &mut Errors| value::flag(entry, errors).map(|on| Flag { key: entry.key.clone(), on });
        match entry.name().as_str() {
            "name" => self.name = value::string(entry, "\"get_order\"", errors),
            "title" => self.title = value::string(entry, "\"Get an order\"", errors),
            "description" => self.description = docs::given(entry, errors),
            "read_only" => self.read_only = flag(errors),
            "destructive" => self.destructive = flag(errors),
            "idempotent" => self.idempotent = flag(errors),
            "open_world" => self.open_world = flag(errors),
            "tags" => self.tags = icon::strings(entry, "[\"orders\"]", errors),
            "icons" => self.icons = icon::icons(entry, errors),
            "meta" => self.meta = meta(entry, errors),
            "inline" => self.inline = flag(errors),
            "blocking" => self.blocking = flag(errors),
            "timeout" => self.timeout = timeout(entry, errors),
            "handle" => self.handle = handle(entry, errors),
            "crate" => self.krate = value::path(entry, errors),
            name => errors.at(&entry.key, unknown(name)),
        }
    }
}

fn unknown(name: &str) -> String {
    // What users of other frameworks write.
    let other = match name {
        "readonly" | "read_only_hint" | "readOnlyHint" => Some("read_only"),
        "destructive_hint" | "destructiveHint" => Some("destructive"),
        "idempotent_hint" | "idempotentHint" => Some("idempotent"),
        "open_world_hint" | "openWorldHint" => Some("open_world"),
        "desc" | "about" | "doc" => Some("description"),
        "icon" => Some("icons"),
        "tag" => Some("tags"),
        "_meta" => Some("meta"),
        _ => None,
    };
    let suggestion = match other {
        Some(key) => format!(" (did you mean `{key}`?)"),
        None => did_you_mean(name, KEYS),
    };
    if !suggestion.is_empty() {
        return format!("`#[mcp::tool]` has no option `{name}`{suggestion}");
    }
    let keys: Vec<String> = KEYS.iter().map(|key| format!("`{key}`")).collect();
    format!("`#[mcp::tool]` has no option `{name}`: it takes {}", keys.join(", "))
}

fn meta(entry: &Entry, errors: &mut Errors) -> Option<String> {
    let mut trees = entry.value.clone().unwrap_or_default().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => {
            json::object(group.stream(), errors)
        }
        _ => {
            errors.at(entry.blame(), "`meta` takes a JSON object, as in `meta = { \"team\": \"billing\" }`");
            None
        }
    }
}

fn timeout(entry: &Entry, errors: &mut Errors) -> Option<Duration> {
    let literal = value::string(entry, "\"30s\"", errors)?;
    match duration::parse(&literal.value()) {
        Ok(duration) => Some(duration),
        Err(problem) => {
            errors.at(&literal, problem);
            None
        }
    }
}

fn handle(entry: &Entry, errors: &mut Errors) -> Option<Ident> {
    let handle = syn::parse2::<Ident>(entry.value.clone().unwrap_or_default());
    if handle.is_err() {
        errors.at(
            entry.blame(),
            "`handle` takes the name of the type that stands for this tool, as in `handle = GetOrder`",
        );
    }
    handle.ok()
}
