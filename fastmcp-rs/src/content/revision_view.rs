//! Writes blocks in the form that the revision of a peer has for them.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Annotations, Content, EmbeddedData, EmbeddedResource};
use crate::protocol::{Feature, Revision};

/// A value in the form that a peer of a revision supports.
pub(crate) struct RevisionView<'a, T: ?Sized>(pub(crate) &'a T, pub(crate) Revision);

impl Serialize for RevisionView<'_, [Content]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|block| RevisionView(block, self.1)))
    }
}

impl Serialize for RevisionView<'_, Annotations> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.0.audience.is_empty() {
            map.serialize_entry("audience", &self.0.audience)?;
        }
        serialize_optional(&mut map, "priority", self.0.priority.as_ref())?;
        if self.1.has(Feature::LastModified) {
            serialize_optional(&mut map, "lastModified", self.0.last_modified.as_ref())?;
        }
        map.end()
    }
}

impl Serialize for RevisionView<'_, Content> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let revision = self.1;
        match self.0 {
            Content::Audio(audio) if !revision.has(Feature::Audio) => {
                let note = format!(
                    "[audio of type {} omitted: the client's revision of the protocol has no audio]",
                    audio.mime_type
                );
                return RevisionView(&Content::text(note), revision).serialize(serializer);
            }
            Content::ResourceLink(link) if !revision.has(Feature::ResourceLinks) => {
                return RevisionView(&Content::text(link.line()), revision).serialize(serializer);
            }
            _ => {}
        }
        let mut map = serializer.serialize_map(None)?;
        let (annotations, meta) = match self.0 {
            Content::Text(block) => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("text", &block.text)?;
                (&block.annotations, &block.meta)
            }
            Content::Image(block) => {
                map.serialize_entry("type", "image")?;
                map.serialize_entry("data", &block.data)?;
                map.serialize_entry("mimeType", &block.mime_type)?;
                (&block.annotations, &block.meta)
            }
            Content::Audio(block) => {
                map.serialize_entry("type", "audio")?;
                map.serialize_entry("data", &block.data)?;
                map.serialize_entry("mimeType", &block.mime_type)?;
                (&block.annotations, &block.meta)
            }
            Content::ResourceLink(block) => {
                map.serialize_entry("type", "resource_link")?;
                map.serialize_entry("uri", &block.uri)?;
                map.serialize_entry("name", &block.name)?;
                serialize_optional(&mut map, "title", block.title.as_ref())?;
                serialize_optional(&mut map, "description", block.description.as_ref())?;
                serialize_optional(&mut map, "mimeType", block.mime_type.as_ref())?;
                serialize_optional(&mut map, "size", block.size.as_ref())?;
                (&block.annotations, &block.meta)
            }
            Content::Resource(block) => {
                map.serialize_entry("type", "resource")?;
                map.serialize_entry("resource", &EmbeddedContents(block))?;
                (&block.annotations, &block.meta)
            }
        };
        if let Some(annotations) = annotations {
            map.serialize_entry("annotations", &RevisionView(annotations, revision))?;
        }
        if revision.has(Feature::Meta) && !meta.is_empty() {
            map.serialize_entry("_meta", meta)?;
        }
        map.end()
    }
}

struct EmbeddedContents<'a>(&'a EmbeddedResource);

impl Serialize for EmbeddedContents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uri", &self.0.uri)?;
        serialize_optional(&mut map, "mimeType", self.0.mime_type.as_ref())?;
        match &self.0.contents {
            EmbeddedData::Text(text) => map.serialize_entry("text", text)?,
            EmbeddedData::Blob(blob) => map.serialize_entry("blob", blob)?,
        }
        map.end()
    }
}

/// Writes a member, or leaves it out if there is no value: the protocol has no `null` members.
fn serialize_optional<M: SerializeMap>(map: &mut M, key: &str, value: Option<&impl Serialize>) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, value),
        None => Ok(()),
    }
}
