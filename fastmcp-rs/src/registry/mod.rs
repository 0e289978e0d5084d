//! The components of a server: sorted, checked, and with list pages that are serialised once.
//!
//! The registry sorts the components of an app and of the apps mounted in it, and rejects duplicates with an error that
//! names both places. The room knows components and the visibility of each, but no connection. Look here for lists,
//! pages, mounting names, enabling, disabling and changes at run time.

mod component;
mod layers;
mod list;
mod namespace;
mod prompt;
mod resource;
mod selector;
mod snapshot;
mod store;
mod tool;
mod tree;
mod visibility;
mod visibility_pace;
#[cfg(feature = "stdio")]
mod weak_snapshot;

use std::collections::HashMap;
use std::panic::Location as Place;
use std::sync::{Arc, OnceLock};

pub(crate) use component::{Callable, ComponentHandler, PollPace};
use foldhash::fast::FixedState;
pub(crate) use layers::AppLayers;
pub(crate) use list::{ComponentList, ListConfig, ListEntry, sort_indices};
pub(crate) use prompt::PromptEntry;
pub(crate) use resource::{ResourceEntry, TemplateEntry};
pub use selector::Selector;
use serde_json::{Map, Value};
pub(crate) use snapshot::{RegistryCache, RegistrySnapshot};
pub(crate) use store::AppSettings;
pub(crate) use tool::ToolEntry;
pub(crate) use tree::{ComponentTree, Existing};
pub use visibility::{Component, ComponentKind};
pub(crate) use visibility::{VisibilityFn, VisibilityRule};
pub(crate) use visibility_pace::VisibilityPace;
#[cfg(feature = "stdio")]
pub(crate) use weak_snapshot::WeakRegistrySnapshot;

use crate::checks::problem::Location;
use crate::component::component_set::ComponentSet;
use crate::component::dynamic::{DynamicPrompt, DynamicResource, DynamicTool};
use crate::component::prompt::PromptDefinition;
use crate::component::resource::ResourceDefinition;
use crate::component::template::Template;
use crate::component::tool::ToolDefinition;
use crate::context::change_hub::{ListKind, ListSet};
use crate::context::current_call;
use crate::context::states::States;
use crate::middleware::LayerChain;
use crate::protocol::ProtocolMethod;
use crate::protocol::revision::PerRevision;
use crate::schema::suggest;

/// A component that is added to an app, from a macro's definition or created at run time. Each kind brings its own
/// function, so that a program that creates nothing at run time does not contain the code for it.
pub(crate) struct Registration(Box<dyn RegisterFn>);

/// The function that describes a component for the tree of its app.
trait RegisterFn: FnOnce() -> Box<dyn store::NewEntry> + Send + Sync {}

impl<F: FnOnce() -> Box<dyn store::NewEntry> + Send + Sync> RegisterFn for F {}

impl Registration {
    fn new(describe: impl RegisterFn + 'static) -> Registration {
        Registration(Box::new(describe))
    }

    pub(crate) fn tool(definition: &'static ToolDefinition) -> Registration {
        Registration::new(move || Box::new(ToolEntry::new(definition)))
    }

    pub(crate) fn resource(definition: &'static ResourceDefinition) -> Registration {
        Registration::new(move || resource_entry(ResourceEntry::new(definition)))
    }

    pub(crate) fn prompt(definition: &'static PromptDefinition) -> Registration {
        Registration::new(move || Box::new(PromptEntry::new(definition)))
    }

    /// Returns all components of a type.
    pub(crate) fn set<S: ComponentSet>() -> impl Iterator<Item = Registration> {
        let tools = S::TOOLS.iter().copied().map(Registration::tool);
        let resources = S::RESOURCES.iter().copied().map(Registration::resource);
        let prompts = S::PROMPTS.iter().copied().map(Registration::prompt);
        tools.chain(resources).chain(prompts)
    }

    #[track_caller]
    pub(crate) fn dynamic_tool(tool: DynamicTool) -> Registration {
        let added = Location::from(Place::caller());
        Registration::new(move || Box::new(ToolEntry::dynamic(tool, added)))
    }

    #[track_caller]
    pub(crate) fn dynamic_resource(resource: DynamicResource) -> Registration {
        let added = Location::from(Place::caller());
        Registration::new(move || resource_entry(ResourceEntry::dynamic(resource, added)))
    }

    #[track_caller]
    pub(crate) fn dynamic_prompt(prompt: DynamicPrompt) -> Registration {
        let added = Location::from(Place::caller());
        Registration::new(move || Box::new(PromptEntry::dynamic(prompt, added)))
    }
}

/// Returns the entry of a resource, or of a template.
fn resource_entry(entry: ResourceEntry) -> Box<dyn store::NewEntry> {
    match Template::is_template(entry.key()) {
        true => Box::new(TemplateEntry::new(entry)),
        false => Box::new(entry),
    }
}

/// The components of a server at one time.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) tools: ComponentList<ToolEntry>,
    pub(crate) resources: ComponentList<ResourceEntry>,
    pub(crate) templates: ComponentList<TemplateEntry>,
    pub(crate) prompts: ComponentList<PromptEntry>,
    /// The layers that lists pass through.
    pub(crate) layers: LayerChain,
    /// The states of the app.
    pub(crate) states: Arc<States>,
    /// An index for the most frequent look-up, that of calls. Peers look names up, but only the program adds them, so the
    /// hash needs no random seed.
    tools_by_name: HashMap<Box<str>, usize, FixedState>,
    pub(crate) capabilities: ServerCapabilities,
    /// The pace of visibility functions, if there are any.
    pub(crate) visibility_pace: Option<Arc<VisibilityPace>>,
    /// The results of `server/discover`, once they were requested.
    pub(crate) discovery_results: PerRevision<OnceLock<Vec<u8>>>,
}

impl Registry {
    /// Takes a snapshot of an app and of the apps mounted in it.
    fn new(root: &ComponentTree, config: ListConfig, visibility_pace: &Arc<VisibilityPace>) -> Registry {
        let (layers, states) = root.layers_and_states();
        let tools: ComponentList<ToolEntry> = ComponentList::new(root.enabled_entries(), config);
        let resources = ComponentList::new(root.enabled_entries(), config);
        let templates = ComponentList::new(root.enabled_entries(), config);
        let prompts = ComponentList::new(root.enabled_entries(), config);
        let mut capabilities = ServerCapabilities::new(&tools, &resources, &templates, &prompts, root.is_dynamic());
        // A layer has the context of each call, and so can send log messages; forwarded events are log messages too.
        capabilities.logging |= !layers.is_empty() || current_call::is_enabled();
        let is_filtered =
            tools.is_filtered() || resources.is_filtered() || templates.is_filtered() || prompts.is_filtered();
        let by_name = tools.entries().iter().enumerate();
        let tools_by_name = by_name.map(|(index, tool)| (tool.key().into(), index)).collect();
        Registry {
            tools,
            resources,
            templates,
            prompts,
            layers,
            states,
            tools_by_name,
            capabilities,
            visibility_pace: is_filtered.then(|| Arc::clone(visibility_pace)),
            discovery_results: PerRevision::default(),
        }
    }

    // Every call comes through here, and the function is small once inlined.
    #[inline]
    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        self.tools_by_name.get(name).and_then(|&index| self.tools.entries().get(index))
    }

    /// Returns true if the visibility functions may block the thread that calls them.
    #[inline]
    pub(crate) fn has_slow_visibility(&self) -> bool {
        self.visibility_pace.as_ref().is_some_and(|visibility_pace| visibility_pace.is_slow())
    }

    /// Returns the name of the visible tool that is closest to an unknown name.
    pub(crate) fn nearest_tool(&self, name: &str, is_visible: impl Fn(&ToolEntry) -> bool) -> Option<&str> {
        suggest::find_nearest(name, self.tools.entries().iter().filter(|tool| is_visible(tool)).map(|tool| tool.key()))
    }

    /// Returns the name of the visible prompt that is closest to an unknown name.
    pub(crate) fn nearest_prompt(&self, name: &str, is_visible: impl Fn(&PromptEntry) -> bool) -> Option<&str> {
        suggest::find_nearest(
            name,
            self.prompts.entries().iter().filter(|prompt| is_visible(prompt)).map(|prompt| prompt.key()),
        )
    }

    /// Returns the visible resource at a URI, with the values of its template's variables. If several templates match,
    /// the one with the most literal text is used, then the first.
    pub(crate) fn resource(
        &self,
        uri: &str,
        is_visible: impl Fn(&ResourceEntry) -> bool,
        is_template_visible: impl Fn(&TemplateEntry) -> bool,
    ) -> Option<(&ResourceEntry, Map<String, Value>)> {
        if let Some(resource) = self.resources.find(uri).filter(|resource| is_visible(resource)) {
            return Some((resource, Map::new()));
        }
        let templates = self.templates.entries().iter();
        let matching = templates.filter_map(|template| Some((template, template.matches(uri)?)));
        let seen = matching.filter(|(template, _)| is_template_visible(template));
        let (template, values) = seen.min_by_key(|(template, _)| template.openness())?;
        Some((&template.resource, values))
    }
}

/// The capabilities of a server, derived from its components. Methods without a component do not exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerCapabilities {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) completions: bool,
    pub(crate) logging: bool,
    /// The lists that may change while the server runs. Their capabilities are offered from the start, because clients
    /// ask for capabilities only once.
    pub(crate) list_changes: ListSet,
}

impl ServerCapabilities {
    fn new(
        tools: &ComponentList<ToolEntry>,
        resources: &ComponentList<ResourceEntry>,
        templates: &ComponentList<TemplateEntry>,
        prompts: &ComponentList<PromptEntry>,
        dynamic: bool,
    ) -> ServerCapabilities {
        let of_tools = tools.entries().iter().map(|tool| &tool.handler);
        let of_resources = resources.entries().iter().map(|resource| &resource.handler);
        let of_templates = || templates.entries().iter().map(|template| template.handler());
        let of_prompts = || prompts.entries().iter().map(|prompt| &prompt.handler);
        let mut all = of_tools.chain(of_resources).chain(of_templates()).chain(of_prompts());
        ServerCapabilities {
            tools: dynamic || !tools.entries().is_empty(),
            resources: dynamic || !resources.entries().is_empty() || !templates.entries().is_empty(),
            prompts: dynamic || !prompts.entries().is_empty(),
            completions: dynamic || of_templates().chain(of_prompts()).any(ComponentHandler::can_complete),
            // Only a component that uses its request can send log messages.
            logging: dynamic || all.any(ComponentHandler::uses_request),
            list_changes: if dynamic { ListKind::ALL.into_iter().collect() } else { ListSet::NONE },
        }
    }

    /// Returns true if a method of the components exists.
    pub(crate) fn has_method(&self, method: ProtocolMethod) -> bool {
        match method {
            ProtocolMethod::CallTool | ProtocolMethod::ListTools => self.tools,
            ProtocolMethod::ReadResource | ProtocolMethod::ListResources | ProtocolMethod::ListResourceTemplates => {
                self.resources
            }
            ProtocolMethod::GetPrompt | ProtocolMethod::ListPrompts => self.prompts,
            ProtocolMethod::Complete => self.completions,
            _ => false,
        }
    }
}

impl ComponentHandler {
    fn uses_request(&self) -> bool {
        let completes = self.described.parameters.iter().any(|parameter| parameter.complete.is_some());
        self.described.needs_request || completes || !self.layers.is_empty()
    }

    /// Returns true if one of the arguments can be completed.
    fn can_complete(&self) -> bool {
        let parameters = &self.described.parameters;
        parameters.iter().any(|parameter| parameter.complete.is_some() || self.variants(&parameter.name).is_some())
    }

    /// Returns the values that an argument can have, if its type lists them.
    pub(crate) fn variants(&self, argument: &str) -> Option<&Vec<Value>> {
        self.described.input.get("properties")?.get(argument)?.get("enum")?.as_array()
    }
}
