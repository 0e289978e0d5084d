//! Reads what stands inside `#[mcp::tool(..)]`, `#[mcp::resource(..)]` and `#[mcp::prompt(..)]`.

use std::time::Duration;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::docs::{self, Text};
use super::entry::{Entry, entries_of, is_duplicate, split};
use super::icon::{self, Icon};
use super::resource::{RESOURCE_KEYS, ResourceOptions, is_uri_key};
use super::{duration, json, value};
use crate::component::Component;
use crate::errors::{Errors, did_you_mean};

const FIRST_KEYS: &[&str] = &["name", "title", "description"];
const TOOL_KEYS: &[&str] =
    &["read_only", "destructive", "idempotent", "open_world", "structured", "wrapped", "link_text"];
const LAST_KEYS: &[&str] = &["tags", "icons", "meta", "inline", "blocking", "timeout", "handle", "crate"];

/// An option that is on or off, with the key to underline when it clashes with another.
pub(crate) struct Flag {
    pub(crate) key: Ident,
    pub(crate) on: bool,
}

/// The options that were given.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<Text>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) icons: Vec<Icon>,
    /// JSON text of an object.
    pub(crate) meta: Option<String>,
    pub(crate) inline: Option<Flag>,
    pub(crate) blocking: Option<Flag>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) handle: Option<Ident>,
    pub(crate) krate: Option<Path>,
    pub(crate) own: OwnOptions,
}

/// What only one of the components has.
pub(crate) enum OwnOptions {
    Tool(Hints),
    Resource(ResourceOptions),
    Prompt,
}

/// What a tool says about the calls of it.
#[derive(Default)]
pub(crate) struct Hints {
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    /// Whether a single value is structured content, too.
    pub(crate) structured: Option<Flag>,
    /// Whether modern clients get a result that is no object inside one.
    pub(crate) wrapped: Option<Flag>,
    /// Whether resource links without a text get one.
    pub(crate) link_text: Option<Flag>,
}

impl Options {
    pub(crate) fn parse(component: Component, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut parts = split(tokens);
        let own = match component {
            Component::Tool => OwnOptions::Tool(Hints::default()),
            Component::Resource => OwnOptions::Resource(ResourceOptions::new(&mut parts, errors)),
            Component::Prompt => OwnOptions::Prompt,
        };
        let mut options = Self::new(own);
        let mut seen = Vec::new();
        for entry in entries_of(parts, errors) {
            if !is_duplicate(&entry, &mut seen, errors) {
                options.read(&entry, errors);
            }
        }
        options
    }

    fn new(own: OwnOptions) -> Self {
        Self {
            name: None,
            title: None,
            description: None,
            tags: Vec::new(),
            icons: Vec::new(),
            meta: None,
            inline: None,
            blocking: None,
            timeout: None,
            handle: None,
            krate: None,
            own,
        }
    }

    pub(crate) fn component(&self) -> Component {
        match self.own {
            OwnOptions::Tool(_) => Component::Tool,
            OwnOptions::Resource(_) => Component::Resource,
            OwnOptions::Prompt => Component::Prompt,
        }
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        let component = self.component();
        match entry.name().as_str() {
            "name" => self.name = value::string(entry, "\"get_order\"", errors),
            "title" => self.title = value::string(entry, "\"Get an order\"", errors),
            "description" => self.description = docs::given(entry, errors),
            "tags" => self.tags = icon::strings(entry, "[\"orders\"]", errors),
            "icons" => self.icons = icon::icons(entry, errors),
            "meta" => self.meta = meta(entry, errors),
            "inline" => self.inline = flag(entry, errors),
            "blocking" => self.blocking = flag(entry, errors),
            "timeout" => self.timeout = duration::of(entry, "\"30s\"", duration::limit, errors),
            "handle" => self.handle = handle(component, entry, errors),
            "crate" => self.krate = value::path(entry, errors),
            name => {
                let is_known = match &mut self.own {
                    OwnOptions::Tool(hints) => hints.read(entry, errors),
                    OwnOptions::Resource(options) => options.read(entry, errors),
                    OwnOptions::Prompt => false,
                };
                if component == Component::Resource && is_uri_key(&entry.key) {
                    errors.at(&entry.key, "the URI stands first and has no key: remove this");
                } else if !is_known {
                    errors.at(&entry.key, unknown(component, name));
                }
            }
        }
    }
}

impl Hints {
    /// Reads the entry, if it is one of these.
    fn read(&mut self, entry: &Entry, errors: &mut Errors) -> bool {
        let hint = match entry.name().as_str() {
            "read_only" => &mut self.read_only,
            "destructive" => &mut self.destructive,
            "idempotent" => &mut self.idempotent,
            "open_world" => &mut self.open_world,
            "structured" => &mut self.structured,
            "wrapped" => &mut self.wrapped,
            "link_text" => &mut self.link_text,
            _ => return false,
        };
        *hint = flag(entry, errors);
        true
    }
}

/// The options that one of the components has and the others have not.
fn own_keys(component: Component) -> &'static [&'static str] {
    match component {
        Component::Tool => TOOL_KEYS,
        Component::Resource => RESOURCE_KEYS,
        Component::Prompt => &[],
    }
}

/// Whether this is the name of an option.
pub(super) fn is_key(component: Component, name: &str) -> bool {
    [FIRST_KEYS, own_keys(component), LAST_KEYS].iter().any(|keys| keys.contains(&name))
}

fn unknown(component: Component, name: &str) -> String {
    let keys = [FIRST_KEYS, own_keys(component), LAST_KEYS].concat();
    // What users of other frameworks write.
    let other = match name {
        "readonly" | "read_only_hint" | "readOnlyHint" => Some("read_only"),
        "destructive_hint" | "destructiveHint" => Some("destructive"),
        "idempotent_hint" | "idempotentHint" => Some("idempotent"),
        "open_world_hint" | "openWorldHint" => Some("open_world"),
        "mime" | "mimeType" | "content_type" => Some("mime_type"),
        "lastModified" | "modified" => Some("last_modified"),
        "ttlMs" | "ttl_ms" | "cache_ttl" => Some("ttl"),
        "cacheScope" | "cache_scope" => Some("scope"),
        "desc" | "about" | "doc" => Some("description"),
        "icon" => Some("icons"),
        "tag" => Some("tags"),
        "_meta" => Some("meta"),
        _ => None,
    };
    let suggestion = match other.filter(|key| keys.contains(key)) {
        Some(key) => format!(" (did you mean `{key}`?)"),
        None => did_you_mean(name, &keys),
    };
    if !suggestion.is_empty() {
        return format!("`#[mcp::{component}]` has no option `{name}`{suggestion}");
    }
    if let Some(owner) = Component::ALL.into_iter().find(|owner| own_keys(*owner).contains(&other.unwrap_or(name))) {
        return format!("`#[mcp::{component}]` has no option `{name}`, which is for a {owner}: remove it");
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("`#[mcp::{component}]` has no option `{name}`: it takes {}", keys.join(", "))
}

fn flag(entry: &Entry, errors: &mut Errors) -> Option<Flag> {
    value::flag(entry, errors).map(|on| Flag { key: entry.key.clone(), on })
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

fn handle(component: Component, entry: &Entry, errors: &mut Errors) -> Option<Ident> {
    let handle = syn::parse2::<Ident>(entry.value.clone().unwrap_or_default());
    if handle.is_err() {
        errors.at(
            entry.blame(),
            format!("`handle` takes the name of the type that stands for this {component}, as in `handle = GetOrder`"),
        );
    }
    handle.ok()
}
