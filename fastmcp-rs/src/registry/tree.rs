//! The components of one app, which may change while it is served, and the apps mounted in it.
//!
//! An [`AppHandle`](crate::AppHandle) edits a scope. The scopes of mounted apps form a tree below the scope of the
//! served app. Requests are served from a [`Registry`](super::Registry), which is built from the whole tree on the next
//! access after an edit; so an edit costs only as much as its own component, however many others there are.
//!
//! Edits of one tree are serialized by the mutex `tree` of its root, so that each edit is seen as a whole, and two
//! edits cannot add the same name.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::component::ComponentHandler;
use super::namespace::{qualify, strip_namespace};
use super::selector::{EnableRules, Selector, SelectorTarget, identity};
use super::store::{AppSettings, ComponentMaps, NewEntry, RemovedEntry, TreeEntry, apply_settings};
use super::{PromptEntry, Registration, ResourceEntry, TemplateEntry, ToolEntry};
use crate::checks::conflicts::{Claim, conflict, duplicate, not_replaceable};
use crate::checks::names::{check_full_name, check_namespace};
use crate::checks::problem::{Location, Problem};
use crate::checks::states::{MissingStates, retired_app};
use crate::component::definition::DefinitionText;
use crate::context::change_hub::{Change, ChangeHub, ListKind};
use crate::context::states::States;
use crate::middleware::LayerChain;
use crate::protocol::LoggingLevel;
use crate::util::sync::{Mutex, MutexGuard};

/// The contents of a scope.
#[derive(Default)]
pub(super) struct TreeContents {
    pub(crate) components: ComponentMaps,
    pub(super) rules: EnableRules,
    pub(super) mounted: Vec<(Box<str>, Arc<ComponentTree>)>,
    /// Set when the app is served.
    pub(super) settings: Option<Arc<AppSettings>>,
    /// Set when the app was served and no longer is. Then nothing can be added, because nothing would ever drop it.
    pub(super) is_retired: bool,
}

/// The components of one app.
#[derive(Default)]
pub(crate) struct ComponentTree {
    /// The scope in which this one is mounted.
    parent: OnceLock<ParentLink>,
    /// Held during every edit of the tree; only the root's is used.
    edit_lock: Mutex<()>,
    contents: Mutex<TreeContents>,
    /// Incremented by every edit of the tree that changes a list; only the root's is used.
    version: AtomicU64,
    /// Publishes changes; only the root's is used.
    changes: Arc<ChangeHub>,
    /// Set when a handle was created.
    is_dynamic: AtomicBool,
}

struct ParentLink {
    tree: Weak<ComponentTree>,
    namespace: Box<str>,
}

/// The treatment of a component of the app that has the name or URI of one that is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Conflicts,
    Replaced,
}

/// The state of an edit that adds components.
#[derive(Default)]
struct Additions {
    added: Vec<(ListKind, String)>,
    problems: Vec<Problem>,
    /// The states that the app lacks for the components.
    missing: MissingStates,
    /// The lists that have changed, each once.
    changed: Vec<ListKind>,
    has_replaced: bool,
    /// Entries that are no longer used, to be dropped after the edit.
    dropped: Vec<RemovedEntry>,
}

/// The scopes around a scope with the namespaces of their children, innermost first; the last scope is the root.
type AncestorPath = Vec<(Arc<ComponentTree>, Box<str>)>;

impl ComponentTree {
    /// Records that a handle exists, so that anything may change.
    pub(crate) fn make_dynamic(&self) {
        self.is_dynamic.store(true, Ordering::Release);
    }

    /// Returns true if a handle of this app exists.
    pub(crate) fn has_handle(&self) -> bool {
        self.is_dynamic.load(Ordering::Acquire)
    }

    /// Returns true if this app, or an app mounted in it, may change.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.has_handle() || self.contents().mounted.iter().any(|(_, tree)| tree.is_dynamic())
    }

    /// Returns the version of the tree. Meaningful only for the root.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns the hub on which changes of the tree are published. Meaningful only for the root.
    pub(crate) fn changes(&self) -> &Arc<ChangeHub> {
        &self.changes
    }

    /// Publishes that the contents of a resource of this app have changed.
    pub(crate) fn publish_resource_update(self: &Arc<Self>, uri: &str) {
        let ancestors = self.ancestors();
        let full = ancestors.iter().fold(uri.to_owned(), |uri, (_, name)| qualify(ListKind::Resources, name, &uri));
        ancestors.last().map_or(self, |(root, _)| root).changes.publish(Change::Resource(&full));
    }

    /// Publishes a log message that belongs to no call; `frame` creates it if a client may get it.
    pub(crate) fn publish_log(self: &Arc<Self>, level: LoggingLevel, frame: impl FnOnce() -> Option<Vec<u8>>) {
        let ancestors = self.ancestors();
        let changes = &ancestors.last().map_or(self, |(root, _)| root).changes;
        if let Some(frame) = changes.has_list_interest().then(frame).flatten() {
            changes.publish(Change::Log { level, frame: &frame });
        }
    }

    fn contents(&self) -> MutexGuard<'_, TreeContents> {
        self.contents.lock()
    }

    fn parent(&self) -> Option<(Arc<ComponentTree>, Box<str>)> {
        let parent = self.parent.get()?;
        Some((parent.tree.upgrade()?, parent.namespace.clone()))
    }

    fn ancestors(&self) -> AncestorPath {
        let mut ancestors = AncestorPath::new();
        let mut next = self.parent();
        while let Some(step) = next {
            next = step.0.parent();
            ancestors.push(step);
        }
        ancestors
    }

    /// Runs an edit of this scope's tree while no other edit runs. `work` gets the root and the path to it, and returns
    /// the lists that have changed, which are then published.
    fn edit_tree<R>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<ComponentTree>, &AncestorPath) -> (R, Vec<ListKind>),
    ) -> R {
        loop {
            let ancestors = self.ancestors();
            let root = ancestors.last().map_or(self, |(root, _)| root);
            let guard = root.edit_lock.lock();
            if root.parent().is_some() {
                // The root was mounted in the meantime, so it is no longer the root.
                continue;
            }
            let (result, changed) = work(root, &ancestors);
            if !changed.is_empty() {
                root.version.fetch_add(1, Ordering::AcqRel);
            }
            drop(guard);
            changed.into_iter().for_each(|kind| root.changes.publish(Change::List(kind)));
            return result;
        }
    }

    /// Runs `work` while the tree, whose root this must be, does not change.
    pub(super) fn read_locked<R>(&self, work: impl FnOnce() -> R) -> R {
        let _guard = self.edit_lock.lock();
        work()
    }

    /// Describes a component and adds it, unless there are problems. Returns true if an entry was replaced.
    pub(crate) fn add_component(
        self: &Arc<Self>,
        component: Registration,
        existing: Existing,
    ) -> Result<bool, Vec<Problem>> {
        // Nothing was added before the problem, so there is nothing to undo.
        self.add_entries(vec![component], existing, |_, _| {})
    }

    /// Describes components and adds all of them in one edit, or none if there are problems.
    pub(crate) fn add_all(self: &Arc<Self>, components: Vec<Registration>) -> Result<(), Vec<Problem>> {
        let undo = |tree: &ComponentTree, additions: &mut Additions| {
            let mut contents = tree.contents();
            let added = std::mem::take(&mut additions.added);
            additions.dropped.extend(added.iter().filter_map(|(list, key)| contents.components.take(*list, key)));
        };
        self.add_entries(components, Existing::Conflicts, undo).map(|_| ())
    }

    // In the user's `main`, which is optimised for speed, it would be three times as large.
    #[inline(never)]
    fn add_entries(
        self: &Arc<Self>,
        components: Vec<Registration>,
        existing: Existing,
        undo: fn(&ComponentTree, &mut Additions),
    ) -> Result<bool, Vec<Problem>> {
        let mut additions = Additions::default();
        let mut entries: Vec<Box<dyn NewEntry>> = components.into_iter().map(|component| (component.0)()).collect();
        entries.iter_mut().for_each(|entry| additions.problems.extend(entry.take_problems()));
        let additions = self.edit_tree(|root, ancestors| {
            for entry in entries {
                self.add_entry(entry, existing, (root, ancestors), &mut additions);
            }
            if let Some(settings) = &self.contents().settings {
                let missing = std::mem::take(&mut additions.missing);
                additions.problems.extend(missing.into_problems(&settings.namespaces));
            }
            if !additions.problems.is_empty() {
                undo(self, &mut additions);
                additions.changed.clear();
            }
            let changed = std::mem::take(&mut additions.changed);
            (additions, changed)
        });
        // Dropping entries may run user code that calls back into this scope, so no lock is held here.
        let Additions { problems, has_replaced, .. } = additions;
        if problems.is_empty() { Ok(has_replaced) } else { Err(problems) }
    }

    /// Adds one entry during an edit, or records the problems that prevent it.
    #[inline(never)]
    fn add_entry(
        self: &Arc<Self>,
        mut entry: Box<dyn NewEntry>,
        existing: Existing,
        (root, ancestors): (&Arc<ComponentTree>, &AncestorPath),
        additions: &mut Additions,
    ) {
        let (list, wording) = (entry.list(), entry.wording());
        let identity = identity(list, entry.handler().key());
        let full = |key: &str| ancestors.iter().fold(key.to_owned(), |key, (_, name)| qualify(list, name, &key));
        let mut problems = Vec::new();
        let handler = entry.handler();
        let full_key = full(handler.key());
        let is_replaced = existing == Existing::Replaced && self.contents().components.find(list, &identity).is_some();
        if let Some(other) = root.find_existing(&full(&identity), &*entry).filter(|_| !is_replaced) {
            problems.push(match existing {
                Existing::Conflicts => duplicate(wording, &full_key, other, handler.claim()),
                Existing::Replaced => not_replaceable(wording, &full_key, other, handler.claim()),
            });
        }
        // The names in a mounted app are checked when the outermost app starts; a component that is added later is
        // checked here.
        if !ancestors.is_empty() && list != ListKind::Resources {
            problems.extend(check_full_name(&full_key, wording.noun, handler.location));
        }
        let was_listed = is_replaced && self.is_listed(list, &identity, ancestors);
        let mut contents = self.contents();
        if contents.is_retired {
            problems.push(retired_app(wording.noun, handler.name(), handler.location));
        }
        if let Some(settings) = &contents.settings {
            check_states(&mut additions.missing, handler, |id| settings.states.contains_key(id));
            entry.apply_settings(settings);
        }
        additions.problems.extend(problems);
        // After a problem nothing is added, so an entry that was to be replaced stays.
        if !additions.problems.is_empty() || !additions.missing.is_empty() {
            additions.dropped.push(Box::new(entry));
            return;
        }
        let replaced = entry.insert_into(&identity, &mut contents.components);
        drop(contents);
        additions.has_replaced |= replaced.is_some();
        additions.dropped.extend(replaced);
        if was_listed || self.is_listed(list, &identity, ancestors) {
            push_once(&mut additions.changed, list);
        }
        additions.added.push((list, identity));
    }

    /// Returns true if a component of this app, or of an app mounted in it, is listed: no rule here, inside or around
    /// disables it.
    fn is_listed(&self, kind: ListKind, key: &str, ancestors: &AncestorPath) -> bool {
        let Some((is_allowed, tags)) = self.find_enabled_tags(kind, key) else { return false };
        let mut key = key.to_owned();
        is_allowed
            && ancestors.iter().all(|(tree, name)| {
                key = qualify(kind, name, &key);
                tree.contents().rules.is_enabled(kind, &key, &tags)
            })
    }

    /// Returns whether a component is enabled here and inside, and its tags.
    fn find_enabled_tags(&self, kind: ListKind, key: &str) -> Option<(bool, Vec<DefinitionText>)> {
        let contents = self.contents();
        let own = contents.components.find(kind, key).map(|handler| handler.metadata.tags.clone());
        let inside = || {
            let mut mounted = contents.mounted.iter();
            mounted.find_map(|(name, tree)| tree.find_enabled_tags(kind, &strip_namespace(kind, name, key)?))
        };
        let (is_allowed, tags) = own.map(|tags| (true, tags)).or_else(inside)?;
        Some((is_allowed && contents.rules.is_enabled(kind, key, &tags), tags))
    }

    /// Finds the entry with an identity in this app or in an app mounted in it.
    fn find_existing(&self, identity: &str, other: &dyn NewEntry) -> Option<Claim> {
        let contents = self.contents();
        if let Some(handler) = other.find_existing(&contents.components, identity) {
            return Some(handler.claim());
        }
        let kind = other.list();
        let inside = |(name, tree): &(Box<str>, Arc<ComponentTree>)| {
            tree.find_existing(&strip_namespace(kind, name, identity)?, other)
        };
        contents.mounted.iter().find_map(inside)
    }

    /// Removes a component of this app, or of an app mounted in it, together with the rules that name it here, inside
    /// and around, because these must not affect a later component of that name. Returns whether the component existed.
    pub(crate) fn remove(self: &Arc<Self>, kind: ListKind, key: &str) -> bool {
        let key = identity(kind, key);
        let taken = self.edit_tree(|_, ancestors| {
            let mut changed = Vec::new();
            (self.take_listed(kind, &key, ancestors, &mut changed), changed)
        });
        // Dropping the component may run user code that calls back into this scope, so no lock is held here.
        taken.is_some()
    }

    /// Removes those components of this app that the macros defined at these places, in one edit. Returns whether any
    /// existed.
    pub(crate) fn remove_defined(self: &Arc<Self>, definitions: &[(ListKind, &str, Location)]) -> bool {
        let taken = self.edit_tree(|_, ancestors| {
            let (mut taken, mut changed) = (Vec::new(), Vec::new());
            for (kind, key, location) in definitions {
                let key = identity(*kind, key);
                let is_defined_there =
                    |handler: &ComponentHandler| !handler.is_dynamic() && handler.location.is_same_line(*location);
                if self.contents().components.find(*kind, &key).is_some_and(is_defined_there) {
                    taken.extend(self.take_listed(*kind, &key, ancestors, &mut changed));
                }
            }
            (taken, changed)
        });
        !taken.is_empty()
    }

    /// Takes a component out during an edit, with its rules here and around, and records its list if it was listed.
    fn take_listed(
        &self,
        kind: ListKind,
        key: &str,
        ancestors: &AncestorPath,
        changed: &mut Vec<ListKind>,
    ) -> Option<RemovedEntry> {
        let was_listed = self.is_listed(kind, key, ancestors);
        let taken = self.take_entry(kind, key)?;
        let mut key = key.to_owned();
        for (tree, name) in ancestors {
            key = qualify(kind, name, &key);
            tree.contents().rules.remove_key(kind, &key);
        }
        if was_listed {
            push_once(changed, kind);
        }
        Some(taken)
    }

    fn take_entry(&self, kind: ListKind, key: &str) -> Option<RemovedEntry> {
        let mut contents = self.contents();
        let own = contents.components.take(kind, key);
        let inside =
            |(name, tree): &(Box<str>, Arc<ComponentTree>)| tree.take_entry(kind, &strip_namespace(kind, name, key)?);
        let taken = own.or_else(|| contents.mounted.iter().find_map(inside));
        if taken.is_some() {
            contents.rules.remove_key(kind, key);
        }
        taken
    }

    /// Enables or disables the components that a selector matches, including components that are added later.
    pub(crate) fn set_rule(self: &Arc<Self>, selector: &Selector, is_enabled: bool) {
        self.edit_tree(|_, ancestors| {
            let mut meant = Vec::new();
            match &selector.0 {
                SelectorTarget::Key(kind, key) => meant.push((*kind, key.clone())),
                SelectorTarget::Tag(tag) => self.collect_tagged(tag, &mut meant),
            }
            let listed = || meant.iter().map(|(kind, key)| self.is_listed(*kind, key, ancestors)).collect::<Vec<_>>();
            let before = listed();
            self.contents().rules.set(selector, is_enabled);
            let mut changed = Vec::new();
            for (((kind, _), before), after) in meant.iter().zip(before).zip(listed()) {
                if before != after {
                    push_once(&mut changed, *kind);
                }
            }
            ((), changed)
        });
    }

    /// Collects the components with a tag, each with its identity in this app.
    fn collect_tagged(&self, tag: &str, found: &mut Vec<(ListKind, String)>) {
        fn check<T: TreeEntry>(components: &ComponentMaps, tag: &str, found: &mut Vec<(ListKind, String)>) {
            let has_tag = |entry: &Arc<T>| entry.handler().metadata.tags.iter().any(|other| other == tag);
            let meant = T::entries(components).iter().filter(|(_, entry)| has_tag(entry));
            found.extend(meant.map(|(key, _)| (T::LIST, key.as_ref().to_owned())));
        }
        let contents = self.contents();
        check::<ToolEntry>(&contents.components, tag, found);
        check::<ResourceEntry>(&contents.components, tag, found);
        check::<TemplateEntry>(&contents.components, tag, found);
        check::<PromptEntry>(&contents.components, tag, found);
        for (name, tree) in &contents.mounted {
            let before = found.len();
            tree.collect_tagged(tag, found);
            found[before..].iter_mut().for_each(|(kind, key)| *key = qualify(*kind, name, key));
        }
    }

    /// Mounts another app in this one, before either is served.
    pub(crate) fn mount(self: &Arc<Self>, name: &str, other: &Arc<ComponentTree>) -> Result<(), Problem> {
        if let Some(problem) = check_namespace(name) {
            return Err(problem);
        }
        self.edit_tree(|_, _| {
            let _guard = other.edit_lock.lock();
            let _ = other.parent.set(ParentLink { tree: Arc::downgrade(self), namespace: name.into() });
            self.contents().mounted.push((name.into(), Arc::clone(other)));
            (Ok(()), Vec::new())
        })
    }

    /// Returns the names of the tools of this app and of the apps mounted in it.
    pub(crate) fn tool_names(&self) -> Vec<String> {
        let contents = self.contents();
        let mut names: Vec<String> = contents.components.tools.keys().map(|name| name.as_ref().to_owned()).collect();
        for (name, tree) in &contents.mounted {
            names.extend(tree.tool_names().iter().map(|tool| qualify(ListKind::Tools, name, tool)));
        }
        names.sort_unstable();
        names
    }

    /// Returns the numbers of tools, of resources with templates, and of prompts, including mounted apps.
    pub(crate) fn component_counts(&self) -> [usize; 3] {
        let contents = self.contents();
        let resources = contents.components.resources.len() + contents.components.templates.len();
        let own = [contents.components.tools.len(), resources, contents.components.prompts.len()];
        let mounted = contents.mounted.iter().map(|(_, tree)| tree.component_counts());
        mounted.fold(own, |[a, b, c], [d, e, f]| [a + d, b + e, c + f])
    }

    /// Returns the problems of the components of this app alone, given the types of its states.
    pub(crate) fn problems(&self, namespaces: &[Box<str>], states: &HashSet<TypeId>) -> Vec<Problem> {
        fn check<T: TreeEntry>(components: &ComponentMaps, missing: &mut MissingStates, states: &HashSet<TypeId>) {
            let handlers = T::entries(components).values().map(|entry| entry.handler());
            handlers.for_each(|handler| check_states(missing, handler, |id| states.contains(id)));
        }
        let contents = self.contents();
        let mut missing = MissingStates::default();
        check::<ToolEntry>(&contents.components, &mut missing, states);
        check::<ResourceEntry>(&contents.components, &mut missing, states);
        check::<TemplateEntry>(&contents.components, &mut missing, states);
        check::<PromptEntry>(&contents.components, &mut missing, states);
        missing.into_problems(namespaces)
    }

    /// Returns true if a component of this app alone requires a state.
    pub(crate) fn requires_state(&self, id: TypeId) -> bool {
        fn check<T: TreeEntry>(components: &ComponentMaps, id: TypeId) -> bool {
            let mut entries = T::entries(components).values();
            entries.any(|entry| entry.handler().described.requirements.states.contains_key(&id))
        }
        let components = &self.contents().components;
        check::<ToolEntry>(components, id)
            || check::<ResourceEntry>(components, id)
            || check::<TemplateEntry>(components, id)
            || check::<PromptEntry>(components, id)
    }

    /// Returns true if a selector matches a component of this app, or of an app mounted in it.
    pub(crate) fn has_match(&self, selector: &Selector) -> bool {
        match &selector.0 {
            SelectorTarget::Key(kind, key) => self.find_enabled_tags(*kind, key).is_some(),
            SelectorTarget::Tag(tag) => {
                let mut tagged = Vec::new();
                self.collect_tagged(tag, &mut tagged);
                !tagged.is_empty()
            }
        }
    }

    /// Returns the conflicts among components, and the names that are too long under their namespace.
    pub(crate) fn find_conflicts(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.find_conflicts_of::<ToolEntry>(&mut problems);
        self.find_conflicts_of::<ResourceEntry>(&mut problems);
        self.find_conflicts_of::<TemplateEntry>(&mut problems);
        self.find_conflicts_of::<PromptEntry>(&mut problems);
        problems
    }

    fn find_conflicts_of<T: TreeEntry>(&self, problems: &mut Vec<Problem>) {
        let mut claims: HashMap<String, Claim> = HashMap::new();
        self.visit_entries::<T>(&mut |identity, full, entry| {
            let handler = entry.handler();
            if T::LIST != ListKind::Resources {
                problems.extend(check_full_name(full, T::WORDING.noun, handler.location));
            }
            if let Some(other) = claims.insert(identity.to_owned(), handler.claim()) {
                problems.push(conflict(&T::WORDING, full, other, handler.claim()));
            }
        });
    }

    /// Visits every entry with its identity and its key in this app, before any of them is served.
    fn visit_entries<T: TreeEntry>(&self, visitor: &mut dyn FnMut(&str, &str, &T)) {
        let contents = self.contents();
        for (identity, entry) in T::entries(&contents.components) {
            visitor(identity, entry.key(), entry);
        }
        for (name, tree) in &contents.mounted {
            tree.visit_entries::<T>(&mut |identity, key, entry| {
                visitor(&qualify(T::LIST, name, identity), &qualify(T::LIST, name, key), entry);
            });
        }
    }

    /// Gives the app's components its settings, and starts to serve them.
    pub(crate) fn activate(&self, settings: AppSettings) {
        fn activate<T: TreeEntry>(components: &mut ComponentMaps, settings: &AppSettings) {
            T::entries_mut(components)
                .values_mut()
                .filter_map(Arc::get_mut)
                .for_each(|entry| apply_settings(entry, settings));
        }
        let settings = Arc::new(settings);
        let mut contents = self.contents();
        activate::<ToolEntry>(&mut contents.components, &settings);
        activate::<ResourceEntry>(&mut contents.components, &settings);
        activate::<TemplateEntry>(&mut contents.components, &settings);
        activate::<PromptEntry>(&mut contents.components, &settings);
        contents.settings = Some(settings);
    }

    /// Drops all components, because the app is no longer served.
    pub(super) fn clear(&self) {
        // Dropping the contents may run user code that calls back into this scope, so the lock is released before.
        let over = TreeContents { is_retired: true, ..TreeContents::default() };
        let contents = std::mem::replace(&mut *self.contents(), over);
        self.version.fetch_add(1, Ordering::AcqRel);
        contents.mounted.iter().for_each(|(_, tree)| tree.clear());
    }

    /// Returns the layers and the states of this app, once it is served.
    pub(super) fn layers_and_states(&self) -> (LayerChain, Arc<States>) {
        let settings = self.contents().settings.clone();
        settings.map(|settings| (settings.layers.all.clone(), Arc::clone(&settings.states))).unwrap_or_default()
    }

    /// Returns the enabled entries of this app and of the apps mounted in it.
    pub(super) fn enabled_entries<T: TreeEntry>(&self) -> Vec<Arc<T>> {
        let mut served = Vec::new();
        self.collect_enabled(&|_: &str, _: &[DefinitionText]| true, &mut served);
        served
    }

    fn collect_enabled<T: TreeEntry>(
        &self,
        is_allowed: &dyn Fn(&str, &[DefinitionText]) -> bool,
        served: &mut Vec<Arc<T>>,
    ) {
        let contents = self.contents();
        let rules = &contents.rules;
        let allows = |key: &str, tags: &[DefinitionText]| rules.is_enabled(T::LIST, key, tags) && is_allowed(key, tags);
        // Until the app is served, the scope must hold the only reference to its entries.
        if contents.settings.is_some() {
            let allowed = T::entries(&contents.components)
                .iter()
                .filter(|(key, entry)| allows(key, &entry.handler().metadata.tags));
            served.extend(allowed.map(|(_, entry)| Arc::clone(entry)));
        }
        for (name, tree) in &contents.mounted {
            tree.collect_enabled(&|key, tags| allows(&qualify(T::LIST, name, key), tags), served);
        }
    }
}

impl std::fmt::Debug for ComponentTree {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ComponentTree").field("version", &self.version()).finish_non_exhaustive()
    }
}

fn push_once(kinds: &mut Vec<ListKind>, kind: ListKind) {
    if !kinds.contains(&kind) {
        kinds.push(kind);
    }
}

/// Adds the states that a component requires and that its app does not have.
fn check_states(missing: &mut MissingStates, handler: &ComponentHandler, has: impl Fn(&TypeId) -> bool) {
    missing.check_component(handler.name(), &handler.described.requirements.states, has);
}
