//! The components of one app, which may change while it is served, and the apps mounted in it.
//!
//! A [`Handle`](crate::Handle) edits a scope. The scopes of mounted apps form a tree below the scope of the served app.
//! Requests are served from a [`Registry`](super::Registry), which is built from the whole tree on the next access
//! after an edit; so an edit costs only as much as its own component, however many others there are.
//!
//! Edits of one tree are serialized by the mutex `tree` of its root, so that each edit is seen as a whole, and two
//! edits cannot add the same name.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::component::Handler;
use super::namespace::{self, local, qualified};
use super::selector::{Rules, Select, Selector, identity};
use super::store::{Adding, Entry, Setting, Shelves, Words, place};
use super::{PromptEntry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::component::definition::Text;
use crate::component::dynamic::MAX_NAME;
use crate::context::change_hub::{Change, Hub, ListKind};
use crate::context::states::States;
use crate::middleware::Chain;

/// The contents of a scope.
#[derive(Default)]
pub(super) struct Contents {
    pub(crate) shelves: Shelves,
    pub(super) rules: Rules,
    pub(super) mounted: Vec<(Box<str>, Arc<Scope>)>,
    /// Set when the app is served.
    pub(super) setting: Option<Arc<Setting>>,
    /// Set when the app was served and no longer is. Then nothing can be added, because nothing would ever drop it.
    pub(super) is_over: bool,
}

/// The components of one app.
#[derive(Default)]
pub(crate) struct Scope {
    /// The scope in which this one is mounted.
    parent: OnceLock<Parent>,
    /// Held during every edit of the tree; only the root's is used.
    tree: Mutex<()>,
    contents: Mutex<Contents>,
    /// Incremented by every edit of the tree that changes a list; only the root's is used.
    version: AtomicU64,
    /// Publishes changes; only the root's is used.
    changes: Arc<Hub>,
    /// Set when a handle was created.
    is_dynamic: AtomicBool,
}

struct Parent {
    scope: Weak<Scope>,
    namespace: Box<str>,
}

/// An entry of any kind, kept only until it is dropped.
type Taken = Box<dyn Any>;

/// The scopes around a scope with the namespaces of their children, innermost first; the last scope is the root.
type Trail = Vec<(Arc<Scope>, Box<str>)>;

impl Scope {
    /// Records that a handle exists, so that anything may change.
    pub(crate) fn make_dynamic(&self) {
        self.is_dynamic.store(true, Ordering::Release);
    }

    /// Returns true if this app, or an app mounted in it, may change.
    pub(crate) fn is_dynamic(&self) -> bool {
        let own = self.is_dynamic.load(Ordering::Acquire);
        own || self.contents().mounted.iter().any(|(_, scope)| scope.is_dynamic())
    }

    /// Returns the version of the tree. Meaningful only for the root.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns the hub on which changes of the tree are published. Meaningful only for the root.
    pub(crate) fn changes(&self) -> &Arc<Hub> {
        &self.changes
    }

    /// Publishes that the contents of a resource of this app have changed.
    pub(crate) fn resource_updated(self: &Arc<Self>, uri: &str) {
        let trail = self.trail();
        let full = trail.iter().fold(uri.to_owned(), |uri, (_, name)| qualified(ListKind::Resources, name, &uri));
        trail.last().map_or(self, |(root, _)| root).changes.publish(Change::Resource(&full));
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parent(&self) -> Option<(Arc<Scope>, Box<str>)> {
        let parent = self.parent.get()?;
        Some((parent.scope.upgrade()?, parent.namespace.clone()))
    }

    fn trail(&self) -> Trail {
        let mut trail = Trail::new();
        let mut next = self.parent();
        while let Some(step) = next {
            next = step.0.parent();
            trail.push(step);
        }
        trail
    }

    /// Runs an edit of this scope's tree while no other edit runs. `work` gets the root and the path to it, and returns
    /// the lists that have changed, which are then published.
    fn edit<R>(self: &Arc<Self>, work: impl FnOnce(&Arc<Scope>, &Trail) -> (R, Vec<ListKind>)) -> R {
        loop {
            let trail = self.trail();
            let root = trail.last().map_or(self, |(root, _)| root);
            let guard = root.tree.lock().unwrap_or_else(PoisonError::into_inner);
            if root.parent().is_some() {
                // The root was mounted in the meantime, so it is no longer the root.
                continue;
            }
            let (result, changed) = work(root, &trail);
            if !changed.is_empty() {
                root.version.fetch_add(1, Ordering::AcqRel);
            }
            drop(guard);
            changed.into_iter().for_each(|kind| root.changes.publish(Change::List(kind)));
            return result;
        }
    }

    /// Runs `work` while the tree, whose root this must be, does not change.
    pub(super) fn still<R>(&self, work: impl FnOnce() -> R) -> R {
        let _guard = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// Adds an entry, or returns the problems that prevent it.
    pub(super) fn add(self: &Arc<Self>, mut entry: Box<dyn Adding>) -> Result<(), Vec<String>> {
        let words = entry.words();
        let problems = entry.take_problems();
        let mut problems: Vec<String> = problems.iter().map(|problem| at(&*entry, problem)).collect();
        let identity = entry.identity();
        let added = self.edit(|root, trail| {
            let full =
                |key: &str| trail.iter().fold(key.to_owned(), |key, (_, name)| qualified(words.kind, name, &key));
            if let Some(other) = root.find(&full(&identity), &*entry) {
                problems.push(duplicate(words, &full(entry.key()), &other, entry.handler()));
            }
            // The names in a mounted app are checked when the outermost app starts; a component that is added later is
            // checked here.
            if !trail.is_empty() {
                problems.extend(too_long(&*entry, &full(entry.key())));
            }
            let mut contents = self.contents();
            if contents.is_over {
                problems.push(at(&*entry, "its app is not served any more: make a new app"));
            }
            if let Some(setting) = &contents.setting {
                let mut missing = Missing::default();
                missing.look(entry.handler(), |id| setting.states.contains_key(id));
                problems.extend(missing.problems(&setting.namespaces));
                entry.place(setting);
            }
            if !problems.is_empty() {
                return (Err((problems, entry)), Vec::new());
            }
            entry.put(&identity, &mut contents.shelves);
            drop(contents);
            let is_listed = self.is_listed(words.kind, &identity, trail);
            (Ok(()), if is_listed { vec![words.kind] } else { Vec::new() })
        });
        // Dropping the entry may run user code that calls back into this scope, so no lock is held here.
        added.map_err(|(problems, _entry)| problems)
    }

    /// Returns true if a component of this app, or of an app mounted in it, is listed: no rule here, inside or around
    /// disables it.
    fn is_listed(&self, kind: ListKind, key: &str, trail: &Trail) -> bool {
        let Some((is_allowed, tags)) = self.look_up(kind, key) else { return false };
        let mut key = key.to_owned();
        is_allowed
            && trail.iter().all(|(scope, name)| {
                key = qualified(kind, name, &key);
                scope.contents().rules.allow(kind, &key, &tags)
            })
    }

    /// Returns whether a component is enabled here and inside, and its tags.
    fn look_up(&self, kind: ListKind, key: &str) -> Option<(bool, Vec<Text>)> {
        fn tags<T: Entry>(entry: &Arc<T>) -> Vec<Text> {
            entry.about().tags.clone()
        }
        let contents = self.contents();
        let own = match kind {
            ListKind::Tools => contents.shelves.tools.get(key).map(tags),
            ListKind::Prompts => contents.shelves.prompts.get(key).map(tags),
            ListKind::Resources => {
                contents.shelves.resources.get(key).map(tags).or_else(|| contents.shelves.templates.get(key).map(tags))
            }
        };
        let inside = || {
            let mut mounted = contents.mounted.iter();
            mounted.find_map(|(name, scope)| scope.look_up(kind, &local(kind, name, key)?))
        };
        let (is_allowed, tags) = own.map(|tags| (true, tags)).or_else(inside)?;
        Some((is_allowed && contents.rules.allow(kind, key, &tags), tags))
    }

    /// Finds the entry with an identity in this app or in an app mounted in it.
    fn find(&self, identity: &str, other: &dyn Adding) -> Option<Found> {
        let contents = self.contents();
        if let Some(handler) = other.kept(&contents.shelves, identity) {
            let place = |handler: &Handler| (handler.location.file, handler.location.line);
            let other = other.handler();
            let is_same = place(handler) == place(other) && !handler.is_dynamic() && !other.is_dynamic();
            return Some(Found { places: handler.places(), is_dynamic: handler.is_dynamic(), is_same });
        }
        let kind = other.words().kind;
        let inside = |(name, scope): &(Box<str>, Arc<Scope>)| scope.find(&local(kind, name, identity)?, other);
        contents.mounted.iter().find_map(inside)
    }

    /// Removes a component of this app, or of an app mounted in it, together with the rules that name it here, inside
    /// and around, because these must not affect a later component of that name. Returns whether the component existed.
    pub(crate) fn remove(self: &Arc<Self>, kind: ListKind, key: &str) -> bool {
        let key = if kind == ListKind::Resources { identity(key) } else { key.to_owned() };
        let taken = self.edit(|_, trail| {
            let was_listed = self.is_listed(kind, &key, trail);
            let taken = self.take(kind, &key);
            if taken.is_some() {
                let mut key = key.clone();
                for (scope, name) in trail {
                    key = qualified(kind, name, &key);
                    scope.contents().rules.forget(kind, &key);
                }
            }
            (taken, if was_listed { vec![kind] } else { Vec::new() })
        });
        // Dropping the component may run user code that calls back into this scope, so no lock is held here.
        taken.is_some()
    }

    fn take(&self, kind: ListKind, key: &str) -> Option<Taken> {
        let mut contents = self.contents();
        let own = match kind {
            ListKind::Tools => contents.shelves.tools.remove(key).map(|tool| Box::new(tool) as Taken),
            ListKind::Prompts => contents.shelves.prompts.remove(key).map(|prompt| Box::new(prompt) as Taken),
            ListKind::Resources => {
                let resource = contents.shelves.resources.remove(key).map(|resource| Box::new(resource) as Taken);
                resource.or_else(|| Some(Box::new(contents.shelves.templates.remove(key)?)))
            }
        };
        let inside = |(name, scope): &(Box<str>, Arc<Scope>)| scope.take(kind, &local(kind, name, key)?);
        let taken = own.or_else(|| contents.mounted.iter().find_map(inside));
        if taken.is_some() {
            contents.rules.forget(kind, key);
        }
        taken
    }

    /// Enables or disables the components that a selector matches, including components that are added later.
    pub(crate) fn set_rule(self: &Arc<Self>, selector: &Selector, is_enabled: bool) {
        self.edit(|_, trail| {
            let mut meant = Vec::new();
            match &selector.0 {
                Select::Key(kind, key) => meant.push((*kind, key.clone())),
                Select::Tag(tag) => self.tagged(tag, &mut meant),
            }
            let listed = || meant.iter().map(|(kind, key)| self.is_listed(*kind, key, trail)).collect::<Vec<_>>();
            let before = listed();
            self.contents().rules.set(selector, is_enabled);
            let mut changed = Vec::new();
            for (((kind, _), before), after) in meant.iter().zip(before).zip(listed()) {
                if before != after && !changed.contains(kind) {
                    changed.push(*kind);
                }
            }
            ((), changed)
        });
    }

    /// Collects the components with a tag, each with its identity in this app.
    fn tagged(&self, tag: &str, found: &mut Vec<(ListKind, String)>) {
        fn look<T: Entry>(shelves: &Shelves, tag: &str, found: &mut Vec<(ListKind, String)>) {
            let has_tag = |entry: &Arc<T>| entry.about().tags.iter().any(|other| other == tag);
            let meant = T::shelf(shelves).iter().filter(|(_, entry)| has_tag(entry));
            found.extend(meant.map(|(key, _)| (T::WORDS.kind, key.as_ref().to_owned())));
        }
        let contents = self.contents();
        look::<ToolEntry>(&contents.shelves, tag, found);
        look::<ResourceEntry>(&contents.shelves, tag, found);
        look::<TemplateEntry>(&contents.shelves, tag, found);
        look::<PromptEntry>(&contents.shelves, tag, found);
        for (name, scope) in &contents.mounted {
            let before = found.len();
            scope.tagged(tag, found);
            found[before..].iter_mut().for_each(|(kind, key)| *key = qualified(*kind, name, key));
        }
    }

    /// Mounts another app in this one, before either is served.
    pub(crate) fn mount(self: &Arc<Self>, name: &str, other: &Arc<Scope>) -> Result<(), String> {
        if let Some(problem) = namespace::problem(name) {
            return Err(problem);
        }
        self.edit(|_, _| {
            let _guard = other.tree.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = other.parent.set(Parent { scope: Arc::downgrade(self), namespace: name.into() });
            self.contents().mounted.push((name.into(), Arc::clone(other)));
            (Ok(()), Vec::new())
        })
    }

    /// Returns the names of the tools of this app and of the apps mounted in it.
    pub(crate) fn tool_names(&self) -> Vec<String> {
        let contents = self.contents();
        let mut names: Vec<String> = contents.shelves.tools.keys().map(|name| name.as_ref().to_owned()).collect();
        for (name, scope) in &contents.mounted {
            names.extend(scope.tool_names().iter().map(|tool| qualified(ListKind::Tools, name, tool)));
        }
        names.sort_unstable();
        names
    }

    /// Returns the numbers of tools, of resources with templates, and of prompts, including mounted apps.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let contents = self.contents();
        let resources = contents.shelves.resources.len() + contents.shelves.templates.len();
        let own = [contents.shelves.tools.len(), resources, contents.shelves.prompts.len()];
        let mounted = contents.mounted.iter().map(|(_, scope)| scope.counts());
        mounted.fold(own, |[a, b, c], [d, e, f]| [a + d, b + e, c + f])
    }

    /// Returns the problems of the components of this app alone, given the types of its states.
    pub(crate) fn problems(&self, namespaces: &[Box<str>], states: &HashSet<TypeId>) -> Vec<String> {
        fn look<T: Entry>(shelves: &Shelves, missing: &mut Missing, states: &HashSet<TypeId>) {
            let handlers = T::shelf(shelves).values().map(|entry| entry.handler());
            handlers.for_each(|handler| missing.look(handler, |id| states.contains(id)));
        }
        let contents = self.contents();
        let mut missing = Missing::default();
        look::<ToolEntry>(&contents.shelves, &mut missing, states);
        look::<ResourceEntry>(&contents.shelves, &mut missing, states);
        look::<TemplateEntry>(&contents.shelves, &mut missing, states);
        look::<PromptEntry>(&contents.shelves, &mut missing, states);
        missing.problems(namespaces)
    }

    /// Returns the conflicts among components, and the names that are too long under their namespace.
    pub(crate) fn clashes(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.clashes_of::<ToolEntry>(&mut problems);
        self.clashes_of::<ResourceEntry>(&mut problems);
        self.clashes_of::<TemplateEntry>(&mut problems);
        self.clashes_of::<PromptEntry>(&mut problems);
        problems
    }

    fn clashes_of<T: Entry>(&self, problems: &mut Vec<String>) {
        let mut places: HashMap<String, Found> = HashMap::new();
        self.visit::<T>(&mut |identity, full, entry| {
            let handler = entry.handler();
            let location = handler.location;
            if T::WORDS.kind != ListKind::Resources && full.len() > MAX_NAME {
                problems.push(format!(
                    "the {} `{full}` ({location}) has a name of {} characters under its namespace, and may have {MAX_NAME}: shorten one of the two",
                    T::WORDS.noun,
                    full.len()
                ));
            }
            let found = Found { places: handler.places(), is_dynamic: handler.is_dynamic(), is_same: false };
            if let Some(other) = places.insert(identity.to_owned(), found) {
                problems.push(duplicate(&T::WORDS, full, &other, handler));
            }
        });
    }

    /// Visits every entry with its identity and its key in this app, before any of them is served.
    fn visit<T: Entry>(&self, look: &mut dyn FnMut(&str, &str, &T)) {
        let contents = self.contents();
        for (identity, entry) in T::shelf(&contents.shelves) {
            look(identity, entry.key(), entry);
        }
        for (name, scope) in &contents.mounted {
            scope.visit::<T>(&mut |identity, key, entry| {
                look(&qualified(T::WORDS.kind, name, identity), &qualified(T::WORDS.kind, name, key), entry);
            });
        }
    }

    /// Gives the app's components its settings, and starts to serve them.
    pub(crate) fn serve(&self, setting: Setting) {
        fn serve<T: Entry>(shelves: &mut Shelves, setting: &Setting) {
            T::shelf_mut(shelves).values_mut().filter_map(Arc::get_mut).for_each(|entry| place(entry, setting));
        }
        let setting = Arc::new(setting);
        let mut contents = self.contents();
        serve::<ToolEntry>(&mut contents.shelves, &setting);
        serve::<ResourceEntry>(&mut contents.shelves, &setting);
        serve::<TemplateEntry>(&mut contents.shelves, &setting);
        serve::<PromptEntry>(&mut contents.shelves, &setting);
        contents.setting = Some(setting);
    }

    /// Drops all components, because the app is no longer served.
    pub(super) fn clear(&self) {
        // Dropping the contents may run user code that calls back into this scope, so the lock is released before.
        let over = Contents { is_over: true, ..Contents::default() };
        let contents = std::mem::replace(&mut *self.contents(), over);
        self.version.fetch_add(1, Ordering::AcqRel);
        contents.mounted.iter().for_each(|(_, scope)| scope.clear());
    }

    /// Returns the layers and the states of this app, once it is served.
    pub(super) fn own(&self) -> (Chain, Arc<States>) {
        let setting = self.contents().setting.clone();
        setting.map(|setting| (setting.layers.clone(), Arc::clone(&setting.states))).unwrap_or_default()
    }

    /// Returns the enabled entries of this app and of the apps mounted in it.
    pub(super) fn served<T: Entry>(&self) -> Vec<Arc<T>> {
        let mut served = Vec::new();
        self.collect(&|_: &str, _: &[Text]| true, &mut served);
        served
    }

    fn collect<T: Entry>(&self, is_allowed: &dyn Fn(&str, &[Text]) -> bool, served: &mut Vec<Arc<T>>) {
        let contents = self.contents();
        let rules = &contents.rules;
        let allows = |key: &str, tags: &[Text]| rules.allow(T::WORDS.kind, key, tags) && is_allowed(key, tags);
        // Until the app is served, the scope must hold the only reference to its entries.
        if contents.setting.is_some() {
            let allowed = T::shelf(&contents.shelves).iter().filter(|(key, entry)| allows(key, &entry.about().tags));
            served.extend(allowed.map(|(_, entry)| Arc::clone(entry)));
        }
        for (name, scope) in &contents.mounted {
            scope.collect(&|key, tags| allows(&qualified(T::WORDS.kind, name, key), tags), served);
        }
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scope").field("version", &self.version()).finish_non_exhaustive()
    }
}

fn at(entry: &dyn Adding, problem: &str) -> String {
    let handler = entry.handler();
    format!("{} `{}` ({}): {problem}", entry.words().noun, handler.name(), handler.location)
}

fn too_long(entry: &dyn Adding, full: &str) -> Option<String> {
    let length = full.len();
    let problem = format!("its name has {length} characters under its namespace, and may have {MAX_NAME}: shorten it");
    (entry.words().kind != ListKind::Resources && length > MAX_NAME).then(|| at(entry, &problem))
}

/// An existing entry whose identity a new entry shares.
struct Found {
    places: String,
    is_dynamic: bool,
    /// True if both come from the same definition.
    is_same: bool,
}

fn duplicate(words: &Words, key: &str, one: &Found, other: &Handler) -> String {
    let Words { noun, share, advice, .. } = words;
    let Found { places, is_dynamic, is_same } = one;
    if *is_same {
        return format!(
            "the {noun} `{key}` ({places}) is registered twice: `App::new` has it already, so either drop the second registration or begin with `App::empty`"
        );
    }
    let advice = match *is_dynamic && other.is_dynamic() {
        true => format!("give one of them another, or remove the first with `Handle::remove_{noun}`"),
        false => (*advice).to_owned(),
    };
    format!("two {noun}s are {share} `{key}`: at {places} and at {}; {advice}", other.places())
}

/// The missing states, each once, with the names of the components that need it.
#[derive(Default)]
struct Missing(Vec<(&'static str, TypeId, Vec<String>)>);

impl Missing {
    fn look(&mut self, handler: &Handler, has: impl Fn(&TypeId) -> bool) {
        for (id, name) in &handler.described.requirements.states {
            if !has(id) {
                let component = format!("`{}`", handler.name());
                match self.0.iter_mut().find(|(_, missing, _)| missing == id) {
                    Some((_, _, wanted_by)) => wanted_by.push(component),
                    None => self.0.push((name, *id, vec![component])),
                }
            }
        }
    }

    fn problems(self, namespaces: &[Box<str>]) -> Vec<String> {
        let app = match namespaces {
            [] => "the app".to_owned(),
            names => format!("the app that is mounted as `{}`", names.join("_")),
        };
        let told = self.0.into_iter().map(|(name, _, wanted_by)| {
            let verb = if wanted_by.len() == 1 { "wants" } else { "want" };
            format!(
                "{app} has no state of type `{name}`, which {} {verb}: add `.state(…)` with such a value",
                wanted_by.join(", ")
            )
        });
        told.collect()
    }
}
