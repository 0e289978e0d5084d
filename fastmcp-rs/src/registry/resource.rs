//! Resources and resource templates as a server stores and lists them.

use std::time::Duration;

use serde_json::{Map, Value};

use super::component::ComponentHandler;
use super::list::ListEntry;
use super::visibility::ComponentKind;
use crate::component::definition::{DefinitionText, Location};
use crate::component::dynamic::DynamicResource;
use crate::component::metadata::{Metadata, metadata};
use crate::component::resource::{ResourceAnnotations, ResourceDefinition};
use crate::component::template::{Template, is_traversal};
use crate::content::{Annotations, RevisionView};
use crate::json::encode::ObjectWriter;
use crate::protocol::cache::CacheHints;
use crate::protocol::{CacheScope, Feature, Revision};
use crate::schema::publish::SchemaStyle;

/// A resource with a fixed URI.
#[derive(Debug)]
pub(crate) struct ResourceEntry {
    pub(super) metadata: Metadata,
    pub(super) uri: DefinitionText,
    mime_type: Option<DefinitionText>,
    size: Option<u64>,
    hints: AnnotationSource,
    /// Cache settings that override those of the app.
    ttl: Option<Duration>,
    scope: Option<CacheScope>,
    /// The variables whose values may contain path traversal.
    allow_traversal: Vec<DefinitionText>,
    pub(crate) handler: ComponentHandler,
}

/// A resource template.
#[derive(Debug)]
pub(crate) struct TemplateEntry {
    pub(crate) resource: ResourceEntry,
    pub(super) template: Template,
}

#[derive(Debug)]
enum AnnotationSource {
    Static(ResourceAnnotations),
    Dynamic(Option<Annotations>),
}

impl ResourceEntry {
    pub(crate) fn new(definition: &'static ResourceDefinition) -> ResourceEntry {
        let ResourceDefinition { name, invoke, timeout, location, uri, size, annotations, ttl, scope, .. } =
            *definition;
        ResourceEntry {
            metadata: metadata!(definition),
            uri: uri.into(),
            mime_type: definition.mime_type.map(DefinitionText::from),
            size,
            hints: AnnotationSource::Static(annotations),
            ttl,
            scope,
            allow_traversal: definition.allow_traversal.iter().copied().map(DefinitionText::from).collect(),
            handler: ComponentHandler::for_function(name.into(), invoke, timeout, location),
        }
    }

    pub(crate) fn dynamic(mut resource: DynamicResource, added: Location) -> ResourceEntry {
        let (metadata, uri) = (resource.metadata.clone(), DefinitionText::Owned(resource.uri.clone()));
        let (timeout, location) = (resource.timeout, resource.location);
        let (size, ttl, scope) = (resource.size, resource.ttl, resource.scope);
        let hints = AnnotationSource::Dynamic(resource.annotations.take());
        let mime_type = resource.mime_type.take().map(DefinitionText::Owned);
        let allow_traversal = resource.allow_traversal.iter().cloned().map(DefinitionText::Owned).collect();
        let (described, call) = resource.into_parts();
        let handler =
            ComponentHandler::for_closure(metadata.name.clone(), (described, None, call), timeout, (location, added));
        ResourceEntry { metadata, uri, mime_type, size, hints, ttl, scope, allow_traversal, handler }
    }

    /// Returns the cache settings that clients get with the contents.
    pub(crate) fn cache(&self, default: CacheHints) -> CacheHints {
        // Contents that only some clients may see must not be shared.
        let own = if self.handler.visibility_checks.is_empty() { self.scope } else { Some(CacheScope::Private) };
        CacheHints { ttl: self.ttl.unwrap_or(default.ttl), scope: own.unwrap_or(default.scope) }
    }

    /// Returns the given media type, or the one that follows from the result type.
    pub(crate) fn mime_type(&self) -> Option<DefinitionText> {
        self.mime_type.clone().or(self.handler.described.mime_type.map(DefinitionText::from))
    }

    fn write_as(&self, uri_member: &'static str, entry: &mut ObjectWriter<'_>, revision: Revision) {
        entry.add_text(uri_member, &self.uri);
        self.metadata.write_first_members(entry, revision);
        if let Some(mime_type) = self.mime_type() {
            entry.add_text("mimeType", &mime_type);
        }
        if let Some(size) = self.size {
            entry.add_member("size", &size.into());
        }
        if let Some(annotations) = self.annotations(revision) {
            entry.add_member("annotations", &annotations);
        }
        self.metadata.write_last_members(entry, revision);
    }

    fn annotations(&self, revision: Revision) -> Option<Value> {
        let hints = match &self.hints {
            AnnotationSource::Static(hints) => *hints,
            AnnotationSource::Dynamic(annotations) => {
                let shown = serde_json::to_value(RevisionView(annotations.as_ref()?, revision)).ok()?;
                return shown.as_object().is_some_and(|shown| !shown.is_empty()).then_some(shown);
            }
        };
        let mut annotations = Map::new();
        if !hints.audience.is_empty() {
            annotations.insert("audience".into(), hints.audience.into());
        }
        if let Some(priority) = hints.priority {
            annotations.insert("priority".into(), priority.into());
        }
        if let (Some(timestamp), true) = (hints.last_modified, revision.has(Feature::LastModified)) {
            annotations.insert("lastModified".into(), timestamp.into());
        }
        (!annotations.is_empty()).then(|| annotations.into())
    }
}

impl TemplateEntry {
    pub(crate) fn new(resource: ResourceEntry) -> TemplateEntry {
        let template = Template::parse(&resource.uri);
        TemplateEntry { resource, template }
    }

    /// Returns a sort key that is lowest for the most specific template.
    pub(crate) fn openness(&self) -> impl Ord + use<> {
        self.template.openness()
    }

    /// Returns the values of the variables in a URI of this template. A URI with a value that could escape from a
    /// directory does not match, unless the variable allows traversal.
    pub(crate) fn matches(&self, uri: &str) -> Option<Map<String, Value>> {
        let values = self.template.matches(uri)?;
        let allowed = &self.resource.allow_traversal;
        let may_be_any = |name: &String| allowed.iter().any(|allowed| *allowed == name.as_str());
        let is_safe = |(name, value): (&String, &Value)| may_be_any(name) || !value.as_str().is_some_and(is_traversal);
        values.iter().all(is_safe).then_some(values)
    }

    /// Returns a problem for each variable that may be missing from a URI although its parameter is required.
    pub(crate) fn problems(&self) -> Vec<String> {
        let required = self.resource.handler.described.input.get("required");
        let is_required = |name: &str| {
            required.and_then(Value::as_array).is_some_and(|names| names.iter().any(|other| other == name))
        };
        let optional = self.template.optional_variables().filter(|name| is_required(name));
        optional
            .map(|name| {
                format!("the variable `{name}` is optional in the URI, so its parameter must be an `Option` or have a default")
            })
            .collect()
    }
}

impl ListEntry for ResourceEntry {
    const MEMBER: &'static str = "resources";

    fn key(&self) -> &str {
        &self.uri
    }

    fn handler(&self) -> &ComponentHandler {
        &self.handler
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn kind(&self) -> ComponentKind {
        ComponentKind::Resource
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, _style: SchemaStyle) {
        self.write_as("uri", entry, revision);
    }
}

impl ListEntry for TemplateEntry {
    const MEMBER: &'static str = "resourceTemplates";

    fn key(&self) -> &str {
        &self.resource.uri
    }

    fn handler(&self) -> &ComponentHandler {
        &self.resource.handler
    }

    fn metadata(&self) -> &Metadata {
        &self.resource.metadata
    }

    fn kind(&self) -> ComponentKind {
        ComponentKind::ResourceTemplate
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, _style: SchemaStyle) {
        self.resource.write_as("uriTemplate", entry, revision);
    }
}
