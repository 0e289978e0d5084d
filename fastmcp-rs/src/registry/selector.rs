//! Rules that enable and disable components.

use std::collections::HashMap;
use std::fmt;

use crate::component::definition::DefinitionText;
use crate::component::template::Template;
use crate::context::change_hub::ListKind;

/// Selects components for [`AppHandle::enable`](crate::AppHandle::enable),
/// [`AppHandle::disable`](crate::AppHandle::disable) and [`App::layer_for`](crate::App::layer_for).
///
/// # Example
///
/// ```
/// use fastmcp_rs::visibility::Selector;
///
/// let dangerous = Selector::tag("dangerous");
/// let one_of_them = Selector::tool("drop_table");
/// assert_ne!(dangerous, one_of_them);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Selector(pub(super) SelectorTarget);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SelectorTarget {
    /// The name of a tool or prompt, or the URI or template of a resource.
    Key(ListKind, String),
    Tag(String),
}

impl Selector {
    /// Selects the tool with a name.
    pub fn tool(name: impl Into<String>) -> Selector {
        Selector(SelectorTarget::Key(ListKind::Tools, name.into()))
    }

    /// Selects the resource with a URI, or a resource template. The names of a template's variables do not matter.
    pub fn resource(uri: impl Into<String>) -> Selector {
        Selector(SelectorTarget::Key(ListKind::Resources, identity(ListKind::Resources, &uri.into())))
    }

    /// Selects the prompt with a name.
    pub fn prompt(name: impl Into<String>) -> Selector {
        Selector(SelectorTarget::Key(ListKind::Prompts, name.into()))
    }

    /// Selects every tool, resource and prompt with a tag.
    pub fn tag(tag: impl Into<String>) -> Selector {
        Selector(SelectorTarget::Tag(tag.into()))
    }

    /// Returns true if a component is selected, given its key and its tags.
    pub(super) fn matches(&self, list: ListKind, key: &str, tags: &[DefinitionText]) -> bool {
        match &self.0 {
            SelectorTarget::Key(kind, selected) => *kind == list && *selected == identity(list, key),
            SelectorTarget::Tag(tag) => tags.iter().any(|other| other == tag),
        }
    }
}

/// Names the selected components in messages.
impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            SelectorTarget::Key(ListKind::Tools, name) => write!(formatter, "tool `{name}`"),
            SelectorTarget::Key(ListKind::Prompts, name) => write!(formatter, "prompt `{name}`"),
            SelectorTarget::Key(ListKind::Resources, uri) => write!(formatter, "resource `{uri}`"),
            SelectorTarget::Tag(tag) => write!(formatter, "component with the tag `{tag}`"),
        }
    }
}

/// Returns the text that is unique among the components of a list: the key, or the shape of a template, because
/// templates that differ only in the names of variables match the same URIs.
pub(super) fn identity(list: ListKind, key: &str) -> String {
    if list == ListKind::Resources && Template::is_template(key) { Template::shape(key) } else { key.to_owned() }
}

/// The rules of an app. The newest rule that matches a component applies; a component without a rule is enabled. Each
/// selector has at most one rule, so rules do not accumulate.
#[derive(Debug, Default)]
pub(super) struct EnableRules {
    by_key: [HashMap<String, EnableRule>; 3],
    by_tag: HashMap<String, EnableRule>,
    last_number: u64,
}

#[derive(Clone, Copy, Debug)]
struct EnableRule {
    number: u64,
    is_enabled: bool,
}

impl EnableRules {
    pub(super) fn set(&mut self, selector: &Selector, is_enabled: bool) {
        self.last_number += 1;
        let rule = EnableRule { number: self.last_number, is_enabled };
        match &selector.0 {
            SelectorTarget::Key(kind, key) => self.by_key[*kind as usize].insert(key.clone(), rule),
            SelectorTarget::Tag(tag) => self.by_tag.insert(tag.clone(), rule),
        };
    }

    /// Removes the rule for a component by its identity, because the component is removed. Rules for tags stay.
    pub(super) fn remove_key(&mut self, kind: ListKind, identity: &str) {
        self.by_key[kind as usize].remove(identity);
    }

    /// Returns true if these rules enable a component.
    pub(super) fn is_enabled(&self, kind: ListKind, identity: &str, tags: &[DefinitionText]) -> bool {
        let own = self.by_key[kind as usize].get(identity);
        let of_tags = tags.iter().filter_map(|tag| self.by_tag.get(tag.as_ref()));
        own.into_iter().chain(of_tags).max_by_key(|rule| rule.number).is_none_or(|rule| rule.is_enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rule_wins() {
        let mut rules = EnableRules::default();
        let tags = [DefinitionText::from("t"), DefinitionText::from("u")];
        let allowed = |rules: &EnableRules| rules.is_enabled(ListKind::Tools, "x", &tags);
        assert!(allowed(&rules));
        rules.set(&Selector::tag("t"), false);
        assert!(!allowed(&rules));
        rules.set(&Selector::tool("x"), true);
        assert!(allowed(&rules));
        assert!(!rules.is_enabled(ListKind::Prompts, "x", &tags), "a rule for a tool is none for a prompt");
        rules.set(&Selector::tag("u"), false);
        assert!(!allowed(&rules));
        for _ in 0..1_000 {
            rules.set(&Selector::tag("u"), true);
        }
        assert!(allowed(&rules));
        assert_eq!(rules.by_tag.len() + rules.by_key[0].len(), 3);
        rules.set(&Selector::prompt("x"), false);
        rules.remove_key(ListKind::Tools, "x");
        assert_eq!(rules.by_tag.len() + rules.by_key[0].len(), 2);
        assert!(!rules.is_enabled(ListKind::Prompts, "x", &tags));
    }

    #[test]
    fn a_template_is_selected_regardless_of_variable_names() {
        assert_eq!(Selector::resource("a://{x}"), Selector::resource("a://{y}"));
        assert_ne!(Selector::resource("a://{x}"), Selector::resource("a://{+x}"));
    }
}
