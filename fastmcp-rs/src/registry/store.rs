//! The entries of a component tree, and their preparation when the app is served.
//!
//! The four lists differ in a few words and in the identity of an entry; everything else is written once, for all of
//! them.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::component::ComponentHandler;
use super::layers::AppLayers;
use super::list::ListEntry;
use super::namespace::qualify;
use super::visibility::{Visibility, VisibilityRule};
use super::{PromptEntry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::checks::conflicts::EntryWording;
use crate::checks::problem::{Problem, ProblemList};
use crate::component::definition::DefinitionText;
use crate::component::template::Template;
use crate::context::ComponentEnv;
use crate::context::change_hub::ListKind;
use crate::context::states::States;

/// The components of an app, by kind.
#[derive(Default)]
pub(crate) struct ComponentMaps {
    pub(crate) tools: EntryMap<ToolEntry>,
    pub(crate) resources: EntryMap<ResourceEntry>,
    pub(crate) templates: EntryMap<TemplateEntry>,
    pub(crate) prompts: EntryMap<PromptEntry>,
}

/// An entry of any kind, kept only until it is dropped.
pub(super) type RemovedEntry = Box<dyn Any>;

impl ComponentMaps {
    /// Removes and returns the entry with an identity.
    pub(super) fn take(&mut self, kind: ListKind, identity: &str) -> Option<RemovedEntry> {
        fn erase<T: TreeEntry>(entry: Arc<T>) -> RemovedEntry {
            Box::new(entry)
        }
        match kind {
            ListKind::Tools => self.tools.remove(identity).map(erase),
            ListKind::Prompts => self.prompts.remove(identity).map(erase),
            ListKind::Resources => {
                let resource = self.resources.remove(identity).map(erase);
                resource.or_else(|| self.templates.remove(identity).map(erase))
            }
        }
    }

    /// Returns the handler of the entry with an identity.
    pub(super) fn find(&self, kind: ListKind, identity: &str) -> Option<&ComponentHandler> {
        match kind {
            ListKind::Tools => self.tools.get(identity).map(|entry| &entry.handler),
            ListKind::Prompts => self.prompts.get(identity).map(|entry| &entry.handler),
            ListKind::Resources => {
                let resource = self.resources.get(identity).map(|entry| &entry.handler);
                resource.or_else(|| self.templates.get(identity).map(|entry| &entry.resource.handler))
            }
        }
    }
}

/// The entries of one kind, by identity within the app. Until the app is served, the tree holds the only reference to
/// each entry, because full names and states are not known yet. (The values of all lists are pointers, so that the maps
/// of all lists share one compiled implementation.)
pub(super) type EntryMap<T> = BTreeMap<Box<str>, Arc<T>>;

/// The settings that the components of an app get from it when it is served.
pub(crate) struct AppSettings {
    pub(crate) states: Arc<States>,
    /// The namespaces under which the app is mounted, outermost first.
    pub(crate) namespaces: Arc<[Box<str>]>,
    /// The timeout of calls without their own, if the app is mounted.
    pub(crate) default_timeout: Option<Duration>,
    /// The layers of the apps in which this app is mounted, and of this app.
    pub(crate) layers: AppLayers,
    /// The visibility functions of this app and of the apps in which it is mounted.
    pub(crate) visibility_rules: Vec<VisibilityRule>,
}

/// The words for resources and for templates.
const RESOURCES: EntryWording = EntryWording { noun: "resource", share: "at", advice: "give one of them another URI" };

/// An entry that is being added, as a trait object for all lists: adding takes many steps, and their code should not
/// exist four times.
pub(super) trait NewEntry {
    fn wording(&self) -> &'static EntryWording;
    fn list(&self) -> ListKind;
    fn handler(&self) -> &ComponentHandler;
    /// Returns the problems of the entry, and clears those of its description.
    fn take_problems(&mut self) -> Vec<Problem>;
    /// Finds the entry with an identity in the same list.
    fn find_existing<'a>(&self, components: &'a ComponentMaps, identity: &str) -> Option<&'a ComponentHandler>;
    fn apply_settings(&mut self, settings: &AppSettings);
    /// Inserts the entry, and returns the one that it replaces.
    fn insert_into(self: Box<Self>, identity: &str, components: &mut ComponentMaps) -> Option<RemovedEntry>;
}

impl<T: TreeEntry> NewEntry for T {
    fn wording(&self) -> &'static EntryWording {
        &T::WORDING
    }

    fn list(&self) -> ListKind {
        T::LIST
    }

    fn handler(&self) -> &ComponentHandler {
        ListEntry::handler(self)
    }

    fn take_problems(&mut self) -> Vec<Problem> {
        let handler = self.handler_mut();
        let none = ProblemList::for_component(T::WORDING.noun, handler.name(), handler.location);
        let mut problems = std::mem::replace(&mut handler.described.problems, none);
        self.check(&mut problems);
        problems.into_problems()
    }

    fn find_existing<'a>(&self, components: &'a ComponentMaps, identity: &str) -> Option<&'a ComponentHandler> {
        T::entries(components).get(identity).map(|entry| ListEntry::handler(&**entry))
    }

    fn apply_settings(&mut self, settings: &AppSettings) {
        apply_settings(self, settings);
    }

    fn insert_into(self: Box<Self>, identity: &str, components: &mut ComponentMaps) -> Option<RemovedEntry> {
        let replaced = T::entries_mut(components).insert(identity.into(), Arc::from(self));
        replaced.map(|entry| Box::new(entry) as RemovedEntry)
    }
}

/// An entry that a scope stores.
pub(super) trait TreeEntry: ListEntry + Sized + 'static {
    const LIST: ListKind;
    const WORDING: EntryWording;

    fn entries(components: &ComponentMaps) -> &EntryMap<Self>;
    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self>;

    fn handler_mut(&mut self) -> &mut ComponentHandler;

    /// Updates the entry after its key has changed.
    fn on_key_changed(&mut self) {}

    /// Adds the problems of the entry, except those of its description.
    fn check(&self, _problems: &mut ProblemList) {}
}

impl TreeEntry for ToolEntry {
    const LIST: ListKind = ListKind::Tools;
    const WORDING: EntryWording =
        EntryWording { noun: "tool", share: "named", advice: "rename one, as with `#[mcp::tool(name = \"…\")]`" };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.tools
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.tools
    }

    fn handler_mut(&mut self) -> &mut ComponentHandler {
        &mut self.handler
    }
}

impl TreeEntry for PromptEntry {
    const LIST: ListKind = ListKind::Prompts;
    const WORDING: EntryWording =
        EntryWording { noun: "prompt", share: "named", advice: "rename one, as with `#[mcp::prompt(name = \"…\")]`" };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.prompts
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.prompts
    }

    fn handler_mut(&mut self) -> &mut ComponentHandler {
        &mut self.handler
    }
}

impl TreeEntry for ResourceEntry {
    const LIST: ListKind = ListKind::Resources;
    const WORDING: EntryWording = RESOURCES;

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.resources
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.resources
    }

    fn handler_mut(&mut self) -> &mut ComponentHandler {
        &mut self.handler
    }
}

impl TreeEntry for TemplateEntry {
    const LIST: ListKind = ListKind::Resources;
    const WORDING: EntryWording = RESOURCES;

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.templates
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.templates
    }

    fn handler_mut(&mut self) -> &mut ComponentHandler {
        &mut self.resource.handler
    }

    fn on_key_changed(&mut self) {
        self.template = Template::parse(self.key());
    }

    fn check(&self, problems: &mut ProblemList) {
        self.check_variables(problems);
    }
}

/// Gives an entry its full name and the settings of its app.
pub(super) fn apply_settings<T: TreeEntry>(entry: &mut T, settings: &AppSettings) {
    apply_settings_to_handler(T::LIST, entry.handler_mut(), settings);
    entry.on_key_changed();
}

fn apply_settings_to_handler(list: ListKind, handler: &mut ComponentHandler, settings: &AppSettings) {
    let namespaces = &settings.namespaces;
    let ComponentHandler { metadata, uri, .. } = &*handler;
    let seen_from = |depth: usize, kind: ListKind, key: &DefinitionText| -> DefinitionText {
        let inner = namespaces.get(depth..).unwrap_or_default().iter().rev();
        inner.fold(key.clone(), |key, name| DefinitionText::Owned(qualify(kind, name, &key)))
    };
    // A resource is identified by its URI, so its name does not get the namespace.
    let name_from = |depth| {
        if list == ListKind::Resources { metadata.name.clone() } else { seen_from(depth, list, &metadata.name) }
    };
    let uri_from = |depth| uri.as_ref().map(|uri| seen_from(depth, ListKind::Resources, uri));
    let visibility = Visibility::new(&settings.visibility_rules, |states, depth| {
        let namespaces = namespaces.get(..depth).unwrap_or_default().into();
        (ComponentEnv { name: name_from(depth), states: Arc::clone(states), namespaces }, uri_from(depth))
    });
    let layers = settings.layers.around(&handler.layers, |selector, depth| {
        let key = uri_from(depth).unwrap_or_else(|| seen_from(depth, list, &metadata.name));
        selector.matches(list, &key, &metadata.tags)
    });
    let (name, uri) = (name_from(0), uri_from(0));
    let (states, namespaces) = (Arc::clone(&settings.states), Arc::clone(namespaces));
    handler.env = Arc::new(ComponentEnv { name: name.clone(), states, namespaces });
    handler.metadata.name = name;
    handler.uri = uri;
    handler.visibility = visibility;
    handler.default_timeout = settings.default_timeout;
    handler.layers = layers;
}
