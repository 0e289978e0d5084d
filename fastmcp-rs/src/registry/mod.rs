//! Every component of a server: sorted, checked, and with its list pages serialised once.
//!
//! `inventory` promises no order and sees the components of every crate that is linked, so the order is made
//! here and what clashes is refused with both places named.

mod handler;
mod pages;
mod prompt;
mod resource;
mod tool;

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

pub(crate) use handler::{Handler, Pace};
pub(crate) use pages::{List, ListConfig, Listed};
pub(crate) use prompt::PromptEntry;
pub(crate) use resource::{ResourceEntry, TemplateEntry};
pub(crate) use tool::ToolEntry;

use crate::component::prompt::PromptDefinition;
use crate::component::resource::ResourceDefinition;
use crate::component::template::Template;
use crate::component::tool::ToolDefinition;
use crate::context::States;
use crate::schema::suggest;

/// The components of an app, before they are described.
#[derive(Default)]
pub(crate) struct Definitions {
    pub(crate) tools: Vec<&'static ToolDefinition>,
    pub(crate) resources: Vec<&'static ResourceDefinition>,
    pub(crate) prompts: Vec<&'static PromptDefinition>,
}

/// The components of a server. They do not change while it runs.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) tools: List<ToolEntry>,
    pub(crate) resources: List<ResourceEntry>,
    pub(crate) templates: List<TemplateEntry>,
    pub(crate) prompts: List<PromptEntry>,
    /// Calls are what is asked for most.
    tools_by_name: HashMap<&'static str, usize>,
}

impl Registry {
    /// Describes and checks the components; each problem is told, not only the first.
    pub(crate) fn new(
        definitions: Definitions,
        states: &States,
        config: ListConfig,
        problems: &mut Vec<String>,
    ) -> Registry {
        let (templates, resources): (Vec<_>, Vec<_>) =
            definitions.resources.into_iter().partition(|resource| Template::is_template(resource.uri));
        let tools = List::new(definitions.tools.into_iter().map(ToolEntry::new).collect(), config);
        let resources = List::new(resources.into_iter().map(ResourceEntry::new).collect(), config);
        let templates: List<TemplateEntry> = List::new(templates.into_iter().map(TemplateEntry::new).collect(), config);
        let prompts = List::new(definitions.prompts.into_iter().map(PromptEntry::new).collect(), config);

        check(&tools, "tool", "named", "rename one with `#[mcp::tool(name = \"…\")]`", problems);
        check(&resources, "resource", "at", "give one another URI", problems);
        check(&templates, "resource", "at", "give one another URI", problems);
        check(&prompts, "prompt", "named", "rename one with `#[mcp::prompt(name = \"…\")]`", problems);
        for template in templates.entries() {
            let own = template.problems();
            problems.extend(own.into_iter().map(|problem| at(template.handler(), "resource", &problem)));
        }
        let handlers =
            tools.entries().iter().map(Listed::handler).chain(resources.entries().iter().map(Listed::handler));
        let handlers = handlers.chain(templates.entries().iter().map(Listed::handler));
        check_states(handlers.chain(prompts.entries().iter().map(Listed::handler)), states, problems);

        let by_name = tools.entries().iter().enumerate();
        let tools_by_name = by_name.map(|(index, tool)| (tool.definition.name, index)).collect();
        Registry { tools, resources, templates, prompts, tools_by_name }
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&ToolEntry> {
        self.tools_by_name.get(name).and_then(|&index| self.tools.entries().get(index))
    }

    /// The tool that was meant by a name that no tool has.
    pub(crate) fn nearest_tool(&self, name: &str) -> Option<&'static str> {
        suggest::nearest(name, self.tools.entries().iter().map(Listed::key))
    }

    /// The prompt that was meant by a name that no prompt has.
    pub(crate) fn nearest_prompt(&self, name: &str) -> Option<&'static str> {
        suggest::nearest(name, self.prompts.entries().iter().map(Listed::key))
    }

    /// The resource at a URI, and the values of its template's variables. Of several templates that fit, it is
    /// the one that fixes most of the URI, then the first.
    pub(crate) fn resource(&self, uri: &str) -> Option<(&ResourceEntry, BTreeMap<&'static str, String>)> {
        if let Some(resource) = self.resources.find(uri) {
            return Some((resource, BTreeMap::new()));
        }
        let templates = self.templates.entries().iter();
        let matching = templates.filter_map(|template| Some((template, template.matches(uri)?)));
        let (template, values) = matching.min_by_key(|(template, _)| template.openness())?;
        Some((&template.resource, values))
    }

    pub(crate) fn has_resources(&self) -> bool {
        !self.resources.entries().is_empty() || !self.templates.entries().is_empty()
    }

    fn handlers(&self) -> impl Iterator<Item = &Handler> {
        let tools = self.tools.entries().iter().map(Listed::handler);
        let resources = self.resources.entries().iter().map(Listed::handler);
        let templates = self.templates.entries().iter().map(Listed::handler);
        let prompts = self.prompts.entries().iter().map(Listed::handler);
        tools.chain(resources).chain(templates).chain(prompts)
    }

    /// Whether any component looks at its request, and so may send log messages.
    pub(crate) fn any_needs_request(&self) -> bool {
        self.handlers().any(|handler| {
            let completes = handler.described.parameters.iter().any(|parameter| parameter.complete.is_some());
            handler.described.needs_request || completes
        })
    }

    /// Whether there is an argument or variable that can be completed.
    pub(crate) fn can_complete(&self) -> bool {
        let templates = self.templates.entries().iter().map(Listed::handler);
        templates.chain(self.prompts.entries().iter().map(Listed::handler)).any(|handler| {
            let parameters = &handler.described.parameters;
            parameters
                .iter()
                .any(|parameter| parameter.complete.is_some() || handler.variants(parameter.name).is_some())
        })
    }
}

impl Handler {
    /// The values that an argument can have, if its type lists them.
    pub(crate) fn variants(&self, argument: &str) -> Option<&Vec<Value>> {
        self.described.input.get("properties")?.get(argument)?.get("enum")?.as_array()
    }
}

fn at(handler: &Handler, noun: &str, problem: &str) -> String {
    format!("{noun} `{}` ({}): {problem}", handler.name, handler.location)
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
                missing.entry((name, *id)).or_default().push(format!("`{}`", handler.name));
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
