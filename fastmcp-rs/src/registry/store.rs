//! The entries of a scope, and their preparation when the app is served.
//!
//! The four lists differ in a few words and in the identity of an entry; everything else is written once, for all of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::component::ComponentHandler;
use super::list::ListEntry;
use super::namespace::qualify;
use super::selector::identity;
use super::visibility::{VisibilityCheck, VisibilityFn};
use super::{PromptEntry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::component::definition::DefinitionText;
use crate::component::metadata::Metadata;
use crate::component::template::Template;
use crate::context::ComponentEnv;
use crate::context::change_hub::ListKind;
use crate::context::states::States;
use crate::middleware::LayerChain;

/// The components of an app, by kind.
#[derive(Default)]
pub(crate) struct ComponentMaps {
    pub(crate) tools: EntryMap<ToolEntry>,
    pub(crate) resources: EntryMap<ResourceEntry>,
    pub(crate) templates: EntryMap<TemplateEntry>,
    pub(crate) prompts: EntryMap<PromptEntry>,
}

/// The entries of one kind, by identity within the app. Until the app is served, the scope holds the only reference to
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
    pub(crate) layers: LayerChain,
    /// The visibility functions of this app and of the apps in which it is mounted.
    pub(crate) visibility_rules: Vec<VisibilityRule>,
}

/// A visibility function of an app, for the components of that app and of the apps mounted in it.
#[derive(Clone)]
pub(crate) struct VisibilityRule {
    pub(crate) function: VisibilityFn,
    pub(crate) states: Arc<States>,
    /// The number of namespaces that belong to apps around the function's app.
    pub(crate) depth: usize,
}

/// The words by which messages name the entries of a list.
pub(super) struct EntryWording {
    pub(super) kind: ListKind,
    /// The noun for one entry.
    pub(super) noun: &'static str,
    /// The property that two entries must not share: "two tools are named …".
    pub(super) share: &'static str,
    pub(super) advice: &'static str,
}

/// An entry that is being added, as a trait object for all lists: adding takes many steps, and their code should not
/// exist four times.
pub(super) trait NewEntry {
    fn wording(&self) -> &'static EntryWording;
    fn key(&self) -> &str;
    fn handler(&self) -> &ComponentHandler;
    /// Returns the identity, which is unique in its list.
    fn identity(&self) -> String;
    /// Returns the problems of the entry, and clears those of its description.
    fn take_problems(&mut self) -> Vec<String>;
    /// Finds the entry with an identity in the same list.
    fn find_existing<'a>(&self, components: &'a ComponentMaps, identity: &str) -> Option<&'a ComponentHandler>;
    fn apply_settings(&mut self, settings: &AppSettings);
    fn insert_into(self: Box<Self>, identity: &str, components: &mut ComponentMaps);
}

impl<T: TreeEntry> NewEntry for T {
    fn wording(&self) -> &'static EntryWording {
        &T::WORDING
    }

    fn key(&self) -> &str {
        ListEntry::key(self)
    }

    fn handler(&self) -> &ComponentHandler {
        ListEntry::handler(self)
    }

    fn identity(&self) -> String {
        TreeEntry::identity(self)
    }

    fn take_problems(&mut self) -> Vec<String> {
        let mut problems = std::mem::take(&mut self.parts().2.described.problems);
        problems.extend(self.own_problems());
        problems
    }

    fn find_existing<'a>(&self, components: &'a ComponentMaps, identity: &str) -> Option<&'a ComponentHandler> {
        T::entries(components).get(identity).map(|entry| ListEntry::handler(&**entry))
    }

    fn apply_settings(&mut self, settings: &AppSettings) {
        apply_settings(self, settings);
    }

    fn insert_into(self: Box<Self>, identity: &str, components: &mut ComponentMaps) {
        T::entries_mut(components).insert(identity.into(), Arc::from(self));
    }
}

/// An entry that a scope stores.
pub(super) trait TreeEntry: ListEntry + Sized + 'static {
    const WORDING: EntryWording;

    fn entries(components: &ComponentMaps) -> &EntryMap<Self>;
    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self>;

    /// Returns the identity, which is unique among entries of the kind.
    fn identity(&self) -> String;

    fn parts(&mut self) -> (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler);

    /// Updates the entry after its key has changed.
    fn on_key_changed(&mut self) {}

    /// Returns the problems of the entry, except those of its description.
    fn own_problems(&self) -> Vec<String> {
        Vec::new()
    }
}

impl TreeEntry for ToolEntry {
    const WORDING: EntryWording = EntryWording {
        kind: ListKind::Tools,
        noun: "tool",
        share: "named",
        advice: "rename one, as with `#[mcp::tool(name = \"…\")]`",
    };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.tools
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.tools
    }

    fn identity(&self) -> String {
        self.metadata.name.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler) {
        (&mut self.metadata, None, &mut self.handler)
    }
}

impl TreeEntry for PromptEntry {
    const WORDING: EntryWording = EntryWording {
        kind: ListKind::Prompts,
        noun: "prompt",
        share: "named",
        advice: "rename one, as with `#[mcp::prompt(name = \"…\")]`",
    };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.prompts
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.prompts
    }

    fn identity(&self) -> String {
        self.metadata.name.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler) {
        (&mut self.metadata, None, &mut self.handler)
    }
}

impl TreeEntry for ResourceEntry {
    const WORDING: EntryWording = EntryWording {
        kind: ListKind::Resources,
        noun: "resource",
        share: "at",
        advice: "give one of them another URI",
    };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.resources
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.resources
    }

    fn identity(&self) -> String {
        self.uri.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler) {
        (&mut self.metadata, Some(&mut self.uri), &mut self.handler)
    }
}

impl TreeEntry for TemplateEntry {
    const WORDING: EntryWording = EntryWording {
        kind: ListKind::Resources,
        noun: "resource",
        share: "at",
        advice: "give one of them another URI",
    };

    fn entries(components: &ComponentMaps) -> &EntryMap<Self> {
        &components.templates
    }

    fn entries_mut(components: &mut ComponentMaps) -> &mut EntryMap<Self> {
        &mut components.templates
    }

    /// Returns the shape of the template, because templates that differ only in the names of variables match the same
    /// URIs.
    fn identity(&self) -> String {
        identity(&self.resource.uri)
    }

    fn parts(&mut self) -> (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler) {
        self.resource.parts()
    }

    fn on_key_changed(&mut self) {
        self.template = Template::parse(&self.resource.uri);
    }

    fn own_problems(&self) -> Vec<String> {
        self.problems()
    }
}

/// Gives an entry its full name and the settings of its app.
pub(super) fn apply_settings<T: TreeEntry>(entry: &mut T, settings: &AppSettings) {
    apply_settings_to_parts(T::WORDING.kind, entry.parts(), settings);
    entry.on_key_changed();
}

fn apply_settings_to_parts(
    list: ListKind,
    (metadata, uri, handler): (&mut Metadata, Option<&mut DefinitionText>, &mut ComponentHandler),
    settings: &AppSettings,
) {
    let namespaces = &settings.namespaces;
    let seen_from = |depth: usize, kind: ListKind, key: &DefinitionText| -> DefinitionText {
        let inner = namespaces.get(depth..).unwrap_or_default().iter().rev();
        inner.fold(key.clone(), |key, name| DefinitionText::Owned(qualify(kind, name, &key)))
    };
    // A resource is identified by its URI, so its name does not get the namespace.
    let name_from = |depth| {
        if list == ListKind::Resources { metadata.name.clone() } else { seen_from(depth, list, &metadata.name) }
    };
    let visibility_checks = settings.visibility_rules.iter().map(|rule| VisibilityCheck {
        function: Arc::clone(&rule.function),
        env: Arc::new(ComponentEnv {
            name: name_from(rule.depth),
            states: Arc::clone(&rule.states),
            namespaces: namespaces.get(..rule.depth).unwrap_or_default().into(),
        }),
        uri: uri.as_ref().map(|uri| seen_from(rule.depth, ListKind::Resources, uri)),
    });
    handler.visibility_checks = visibility_checks.collect();
    let name = name_from(0);
    let states = Arc::clone(&settings.states);
    handler.env = Arc::new(ComponentEnv { name: name.clone(), states, namespaces: Arc::clone(namespaces) });
    handler.default_timeout = settings.default_timeout;
    handler.layers = settings.layers.clone();
    metadata.name = name;
    if let Some(uri) = uri {
        *uri = seen_from(0, ListKind::Resources, uri);
    }
}
