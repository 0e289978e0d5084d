//! Resources and resource templates as a server stores and lists them.

use std::time::Duration;

use serde_json::{Map, Value};

use super::component::ComponentHandler;
use super::list::ListEntry;
use super::visibility::ComponentKind;
use crate::checks::problem::{Location, ProblemList};
use crate::checks::templates::report_optional_variable;
use crate::component::definition::DefinitionText;
use crate::component::dynamic::DynamicResource;
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
        let ResourceDefinition { uri, size, annotations, ttl, scope, .. } = *definition;
        let mut handler = ComponentHandler::for_function("resource", &definition.component).with_uri(uri.into());
        // The macro has checked a literal, but it cannot read a constant.
        Template::check(uri, &mut handler.described.problems);
        ResourceEntry {
            mime_type: definition.mime_type.map(DefinitionText::from),
            size,
            hints: AnnotationSource::Static(annotations),
            ttl,
            scope,
            allow_traversal: definition.allow_traversal.iter().copied().map(DefinitionText::from).collect(),
            handler,
        }
    }

    pub(crate) fn dynamic(mut resource: DynamicResource, added: Location) -> ResourceEntry {
        let uri = DefinitionText::Owned(resource.uri.clone());
        let (size, ttl, scope) = (resource.size, resource.ttl, resource.scope);
        let hints = AnnotationSource::Dynamic(resource.annotations.take());
        let mime_type = resource.mime_type.take().map(DefinitionText::Owned);
        let allow_traversal = resource.allow_traversal.iter().cloned().map(DefinitionText::Owned).collect();
        let handler = ComponentHandler::for_closure(resource.into_parts(), None, added).with_uri(uri);
        ResourceEntry { mime_type, size, hints, ttl, scope, allow_traversal, handler }
    }

    /// Returns the cache settings that clients get with the contents.
    pub(crate) fn cache(&self, default: CacheHints) -> CacheHints {
        // Contents that only some clients may see must not be shared.
        let own = if self.handler.visibility.is_restricted() { Some(CacheScope::Private) } else { self.scope };
        CacheHints { ttl: self.ttl.unwrap_or(default.ttl), scope: own.unwrap_or(default.scope) }
    }

    /// Returns the media type that the author has set, or that of the result type.
    pub(crate) fn mime_type(&self) -> Option<DefinitionText> {
        self.mime_type.clone().or(self.handler.described.mime_type.map(DefinitionText::from))
    }

    fn write_as(&self, uri_member: &'static str, entry: &mut ObjectWriter<'_>, revision: Revision) {
        entry.add_text(uri_member, self.handler.key());
        self.handler.metadata.write_first_members(entry, revision);
        if let Some(mime_type) = self.mime_type() {
            entry.add_text("mimeType", &mime_type);
        }
        if let Some(size) = self.size {
            entry.add_member("size", &size.into());
        }
        if let Some(annotations) = self.annotations(revision) {
            entry.add_member("annotations", &annotations);
        }
        self.handler.metadata.write_last_members(entry, revision);
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
        let template = Template::parse(resource.handler.key());
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

    /// Reports each variable that may be missing from a URI although its parameter is required.
    pub(super) fn check_variables(&self, problems: &mut ProblemList) {
        let required = self.resource.handler.described.input.get("required");
        let is_required = |name: &str| {
            required.and_then(Value::as_array).is_some_and(|names| names.iter().any(|other| other == name))
        };
        let optional = self.template.optional_variables().filter(|name| is_required(name));
        optional.for_each(|name| report_optional_variable(name, problems));
    }
}

impl ListEntry for ResourceEntry {
    const MEMBER: &'static str = "resources";
    const KIND: ComponentKind = ComponentKind::Resource;

    fn handler(&self) -> &ComponentHandler {
        &self.handler
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, _style: SchemaStyle) {
        self.write_as("uri", entry, revision);
    }
}

impl ListEntry for TemplateEntry {
    const MEMBER: &'static str = "resourceTemplates";
    const KIND: ComponentKind = ComponentKind::ResourceTemplate;

    fn handler(&self) -> &ComponentHandler {
        &self.resource.handler
    }

    fn write(&self, entry: &mut ObjectWriter<'_>, revision: Revision, _style: SchemaStyle) {
        self.resource.write_as("uriTemplate", entry, revision);
    }
}
