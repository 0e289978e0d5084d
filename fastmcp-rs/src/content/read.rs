//! Reads content blocks that this server wrote itself, when one of its components calls another.

use serde_json::Value;

use super::{Annotations, Content, EmbeddedResource, ResourceLink};

impl Content {
    /// Reads a block of any kind; returns `None` if the value is not a block.
    pub(crate) fn read_own(block: &Value) -> Option<Content> {
        let text = |of: &Value, name: &str| of.get(name)?.as_str().map(str::to_owned);
        let annotations = block.get("annotations").and_then(Annotations::read);
        let meta = block.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default();
        match block.get("type")?.as_str()? {
            "resource_link" => Some(Content::ResourceLink(ResourceLink {
                title: text(block, "title"),
                description: text(block, "description"),
                mime_type: text(block, "mimeType"),
                size: block.get("size").and_then(Value::as_u64),
                annotations,
                meta,
                ..ResourceLink::new(text(block, "uri")?, text(block, "name")?)
            })),
            "resource" => {
                let inner = block.get("resource")?;
                let contents = match text(inner, "text") {
                    Some(text) => super::EmbeddedData::Text(text),
                    None => super::EmbeddedData::Blob(text(inner, "blob")?),
                };
                let mime_type = text(inner, "mimeType");
                let resource = EmbeddedResource::new(text(inner, "uri")?, contents);
                Some(Content::Resource(EmbeddedResource { mime_type, annotations, meta, ..resource }))
            }
            _ => Content::read(block),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Audio, Image, RevisionView, Role, Text};
    use super::*;
    use crate::protocol::Revision;

    #[test]
    fn written_blocks_are_read_back() {
        let hints = || Annotations::new().audience([Role::User]).priority(0.5).last_modified("2026-01-01T00:00:00Z");
        let blocks: Vec<Content> = vec![
            Text::new("a").annotations(hints()).meta("b/c", 1).into(),
            Image::new(b"png", "image/png").into(),
            Audio::new(b"wav", "audio/wav").annotations(hints()).into(),
            ResourceLink::new("a:b", "c").title("d").description("e").mime_type("f/g").size(7).meta("h/i", 2).into(),
            EmbeddedResource::text("a:b", "text").mime_type("text/plain").annotations(hints()).into(),
            EmbeddedResource::blob("a:b", b"bytes").into(),
        ];
        let written = serde_json::to_value(RevisionView(blocks.as_slice(), Revision::V2026_07_28)).unwrap();
        let read: Option<Vec<Content>> = written.as_array().unwrap().iter().map(Content::read_own).collect();
        assert_eq!(read, Some(blocks));
        assert_eq!(Content::read_own(&serde_json::json!({"type": "video"})), None);
    }
}
