//! Visibility of components, decided per request by functions of the app.
//!
//! A component that a rule of [`AppHandle::disable`](crate::AppHandle::disable) hides from all callers is not in the
//! registry at all (`registry/selector.rs`).

use std::sync::Arc;

use serde_json::Value;

use super::visibility_pace::VisibilityPace;
use crate::component::definition::DefinitionText;
use crate::component::metadata::Metadata;
use crate::component::tool::ToolAnnotations;
use crate::context::states::States;
use crate::context::{ComponentEnv, Context};
use crate::exec::runtime::block_in_place_if_possible;
use crate::util::catch_panic::run_catching;

/// The function passed to [`App::visible_if`](crate::App::visible_if).
pub(crate) type VisibilityFn = Arc<dyn Fn(&Component<'_>, &Context) -> bool + Send + Sync>;

/// The kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A tool.
    Tool,
    /// A resource with a fixed URI.
    Resource,
    /// A resource template.
    ResourceTemplate,
    /// A prompt.
    Prompt,
}

/// A component of a request, as [`App::visible_if`](crate::App::visible_if) gets it.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    kind: ComponentKind,
    name: &'a str,
    uri: Option<&'a str>,
    metadata: &'a Metadata,
    hints: ToolAnnotations,
}

impl<'a> Component<'a> {
    /// Returns the kind of the component.
    pub fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// Returns the name. A component of a mounted app has the prefix by which the app that owns the function knows it.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the URI of a resource, or its template.
    pub fn uri(&self) -> Option<&'a str> {
        self.uri
    }

    /// Returns the tags.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.metadata.tags.iter().map(DefinitionText::as_ref)
    }

    /// Returns true if the component has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags().any(|other| other == tag)
    }

    /// Returns a member of `_meta`.
    pub fn meta(&self, key: &str) -> Option<&'a Value> {
        self.metadata.meta.get(key)
    }

    /// Returns true for a tool with the hint `read_only`, and for every other kind of component.
    pub fn is_read_only(&self) -> bool {
        self.kind != ComponentKind::Tool || self.hints.read_only == Some(true)
    }

    /// Returns true for a tool with the hint `destructive`.
    pub fn is_destructive(&self) -> bool {
        self.hints.destructive == Some(true)
    }
}

/// A visibility function of an app, for the components of that app and of the apps mounted in it.
#[derive(Clone)]
pub(crate) struct VisibilityRule {
    pub(crate) function: VisibilityFn,
    pub(crate) states: Arc<States>,
    /// The number of namespaces that belong to apps around the function's app.
    pub(crate) depth: usize,
}

/// The visibility of a component: the functions of its app and of the apps around it. All of them must agree before a
/// request sees the component.
#[derive(Debug, Default)]
pub(crate) struct Visibility(Vec<VisibilityCheck>);

/// A visibility function with its view of one component.
struct VisibilityCheck {
    function: VisibilityFn,
    /// The component's name and the states in the function's app.
    env: Arc<ComponentEnv>,
    uri: Option<DefinitionText>,
}

impl std::fmt::Debug for VisibilityCheck {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VisibilityCheck").field("name", &self.env.name).finish_non_exhaustive()
    }
}

impl Visibility {
    /// Creates the visibility of a component from the rules of its apps. `seen_from` returns the name, the states and the
    /// URI that an app at a depth knows.
    pub(super) fn new(
        rules: &[VisibilityRule],
        seen_from: impl Fn(&Arc<States>, usize) -> (ComponentEnv, Option<DefinitionText>),
    ) -> Visibility {
        let checks = rules.iter().map(|rule| {
            let (env, uri) = seen_from(&rule.states, rule.depth);
            VisibilityCheck { function: Arc::clone(&rule.function), env: Arc::new(env), uri }
        });
        Visibility(checks.collect())
    }

    /// Returns true if some requests may not see the component.
    #[inline]
    pub(crate) fn is_restricted(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns true if a request sees the component; `context` creates the context that a function gets. A component is
    /// hidden if its function panics.
    pub(crate) fn allows(
        &self,
        (kind, metadata, hints): (ComponentKind, &Metadata, ToolAnnotations),
        pace: Option<&VisibilityPace>,
        context: &dyn Fn(&Arc<ComponentEnv>) -> Context,
    ) -> bool {
        self.0.iter().all(|VisibilityCheck { function, env, uri }| {
            let component = Component { kind, name: &env.name, uri: uri.as_deref(), metadata, hints };
            let context = context(env);
            let decide = || function(&component, &context);
            let is_visible = match run_catching(decide) {
                // A function that has been quick so far is called here, and may block all the same, such as for a query.
                Err(panicked) if panicked.is_by_blocking() => run_catching(|| block_in_place_if_possible(decide)),
                is_visible => is_visible,
            };
            is_visible.unwrap_or_else(|panicked| {
                if let Some(pace) = pace {
                    pace.report_panic(&env.name, &panicked.0);
                }
                false
            })
        })
    }
}
