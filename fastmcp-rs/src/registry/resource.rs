//! Resources and resource templates as a server keeps and lists them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::handler::{About, Handler, about};
use super::pages::Listed;
use crate::component::resource::{ResourceAnnotations, ResourceDefinition};
use crate::component::template::{Template, is_traversal};
use crate::component::tool::Text;
use crate::context::States;
use crate::protocol::Revision;

/// A resource with a URI of its own.
#[derive(Debug)]
pub(crate) struct ResourceEntry {
    about: About,
    uri: Text,
    mime_type: Option<Text>,
    size: Option<u64>,
    hints: ResourceAnnotations,
    /// The variables whose values may lead anywhere.
    allow_traversal: Vec<Text>,
    pub(crate) handler: Handler,
}

/// Resources that share a template.
#[derive(Debug)]
pub(crate) struct TemplateEntry {
    pub(crate) resource: ResourceEntry,
    template: Template,
}

impl ResourceEntry {
    pub(crate) fn new(definition: &'static ResourceDefinition, states: &Arc<States>) -> ResourceEntry {
        let ResourceDefinition { name, invoke, timeout, location, uri, size, annotations, .. } = *definition;
        ResourceEntry {
            about: about!(definition),
            uri: uri.into(),
            mime_type: definition.mime_type.map(Text::from),
            size,
            hints: annotations,
            allow_traversal: definition.allow_traversal.iter().copied().map(Text::from).collect(),
            handler: Handler::new(name.into(), states, invoke, timeout, location),
        }
    }

    /// What was said, or else what the type of the values tells.
    pub(crate) fn mime_type(&self) -> Option<Text> {
        self.mime_type.clone().or(self.handler.described.mime_type.map(Text::from))
    }

    fn entry(&self, uri_member: &str, revision: Revision) -> Value {
        let mut entry = Map::new();
        entry.insert(uri_member.into(), self.uri.as_ref().into());
        self.about.begin(&mut entry, revision);
        if let Some(mime_type) = self.mime_type() {
            entry.insert("mimeType".into(), mime_type.as_ref().into());
        }
        if let Some(size) = self.size {
            entry.insert("size".into(), size.into());
        }
        if let Some(annotations) = self.annotations(revision) {
            entry.insert("annotations".into(), annotations);
        }
        self.about.end(&mut entry, revision);
        entry.into()
    }

    fn annotations(&self, revision: Revision) -> Option<Value> {
        let hints = self.hints;
        let mut annotations = Map::new();
        if !hints.audience.is_empty() {
            annotations.insert("audience".into(), hints.audience.into());
        }
        if let Some(priority) = hints.priority {
            annotations.insert("priority".into(), priority.into());
        }
        if let (Some(timestamp), true) = (hints.last_modified, revision >= Revision::V2025_06_18) {
            annotations.insert("lastModified".into(), timestamp.into());
        }
        (!annotations.is_empty()).then(|| annotations.into())
    }
}

impl TemplateEntry {
    pub(crate) fn new(definition: &'static ResourceDefinition, states: &Arc<States>) -> TemplateEntry {
        TemplateEntry { resource: ResourceEntry::new(definition, states), template: Template::parse(definition.uri) }
    }

    /// How much the template leaves open: of several that a URI has, the one with the least is meant.
    pub(crate) fn openness(&self) -> impl Ord + use<> {
        self.template.openness()
    }

    /// The values of the variables in a URI of this template. A value that could lead elsewhere, and was not
    /// allowed to, makes it the URI of nothing.
    pub(crate) fn matches(&self, uri: &str) -> Option<BTreeMap<&str, String>> {
        let values = self.template.matches(uri)?;
        let allowed = &self.resource.allow_traversal;
        let is_safe =
            |(name, value): (&&str, &String)| allowed.iter().any(|allowed| allowed == name) || !is_traversal(value);
        values.iter().all(is_safe).then_some(values)
    }

    /// Variables that may be missing from a URI, but whose parameters may not.
    pub(crate) fn problems(&self) -> Vec<String> {
        let required = self.resource.handler.described.input.get("required");
        let is_required = |name: &str| {
            required.and_then(Value::as_array).is_some_and(|names| names.iter().any(|other| other == name))
        };
        let optional = self.template.optional_variables().filter(|name| is_required(name));
        optional
            .map(|name| {
                format!("the variable `{name}` may be missing from the URI, so its parameter must be an `Option` or have a default")
            })
            .collect()
    }
}

impl Listed for ResourceEntry {
    const MEMBER: &'static str = "resources";

    fn key(&self) -> &str {
        &self.uri
    }

    fn handler(&self) -> &Handler {
        &self.handler
    }

    fn to_json(&self, revision: Revision) -> Value {
        self.entry("uri", revision)
    }
}

impl Listed for TemplateEntry {
    const MEMBER: &'static str = "resourceTemplates";

    fn key(&self) -> &str {
        &self.resource.uri
    }

    fn handler(&self) -> &Handler {
        &self.resource.handler
    }

    fn to_json(&self, revision: Revision) -> Value {
        self.resource.entry("uriTemplate", revision)
    }
}
