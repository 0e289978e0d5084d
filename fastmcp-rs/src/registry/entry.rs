//! The entries of a scope, and their preparation when the app is served.
//!
//! The four lists differ in a few words and in the identity of an entry; everything else is written once, for all of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::handler::Handler;
use super::namespace::qualified;
use super::pages::Listed;
use super::scope::Scope;
use super::selector::{Rules, identity};
use super::visible::{Gate, Visible};
use super::{PromptEntry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::changes::ListKind;
use crate::component::about::About;
use crate::component::template::Template;
use crate::component::tool::Text;
use crate::context::Shared;
use crate::layers::Chain;
use crate::states::States;

/// The contents of a scope.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) tools: Shelf<ToolEntry>,
    pub(super) resources: Shelf<ResourceEntry>,
    pub(super) templates: Shelf<TemplateEntry>,
    pub(super) prompts: Shelf<PromptEntry>,
    pub(super) rules: Rules,
    pub(super) mounted: Vec<(Box<str>, Arc<Scope>)>,
    /// Set when the app is served.
    pub(super) setting: Option<Arc<Setting>>,
    /// Set when the app was served and no longer is. Then nothing can be added, because nothing would ever drop it.
    pub(super) is_over: bool,
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
    fn kept<'a>(&self, contents: &'a Contents, identity: &str) -> Option<&'a Handler>;
    fn place(&mut self, setting: &Setting);
    fn put(self: Box<Self>, identity: &str, contents: &mut Contents);
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

    fn kept<'a>(&self, contents: &'a Contents, identity: &str) -> Option<&'a Handler> {
        T::shelf(contents).get(identity).map(|entry| Listed::handler(&**entry))
    }

    fn place(&mut self, setting: &Setting) {
        place(self, setting);
    }

    fn put(self: Box<Self>, identity: &str, contents: &mut Contents) {
        T::shelf_mut(contents).insert(identity.into(), Arc::from(self));
    }
}

/// An entry that a scope stores.
pub(super) trait Entry: Listed + Sized + 'static {
    const WORDS: Words;

    fn shelf(contents: &Contents) -> &Shelf<Self>;
    fn shelf_mut(contents: &mut Contents) -> &mut Shelf<Self>;

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

    fn shelf(contents: &Contents) -> &Shelf<Self> {
        &contents.tools
    }

    fn shelf_mut(contents: &mut Contents) -> &mut Shelf<Self> {
        &mut contents.tools
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

    fn shelf(contents: &Contents) -> &Shelf<Self> {
        &contents.prompts
    }

    fn shelf_mut(contents: &mut Contents) -> &mut Shelf<Self> {
        &mut contents.prompts
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

    fn shelf(contents: &Contents) -> &Shelf<Self> {
        &contents.resources
    }

    fn shelf_mut(contents: &mut Contents) -> &mut Shelf<Self> {
        &mut contents.resources
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

    fn shelf(contents: &Contents) -> &Shelf<Self> {
        &contents.templates
    }

    fn shelf_mut(contents: &mut Contents) -> &mut Shelf<Self> {
        &mut contents.templates
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
