//! Every component of a server: sorted, checked, and with its list pages serialised once.
//!
//! `inventory` promises no order and sees the components of every crate that is linked, so the order is made
//! here and what clashes is refused with both places named.

mod handler;
mod live;
mod pages;
mod prompt;
mod resource;
mod tool;

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub(crate) use handler::{Handler, Pace};
pub(crate) use live::{Live, View};
pub(crate) use pages::{List, ListConfig, Listed};
pub(crate) use prompt::PromptEntry;
pub(crate) use resource::{ResourceEntry, TemplateEntry};
pub(crate) use tool::ToolEntry;

use crate::ambient;
use crate::changes::Lists;
use crate::component::prompt::PromptDefinition;
use crate::component::resource::ResourceDefinition;
use crate::component::template::Template;
use crate::component::tool::ToolDefinition;
use crate::context::States;
use crate::layers::{Chain, ErasedLayer};
use crate::schema::suggest;

/// The components of an app, before they are described.
#[derive(Default)]
pub(crate) struct Definitions {
    pub(crate) tools: Vec<&'static ToolDefinition>,
    pub(crate) resources: Vec<&'static ResourceDefinition>,
    pub(crate) prompts: Vec<&'static PromptDefinition>,
    /// What their calls go through, the outermost first.
    pub(crate) layers: Vec<Arc<dyn ErasedLayer>>,
}

/// The components of a server at one time.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) tools: List<ToolEntry>,
    pub(crate) resources: List<ResourceEntry>,
    pub(crate) templates: List<TemplateEntry>,
    pub(crate) prompts: List<PromptEntry>,
    /// What lists go through.
    pub(crate) layers: Chain,
    /// The states of the app.
    pub(crate) states: Arc<States>,
    /// Calls are what is asked for most.
    tools_by_name: HashMap<Box<str>, usize>,
    pub(crate) offers: Offers,
    /// The result of `server/discover`, once it was asked for.
    pub(crate) discovery: OnceLock<Vec<u8>>,
}

impl Registry {
    /// Describes and checks the components; each problem is told, not only the first.
    pub(crate) fn new(
        definitions: Definitions,
        states: &Arc<States>,
        config: ListConfig,
        problems: &mut Vec<String>,
    ) -> Registry {
        let (templates, resources): (Vec<_>, Vec<_>) =
            definitions.resources.into_iter().partition(|resource| Template::is_template(resource.uri));
        let layers = Chain::new(definitions.layers);
        let tools = definitions.tools.into_iter().map(|tool| {
            let mut tool = ToolEntry::new(tool, states);
            tool.handler.layers = layers.clone();
            Arc::new(tool)
        });
        let tools = List::new(tools.collect(), config);
        let resources = resources.into_iter().map(|resource| {
            let mut resource = ResourceEntry::new(resource, states);
            resource.handler.layers = layers.clone();
            Arc::new(resource)
        });
        let resources = List::new(resources.collect(), config);
        let templates = templates.into_iter().map(|template| {
            let mut template = TemplateEntry::new(template, states);
            template.resource.handler.layers = layers.clone();
            Arc::new(template)
        });
        let templates: List<TemplateEntry> = List::new(templates.collect(), config);
        let prompts = definitions.prompts.into_iter().map(|prompt| {
            let mut prompt = PromptEntry::new(prompt, states);
            prompt.handler.layers = layers.clone();
            Arc::new(prompt)
        });
        let prompts = List::new(prompts.collect(), config);

        check(&tools, "tool", "named", "rename one with `#[mcp::tool(name = \"…\")]`", problems);
        check(&resources, "resource", "at", "give one another URI", problems);
        check(&templates, "resource", "at", "give one another URI", problems);
        check(&prompts, "prompt", "named", "rename one with `#[mcp::prompt(name = \"…\")]`", problems);
        for template in templates.entries() {
            let own = template.problems();
            problems.extend(own.into_iter().map(|problem| at(template.handler(), "resource", &problem)));
        }
        let handlers = tools
            .entries()
            .iter()
            .map(|entry| entry.handler())
            .chain(resources.entries().iter().map(|entry| entry.handler()));
        let handlers = handlers.chain(templates.entries().iter().map(|entry| entry.handler()));
        check_states(handlers.chain(prompts.entries().iter().map(|entry| entry.handler())), states, problems);

        let mut offers = Offers::new(&tools, &resources, &templates, &prompts);
        // A layer has the context of each call, and so can send log messages; events are forwarded as such.
        offers.logging |= !layers.is_empty() || ambient::is_wanted();
        let by_name = tools.entries().iter().enumerate();
        let tools_by_name = by_name.map(|(index, tool)| (tool.key().into(), index)).collect();
        Registry {
            tools,
            resources,
            templates,
            prompts,
            layers,
            states: Arc::clone(states),
            tools_by_name,
            offers,
            discovery: OnceLock::new(),
        }
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        self.tools_by_name.get(name).and_then(|&index| self.tools.entries().get(index))
    }

    /// The tool that was meant by a name that no tool has.
    pub(crate) fn nearest_tool(&self, name: &str) -> Option<&str> {
        suggest::nearest(name, self.tools.entries().iter().map(|tool| tool.key()))
    }

    /// The prompt that was meant by a name that no prompt has.
    pub(crate) fn nearest_prompt(&self, name: &str) -> Option<&str> {
        suggest::nearest(name, self.prompts.entries().iter().map(|prompt| prompt.key()))
    }

    /// The resource at a URI, and the values of its template's variables. Of several templates that fit, it is
    /// the one that fixes most of the URI, then the first.
    pub(crate) fn resource(&self, uri: &str) -> Option<(&ResourceEntry, BTreeMap<&str, String>)> {
        if let Some(resource) = self.resources.find(uri) {
            return Some((resource, BTreeMap::new()));
        }
        let templates = self.templates.entries().iter();
        let matching = templates.filter_map(|template| Some((template, template.matches(uri)?)));
        let (template, values) = matching.min_by_key(|(template, _)| template.openness())?;
        Some((&template.resource, values))
    }
}

/// What a server has, and so offers. The methods of what is not here do not exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offers {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) completions: bool,
    pub(crate) logging: bool,
    /// The lists that may change while the server runs.
    pub(crate) list_changes: Lists,
}

impl Offers {
    fn new(
        tools: &List<ToolEntry>,
        resources: &List<ResourceEntry>,
        templates: &List<TemplateEntry>,
        prompts: &List<PromptEntry>,
    ) -> Offers {
        let of_tools = tools.entries().iter().map(|tool| &tool.handler);
        let of_resources = resources.entries().iter().map(|resource| &resource.handler);
        let of_templates = || templates.entries().iter().map(|template| template.handler());
        let of_prompts = || prompts.entries().iter().map(|prompt| &prompt.handler);
        let mut all = of_tools.chain(of_resources).chain(of_templates()).chain(of_prompts());
        Offers {
            tools: !tools.entries().is_empty(),
            resources: !resources.entries().is_empty() || !templates.entries().is_empty(),
            prompts: !prompts.entries().is_empty(),
            completions: of_templates().chain(of_prompts()).any(Handler::can_complete),
            // Only a component that looks at its context can send log messages.
            logging: all.any(Handler::looks_at_its_request),
            list_changes: Lists::NONE,
        }
    }

    /// Whether a method of the components exists.
    pub(crate) fn method(&self, method: &str) -> bool {
        match method {
            "tools/call" | "tools/list" => self.tools,
            "resources/read" | "resources/list" | "resources/templates/list" => self.resources,
            "prompts/get" | "prompts/list" => self.prompts,
            "completion/complete" => self.completions,
            _ => false,
        }
    }
}

impl Handler {
    fn looks_at_its_request(&self) -> bool {
        let completes = self.described.parameters.iter().any(|parameter| parameter.complete.is_some());
        self.described.needs_request || completes
    }

    /// Whether one of the arguments can be completed.
    fn can_complete(&self) -> bool {
        let parameters = &self.described.parameters;
        parameters.iter().any(|parameter| parameter.complete.is_some() || self.variants(parameter.name).is_some())
    }

    /// The values that an argument can have, if its type lists them.
    pub(crate) fn variants(&self, argument: &str) -> Option<&Vec<Value>> {
        self.described.input.get("properties")?.get(argument)?.get("enum")?.as_array()
    }
}

fn at(handler: &Handler, noun: &str, problem: &str) -> String {
    format!("{noun} `{}` ({}): {problem}", handler.name(), handler.location)
}

/// What is wrong with the entries of one list.
fn check<T: Listed>(list: &List<T>, noun: &str, verb: &str, advice: &str, problems: &mut Vec<String>) {
    for pair in list.entries().windows(2) {
        let (one, other) = (pair[0].handler().location, pair[1].handler().location);
        if pair[0].key() == pair[1].key() && (one.file, one.line) == (other.file, other.line) {
            problems.push(format!(
                "the {noun} `{}` ({one}) is registered twice: `App::new` has it already, so either drop the second registration or begin with `App::empty`",
                pair[0].key()
            ));
        } else if pair[0].key() == pair[1].key() {
            problems.push(format!("two {noun}s are {verb} `{}`: at {one} and at {other}; {advice}", pair[0].key()));
        }
    }
    for entry in list.entries() {
        let found = entry.handler().described.problems.iter();
        problems.extend(found.map(|problem| at(entry.handler(), noun, problem)));
    }
}

/// Each state that is missing, once, with the components that want it.
fn check_states<'a>(handlers: impl Iterator<Item = &'a Handler>, states: &States, problems: &mut Vec<String>) {
    let mut missing: BTreeMap<(&'static str, TypeId), Vec<String>> = BTreeMap::new();
    for handler in handlers {
        for (id, name) in &handler.described.requirements.states {
            if !states.contains_key(id) {
                missing.entry((name, *id)).or_default().push(format!("`{}`", handler.name()));
            }
        }
    }
    for ((name, _), wanted_by) in missing {
        let verb = if wanted_by.len() == 1 { "wants" } else { "want" };
        problems.push(format!(
            "the app has no state of type `{name}`, which {} {verb}: add `.state(…)` with such a value",
            wanted_by.join(", ")
        ));
    }
}
