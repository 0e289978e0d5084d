//! Metadata that all kinds of components share: members of a component's entry in a list.

use std::any::Any;
use std::fmt;
use std::panic::Location as Place;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::definition::{DefinitionText, IconDefinition};
use super::icon::Icon;
use super::invocation::{Invocation, InvocationResult};
use crate::checks::problem::Location;
use crate::json::encode::ObjectWriter;
use crate::protocol::{Feature, Revision};

#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) name: DefinitionText,
    pub(crate) title: Option<DefinitionText>,
    pub(crate) description: DefinitionText,
    pub(crate) tags: Vec<DefinitionText>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) meta: Map<String, Value>,
}

/// The part of a static definition that all kinds of components have, as the macros write it.
#[doc(hidden)]
#[derive(Debug)]
pub struct ComponentDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub tags: &'static [&'static str],
    pub icons: &'static [IconDefinition],
    /// The text of a JSON object.
    pub meta: Option<&'static str>,
    pub timeout: Option<Duration>,
    /// Creates the middleware of the component.
    pub middleware: Option<fn(&mut AttachedLayers)>,
    pub location: Location,
    pub invoke: fn(Invocation<'_>) -> InvocationResult,
}

impl ComponentDefinition {
    pub const EMPTY: ComponentDefinition = ComponentDefinition {
        name: "",
        title: None,
        description: "",
        tags: &[],
        icons: &[],
        meta: None,
        timeout: None,
        middleware: None,
        location: Location::EMPTY,
        invoke: |_| InvocationResult::Described,
    };

    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            name: self.name.into(),
            title: self.title.map(Into::into),
            description: self.description.into(),
            tags: self.tags.iter().copied().map(Into::into).collect(),
            icons: self.icons.iter().map(Into::into).collect(),
            // The macro has verified that it is an object.
            meta: self.meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default(),
        }
    }
}

/// The part that the builders of all kinds of components have.
#[derive(Debug)]
pub(crate) struct ComponentBase {
    pub(crate) metadata: Metadata,
    pub(crate) timeout: Option<Duration>,
    /// The component's own middleware, outermost first.
    pub(crate) layers: AttachedLayers,
    /// The place in the source that created the component.
    pub(crate) location: Location,
}

/// The middleware that is attached to one component, with its types erased, because the room `middleware` is above this
/// one. Only that room adds values and reads them.
#[doc(hidden)]
#[derive(Default)]
pub struct AttachedLayers(pub(crate) Vec<Box<dyn Any + Send + Sync>>);

impl fmt::Debug for AttachedLayers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} layers", self.0.len())
    }
}

impl ComponentBase {
    pub(crate) fn new(name: impl Into<String>, place: &'static Place<'static>) -> ComponentBase {
        let metadata = Metadata { name: DefinitionText::Owned(name.into()), ..Metadata::default() };
        ComponentBase { metadata, timeout: None, layers: AttachedLayers::default(), location: Location::from(place) }
    }
}

/// Defines the methods that the builders of all kinds of components share.
macro_rules! metadata_methods {
    ($builder:ident) => {
        impl $builder {
            /// Sets the display name. Peers before 2025-06-18 do not get it. A tool without a title gets its name in
            /// words: `get_order` becomes "Get Order".
            pub fn title(mut self, title: impl Into<String>) -> $builder {
                self.base.metadata.title = Some(DefinitionText::Owned(title.into()));
                self
            }

            /// Sets the description: the purpose of the component, and when to use it. Models and people choose by it.
            pub fn description(mut self, description: impl Into<String>) -> $builder {
                self.base.metadata.description = DefinitionText::Owned(description.into());
                self
            }

            /// Adds a tag, by which the component can be found, enabled and disabled. Call it once per tag. Tags are
            /// sent as `_meta.fastmcp.tags`; peers before 2025-06-18 do not get them.
            pub fn tag(mut self, tag: impl Into<String>) -> $builder {
                self.base.metadata.tags.push(DefinitionText::Owned(tag.into()));
                self
            }

            /// Adds an icon that clients may show. Call it once per icon.
            pub fn icon(mut self, icon: Icon) -> $builder {
                self.base.metadata.icons.push(icon);
                self
            }

            /// Adds a member to `_meta`. Peers before 2025-06-18 do not get it.
            ///
            /// Keys should have a prefix that you own, such as `com.example/key`.
            pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> $builder {
                self.base.metadata.meta.insert(key.into(), value.into());
                self
            }

            /// Sets the timeout of calls. Default: the value of [`App::timeout`](crate::App::timeout).
            pub fn timeout(mut self, timeout: Duration) -> $builder {
                self.base.timeout = Some(timeout);
                self
            }
        }

        impl std::fmt::Debug for $builder {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter
                    .debug_struct(stringify!($builder))
                    .field("name", &self.base.metadata.name)
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use metadata_methods;

impl Metadata {
    /// Writes the members at the start of an entry: name, title and description.
    pub(crate) fn write_first_members(&self, entry: &mut ObjectWriter<'_>, revision: Revision) {
        entry.add_text("name", &self.name);
        if let (Some(title), true) = (&self.title, revision.has(Feature::Titles)) {
            entry.add_text("title", title);
        }
        if !self.description.is_empty() {
            entry.add_text("description", &self.description);
        }
    }

    /// Writes the members at the end of an entry: icons and `_meta`.
    pub(crate) fn write_last_members(&self, entry: &mut ObjectWriter<'_>, revision: Revision) {
        if !self.icons.is_empty() && revision.has(Feature::Icons) {
            entry.add_member("icons", &self.icons.iter().map(Icon::to_json).collect());
        }
        if !revision.has(Feature::Meta) {
            return;
        }
        let mut meta = self.meta.clone();
        if !self.tags.is_empty() {
            let fastmcp = meta.entry("fastmcp").or_insert_with(|| json!({}));
            if let Value::Object(fastmcp) = fastmcp {
                fastmcp.insert("tags".into(), self.tags.iter().map(DefinitionText::as_ref).collect());
            }
        }
        if !meta.is_empty() {
            entry.add_member("_meta", &meta.into());
        }
    }
}
