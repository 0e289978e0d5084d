//! Who may see which component.

use std::sync::Arc;

use serde_json::Value;

use crate::component::about::About;
use crate::component::tool::{Text, ToolAnnotations};
use crate::context::{Context, Shared};

/// What [`App::visible`](crate::App::visible) was given.
pub(crate) type Visible = Arc<dyn Fn(&Component<'_>, &Context) -> bool + Send + Sync>;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A tool.
    Tool,
    /// A resource with a URI of its own.
    Resource,
    /// Resources that share a template.
    ResourceTemplate,
    /// A prompt.
    Prompt,
}

/// A component that somebody asks for, as [`App::visible`](crate::App::visible) sees it.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    pub(super) kind: ComponentKind,
    pub(super) name: &'a str,
    pub(super) uri: Option<&'a str>,
    pub(super) about: &'a About,
    pub(super) hints: ToolAnnotations,
}

impl<'a> Component<'a> {
    /// What it is.
    pub fn kind(&self) -> ComponentKind {
        self.kind
    }

    /// Its name. One of a mounted app has the prefix that it has in the app whose function is asked.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The URI of a resource, or its template.
    pub fn uri(&self) -> Option<&'a str> {
        self.uri
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.about.tags.iter().map(Text::as_ref)
    }

    /// Whether it has a tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags().any(|other| other == tag)
    }

    /// A member of its `_meta`.
    pub fn meta(&self, key: &str) -> Option<&'a Value> {
        self.about.meta.get(key)
    }

    /// Whether it is a tool that says it changes nothing, or no tool.
    pub fn is_read_only(&self) -> bool {
        self.kind != ComponentKind::Tool || self.hints.read_only == Some(true)
    }

    /// Whether it is a tool that says it may destroy something.
    pub fn is_destructive(&self) -> bool {
        self.hints.destructive == Some(true)
    }
}

/// A function that is asked before a component is shown, and what it sees of the component: that of its own app,
/// or that of an app in which this is mounted.
pub(crate) struct Gate {
    pub(super) visible: Visible,
    /// Its name and states as that app has them.
    pub(super) shared: Arc<Shared>,
    pub(super) uri: Option<Text>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gate").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl Gate {
    /// What calls of the function are given as their component.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the component may be seen.
    pub(crate) fn opens(&self, kind: ComponentKind, about: &About, hints: ToolAnnotations, context: &Context) -> bool {
        let component = Component { kind, name: &self.shared.name, uri: self.uri.as_deref(), about, hints };
        (self.visible)(&component, context)
    }
}
