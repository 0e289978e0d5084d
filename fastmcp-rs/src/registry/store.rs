//! The entries of a scope, and their preparation when the app is served.
//!
//! The four lists differ in a few words and in the identity of an entry; everything else is written once, for all of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::component::Handler;
use super::list::Listed;
use super::namespace::qualified;
use super::selector::identity;
use super::visibility::{Gate, Visible};
use super::{PromptEntry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::component::definition::Text;
use crate::component::metadata::About;
use crate::component::template::Template;
use crate::context::Shared;
use crate::context::change_hub::ListKind;
use crate::context::states::States;
use crate::middleware::Chain;

/// The components of an app, by kind.
#[derive(Default)]
pub(crate) struct Shelves {
    pub(crate) tools: Shelf<ToolEntry>,
    pub(crate) resources: Shelf<ResourceEntry>,
    pub(crate) templates: Shelf<TemplateEntry>,
    pub(crate) prompts: Shelf<PromptEntry>,
}

/// The entries of one kind, by identity within the app. Until the app is served, the scope holds the only reference to
/// each entry, because full names and states are not known yet. (The values of all lists are pointers, so that the maps
/// of all lists share one compiled implementation.)
pub(super) type Shelf<T> = BTreeMap<Box<str>, Arc<T>>;

/// The settings that the components of an app get from it when it is served.
pub(crate) struct Setting {
    pub(crate) states: Arc<States>,
    /// The namespaces under which the app is mounted, outermost first.
    pub(crate) namespaces: Arc<[Box<str>]>,
    /// The timeout of calls without their own, if the app is mounted.
    pub(crate) default_timeout: Option<Duration>,
    /// The layers of the apps in which this app is mounted, and of this app.
    pub(crate) layers: Chain,
    /// The visibility functions of this app and of the apps in which it is mounted.
    pub(crate) gates: Vec<Watch>,
}

/// A visibility function of an app, for the components of that app and of the apps mounted in it.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) visible: Visible,
    pub(crate) states: Arc<States>,
    /// The number of namespaces that belong to apps around the function's app.
    pub(crate) depth: usize,
}

/// The words by which messages name the entries of a list.
pub(super) struct Words {
    pub(super) kind: ListKind,
    /// The noun for one entry.
    pub(super) noun: &'static str,
    /// The property that two entries must not share: "two tools are named …".
    pub(super) share: &'static str,
    pub(super) advice: &'static str,
}

/// An entry that is being added, as a trait object for all lists: adding takes many steps, and their code should not
/// exist four times.
pub(super) trait Adding {
    fn words(&self) -> &'static Words;
    fn key(&self) -> &str;
    fn handler(&self) -> &Handler;
    /// Returns the identity, which is unique in its list.
    fn identity(&self) -> String;
    /// Returns the problems of the entry, and clears those of its description.
    fn take_problems(&mut self) -> Vec<String>;
    /// Finds the entry with an identity in the same list.
    fn kept<'a>(&self, shelves: &'a Shelves, identity: &str) -> Option<&'a Handler>;
    fn place(&mut self, setting: &Setting);
    fn put(self: Box<Self>, identity: &str, shelves: &mut Shelves);
}

impl<T: Entry> Adding for T {
    fn words(&self) -> &'static Words {
        &T::WORDS
    }

    fn key(&self) -> &str {
        Listed::key(self)
    }

    fn handler(&self) -> &Handler {
        Listed::handler(self)
    }

    fn identity(&self) -> String {
        Entry::identity(self)
    }

    fn take_problems(&mut self) -> Vec<String> {
        let mut problems = std::mem::take(&mut self.parts().2.described.problems);
        problems.extend(self.own_problems());
        problems
    }

    fn kept<'a>(&self, shelves: &'a Shelves, identity: &str) -> Option<&'a Handler> {
        T::shelf(shelves).get(identity).map(|entry| Listed::handler(&**entry))
    }

    fn place(&mut self, setting: &Setting) {
        place(self, setting);
    }

    fn put(self: Box<Self>, identity: &str, shelves: &mut Shelves) {
        T::shelf_mut(shelves).insert(identity.into(), Arc::from(self));
    }
}

/// An entry that a scope stores.
pub(super) trait Entry: Listed + Sized + 'static {
    const WORDS: Words;

    fn shelf(shelves: &Shelves) -> &Shelf<Self>;
    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self>;

    /// Returns the identity, which is unique among entries of the kind.
    fn identity(&self) -> String;

    fn parts(&mut self) -> (&mut About, Option<&mut Text>, &mut Handler);

    /// Updates the entry after its key has changed.
    fn rename(&mut self) {}

    /// Returns the problems of the entry, except those of its description.
    fn own_problems(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Entry for ToolEntry {
    const WORDS: Words = Words {
        kind: ListKind::Tools,
        noun: "tool",
        share: "named",
        advice: "rename one, as with `#[mcp::tool(name = \"…\")]`",
    };

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.tools
    }

    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
        &mut shelves.tools
    }

    fn identity(&self) -> String {
        self.about.name.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut About, Option<&mut Text>, &mut Handler) {
        (&mut self.about, None, &mut self.handler)
    }
}

impl Entry for PromptEntry {
    const WORDS: Words = Words {
        kind: ListKind::Prompts,
        noun: "prompt",
        share: "named",
        advice: "rename one, as with `#[mcp::prompt(name = \"…\")]`",
    };

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.prompts
    }

    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
        &mut shelves.prompts
    }

    fn identity(&self) -> String {
        self.about.name.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut About, Option<&mut Text>, &mut Handler) {
        (&mut self.about, None, &mut self.handler)
    }
}

impl Entry for ResourceEntry {
    const WORDS: Words =
        Words { kind: ListKind::Resources, noun: "resource", share: "at", advice: "give one another URI" };

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.resources
    }

    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
        &mut shelves.resources
    }

    fn identity(&self) -> String {
        self.uri.clone().into_owned()
    }

    fn parts(&mut self) -> (&mut About, Option<&mut Text>, &mut Handler) {
        (&mut self.about, Some(&mut self.uri), &mut self.handler)
    }
}

impl Entry for TemplateEntry {
    const WORDS: Words =
        Words { kind: ListKind::Resources, noun: "resource", share: "at", advice: "give one another URI" };

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.templates
    }

    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
        &mut shelves.templates
    }

    /// Returns the shape of the template, because templates that differ only in the names of variables match the same
    /// URIs.
    fn identity(&self) -> String {
        identity(&self.resource.uri)
    }

    fn parts(&mut self) -> (&mut About, Option<&mut Text>, &mut Handler) {
        self.resource.parts()
    }

    fn rename(&mut self) {
        self.template = Template::parse(&self.resource.uri);
    }

    fn own_problems(&self) -> Vec<String> {
        self.problems()
    }
}

/// Gives an entry its full name and the settings of its app.
pub(super) fn place<T: Entry>(entry: &mut T, setting: &Setting) {
    place_parts(T::WORDS.kind, entry.parts(), setting);
    entry.rename();
}

fn place_parts(
    list: ListKind,
    (about, uri, handler): (&mut About, Option<&mut Text>, &mut Handler),
    setting: &Setting,
) {
    let namespaces = &setting.namespaces;
    let seen_from = |depth: usize, kind: ListKind, key: &Text| -> Text {
        let inner = namespaces.get(depth..).unwrap_or_default().iter().rev();
        inner.fold(key.clone(), |key, name| Text::Owned(qualified(kind, name, &key)))
    };
    // A resource is identified by its URI, so its name does not get the namespace.
    let name_from = |depth| {
        if list == ListKind::Resources { about.name.clone() } else { seen_from(depth, list, &about.name) }
    };
    let gates = setting.gates.iter().map(|watch| Gate {
        visible: Arc::clone(&watch.visible),
        shared: Arc::new(Shared {
            name: name_from(watch.depth),
            states: Arc::clone(&watch.states),
            namespaces: namespaces.get(..watch.depth).unwrap_or_default().into(),
        }),
        uri: uri.as_ref().map(|uri| seen_from(watch.depth, ListKind::Resources, uri)),
    });
    handler.gates = gates.collect();
    let name = name_from(0);
    let states = Arc::clone(&setting.states);
    handler.shared = Arc::new(Shared { name: name.clone(), states, namespaces: Arc::clone(namespaces) });
    handler.default_timeout = setting.default_timeout;
    handler.layers = setting.layers.clone();
    about.name = name;
    if let Some(uri) = uri {
        *uri = seen_from(0, ListKind::Resources, uri);
    }
}
