//! Reads the options of `#[mcp::tool(..)]`, `#[mcp::resource(..)]` and `#[mcp::prompt(..)]`.

use std::time::Duration;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{LitStr, Path, Type};

use super::docs::{self, Description};
use super::entry::{Entry, OptionValue, read_parts};
use super::foreign::annotations_message;
use super::icon::{self, Icon};
use super::middleware::parse_middleware;
use super::option_keys::{is_uri_key, unknown_option_message};
use super::rename::RenameRule;
use super::resource::ResourceOptions;
use super::tokens::{leading_names, split_at_commas};
use super::{duration, json, value};
use crate::component::Component;
use crate::errors::Errors;

/// A boolean option, with the key to underline if it contradicts another option.
pub(crate) struct Flag {
    pub(crate) key: Ident,
    pub(crate) on: bool,
}

impl Flag {
    pub(super) fn parse(entry: &Entry, errors: &mut Errors) -> Option<Self> {
        value::parse_flag(entry, errors).map(|on| Self { key: entry.key.clone(), on })
    }
}

/// Options of a tool, resource or prompt.
pub(crate) struct HandlerOptions {
    /// The names of all options as written, for editors.
    pub(crate) keys: Vec<Ident>,
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<Description>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) icons: Vec<Icon>,
    /// The JSON text of an object.
    pub(crate) meta: Option<String>,
    pub(crate) inline: Option<Flag>,
    pub(crate) blocking: Option<Flag>,
    pub(crate) timeout: Option<Duration>,
    /// The expressions that create the middleware, the outermost first.
    pub(crate) middleware: Vec<TokenStream>,
    pub(crate) handle: Option<Ident>,
    /// The rule for the names of arguments.
    pub(crate) rename_all: Option<RenameRule>,
    /// The rule for the name of a component without `name`, from the options of its block.
    pub(crate) rename_self: Option<RenameRule>,
    pub(crate) crate_path: Option<Path>,
    pub(crate) specific: SpecificOptions,
}

/// Options that only one kind of component has.
pub(crate) enum SpecificOptions {
    Tool(ToolOptions),
    Resource(ResourceOptions),
    Prompt,
}

/// Options that only tools have.
#[derive(Default)]
pub(crate) struct ToolOptions {
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    /// Makes a single value structured content as well.
    pub(crate) structured: Option<Flag>,
    /// Sends modern clients a result that is no object inside of one.
    pub(crate) wrapped: Option<Flag>,
    /// Adds a text to resource links without one.
    pub(crate) link_text: Option<Flag>,
    /// The parts of structured results that are sent.
    pub(crate) result_content: Option<OptionValue<ResultContent>>,
    /// The type whose schema is published.
    pub(crate) output_schema: Option<Box<OptionValue<Type>>>,
}

/// The parts of a structured result that are sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ResultContent {
    Both,
    Text,
    Structured,
}

impl HandlerOptions {
    pub(crate) fn parse(component: Component, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut parts = split_at_commas(tokens);
        let specific = match component {
            Component::Tool => SpecificOptions::Tool(ToolOptions::default()),
            Component::Resource => SpecificOptions::Resource(ResourceOptions::new(&mut parts, errors)),
            Component::Prompt => SpecificOptions::Prompt,
        };
        parts.retain(|part| !report_literal(component, part, errors));
        let mut options = Self::new(leading_names(&parts), specific);
        read_parts(parts, errors, |entry, errors| options.read(entry, errors));
        options
    }

    fn new(keys: Vec<Ident>, specific: SpecificOptions) -> Self {
        Self {
            keys,
            name: None,
            title: None,
            description: None,
            tags: Vec::new(),
            icons: Vec::new(),
            meta: None,
            inline: None,
            blocking: None,
            timeout: None,
            middleware: Vec::new(),
            handle: None,
            rename_all: None,
            rename_self: None,
            crate_path: None,
            specific,
        }
    }

    pub(crate) fn component(&self) -> Component {
        match self.specific {
            SpecificOptions::Tool(_) => Component::Tool,
            SpecificOptions::Resource(_) => Component::Resource,
            SpecificOptions::Prompt => Component::Prompt,
        }
    }

    fn read(&mut self, entry: &Entry, errors: &mut Errors) {
        let component = self.component();
        match entry.name().as_str() {
            "name" => self.name = value::parse_string(entry, "\"get_order\"", errors),
            "title" => self.title = value::parse_string(entry, "\"Get an order\"", errors),
            "description" => self.description = docs::parse_description(entry, errors),
            "tags" => self.tags = value::parse_strings(entry, "[\"orders\"]", errors),
            "icons" => self.icons = icon::parse_icons(entry, errors),
            "meta" => self.meta = parse_meta(entry, errors),
            "inline" => self.inline = Flag::parse(entry, errors),
            "blocking" => self.blocking = Flag::parse(entry, errors),
            "timeout" => {
                self.timeout = duration::parse_duration_option(entry, "\"30s\"", duration::parse_timeout, errors)
            }
            "rename_all" => {
                self.rename_all = RenameRule::parse(entry, errors);
                if component == Component::Resource && self.rename_all.is_some_and(RenameRule::has_hyphens) {
                    self.rename_all = None;
                    errors.at(
                        entry.error_tokens(),
                        "the variables of a URI cannot have hyphens: choose another rule, as in `rename_all = \"camelCase\"`",
                    );
                }
            }
            "middleware" => self.middleware = parse_middleware(entry, errors),
            "handle" => self.handle = parse_handle(component, entry, errors),
            "crate" => self.crate_path = value::parse_path(entry, errors),
            "annotations" => {
                errors.at(&entry.key, annotations_message(&entry.value.clone().unwrap_or_default()));
            }
            name => {
                let is_known = match &mut self.specific {
                    SpecificOptions::Tool(options) => options.read(entry, errors),
                    SpecificOptions::Resource(options) => options.read(entry, errors),
                    SpecificOptions::Prompt => false,
                };
                if component == Component::Resource && is_uri_key(&entry.key) {
                    errors.at(&entry.key, "the URI comes first and has no key: remove this");
                } else if !is_known {
                    errors.at(&entry.key, unknown_option_message(component, name));
                }
            }
        }
    }
}

/// Reports an option that is only a literal, which is a description or a URI, and returns whether it is one.
fn report_literal(component: Component, part: &[TokenTree], errors: &mut Errors) -> bool {
    let [TokenTree::Literal(literal)] = part else { return false };
    let text = literal.to_string();
    errors.at(
        literal,
        match component != Component::Resource && text.contains("://") {
            true => format!("a {component} has no URI: remove it, or write `#[mcp::resource({text})]`"),
            false => format!("an option is written `key = value`, as in `description = {text}`"),
        },
    );
    true
}

impl ToolOptions {
    /// Reads the entry and returns true, if it is an option of tools.
    fn read(&mut self, entry: &Entry, errors: &mut Errors) -> bool {
        let hint = match entry.name().as_str() {
            "read_only" => &mut self.read_only,
            "destructive" => &mut self.destructive,
            "idempotent" => &mut self.idempotent,
            "open_world" => &mut self.open_world,
            "structured" => &mut self.structured,
            "wrapped" => &mut self.wrapped,
            "link_text" => &mut self.link_text,
            "result_content" => {
                self.result_content = entry.attach(parse_result_content(entry, errors));
                return true;
            }
            "output_schema" => {
                self.output_schema = entry.attach(parse_output_schema(entry, errors)).map(Box::new);
                return true;
            }
            _ => return false,
        };
        *hint = Flag::parse(entry, errors);
        true
    }
}

fn parse_result_content(entry: &Entry, errors: &mut Errors) -> Option<ResultContent> {
    let value = syn::parse2::<LitStr>(entry.value.clone().unwrap_or_default());
    match value.map(|literal| literal.value()).as_deref() {
        Ok("both") => Some(ResultContent::Both),
        Ok("text") => Some(ResultContent::Text),
        Ok("structured") => Some(ResultContent::Structured),
        _ => {
            errors.at(
                entry.error_tokens(),
                "`result_content` takes `\"both\"`, `\"text\"` or `\"structured\"`, as in `result_content = \"text\"`",
            );
            None
        }
    }
}

fn parse_output_schema(entry: &Entry, errors: &mut Errors) -> Option<Type> {
    match syn::parse2::<Type>(entry.value.clone().unwrap_or_default()) {
        Ok(ty) => Some(ty),
        Err(_) => {
            errors.at(
                entry.error_tokens(),
                "`output_schema` takes a type whose schema is published, as in `output_schema = Order`",
            );
            None
        }
    }
}

fn parse_meta(entry: &Entry, errors: &mut Errors) -> Option<String> {
    let mut trees = entry.value.clone().unwrap_or_default().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => {
            json::parse_json_object(group.stream(), errors)
        }
        _ => {
            errors.at(entry.error_tokens(), "`meta` takes a JSON object, as in `meta = { \"team\": \"billing\" }`");
            None
        }
    }
}

fn parse_handle(component: Component, entry: &Entry, errors: &mut Errors) -> Option<Ident> {
    let handle = syn::parse2::<Ident>(entry.value.clone().unwrap_or_default());
    if handle.is_err() {
        errors.at(
            entry.error_tokens(),
            format!("`handle` takes the name of the type that represents this {component}, as in `handle = GetOrder`"),
        );
    }
    handle.ok()
}
