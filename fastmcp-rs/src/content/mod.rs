//! Content of results: blocks, messages of prompts, contents of resources, and tool results.
//!
//! A handler returns a block, a `Vec` of blocks, a [`Structured`] value with content of its own, or a [`ToolResult`]
//! with blocks, structured content and `_meta`.
//!
//! # Example
//!
//! ```
//! use fastmcp_rs::prelude::*;
//!
//! /// Draws the sales of a year.
//! #[mcp::tool]
//! fn sales_chart(year: u16) -> Vec<Content> {
//!     # fn draw(_: u16) -> Vec<u8> { vec![] }
//!     let chart = Image::new(draw(year), "image/png").audience([Role::User]).priority(0.5);
//!     vec![Content::text(format!("The sales of {year}:")), chart.into()]
//! }
//! ```
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result>

// The room knows the revisions, because each block has a form in each of them, but no component and no call. Look here
// for a field or a kind of content block.

mod annotations;
pub(crate) mod files;
pub(crate) mod message;
mod read;
pub(crate) mod resource_contents;
mod revision_view;
pub(crate) mod structured;
pub(crate) mod tool_result;

use std::io;
use std::path::Path;

pub use annotations::{Annotations, Role};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
pub use message::Message;
use resource_contents::ContentsData;
pub use resource_contents::ResourceContents;
pub(crate) use revision_view::RevisionView;
use serde_json::{Map, Value};
pub use structured::Structured;
pub use tool_result::ToolResult;

pub use crate::schema::publish::ResultContent;

/// A block of a tool result: text, an image, audio, a link to a resource, or an embedded resource.
///
/// A peer whose revision lacks a kind of block gets text instead: for audio (before 2025-03-26) a note that it was left
/// out, for a resource link (before 2025-06-18) its title or name, its URI and its description.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result>
///
/// # Example
///
/// ```
/// use fastmcp_rs::{Content, Image};
///
/// let blocks: Vec<Content> = vec![Content::text("The chart:"), Image::new([0x89, b'P'], "image/png").into()];
/// assert_eq!(blocks.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Content {
    /// Plain text.
    Text(Text),
    /// An image.
    Image(Image),
    /// Audio.
    Audio(Audio),
    /// A link to a resource that the client may read.
    ResourceLink(ResourceLink),
    /// A resource, including its contents.
    Resource(EmbeddedResource),
}

impl Content {
    /// Creates a text block.
    pub fn text(text: impl Into<String>) -> Content {
        Content::Text(Text::new(text))
    }

    /// Reads a block of text, an image or audio that a client sent; returns `None` for any other block.
    pub(crate) fn read(block: &Value) -> Option<Content> {
        let member = |name: &str| block.get(name)?.as_str();
        let annotations = block.get("annotations").and_then(Annotations::read);
        let meta = block.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(match member("type")? {
            "text" => Content::Text(Text { annotations, meta, ..Text::new(member("text")?) }),
            "image" => {
                Content::Image(Image { annotations, meta, ..Image::from_base64(member("data")?, member("mimeType")?) })
            }
            "audio" => {
                Content::Audio(Audio { annotations, meta, ..Audio::from_base64(member("data")?, member("mimeType")?) })
            }
            _ => return None,
        })
    }
}

macro_rules! into_content {
    ($($variant:ident($ty:ident)),*) => {$(
        impl From<$ty> for Content {
            fn from(block: $ty) -> Content {
                Content::$variant(block)
            }
        }
    )*};
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content::text(text)
    }
}

into_content!(Text(Text), Image(Image), Audio(Audio), ResourceLink(ResourceLink), Resource(EmbeddedResource));

macro_rules! common_methods {
    ($ty:ident) => {
        impl $ty {
            /// Sets hints for the client.
            pub fn annotations(mut self, annotations: Annotations) -> $ty {
                self.annotations = Some(annotations);
                self
            }

            /// Sets the intended audience, like [`Annotations::audience`].
            pub fn audience(mut self, audience: impl IntoIterator<Item = Role>) -> $ty {
                self.annotations = Some(self.annotations.unwrap_or_default().audience(audience));
                self
            }

            /// Sets the priority, like [`Annotations::priority`].
            pub fn priority(mut self, priority: f64) -> $ty {
                self.annotations = Some(self.annotations.unwrap_or_default().priority(priority));
                self
            }

            /// Sets the time of the last change, like [`Annotations::last_modified`].
            pub fn last_modified(mut self, timestamp: impl Into<String>) -> $ty {
                self.annotations = Some(self.annotations.unwrap_or_default().last_modified(timestamp));
                self
            }

            /// Adds a member to the block's `_meta`. Peers before 2025-06-18 do not get it.
            ///
            /// Keys should have a prefix that you own, such as `com.example/key`.
            pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> $ty {
                self.meta.insert(key.into(), value.into());
                self
            }
        }
    };
}

/// A block of text.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Text {
    text: String,
    annotations: Option<Annotations>,
    meta: Map<String, Value>,
}
common_methods!(Text);

impl Text {
    /// Creates a block of text.
    pub fn new(text: impl Into<String>) -> Text {
        Text { text: text.into(), annotations: None, meta: Map::new() }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

macro_rules! media {
    ($(#[$doc:meta])* $ty:ident, $family:literal, $extensions:literal, $noun:literal, $file:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[must_use]
        pub struct $ty {
            data: String,
            mime_type: String,
            annotations: Option<Annotations>,
            meta: Map<String, Value>,
        }
        common_methods!($ty);

        impl $ty {
            /// Creates a block from bytes and encodes them as Base64.
            pub fn new(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> $ty {
                $ty::from_base64(BASE64_STANDARD.encode(bytes), mime_type)
            }

            #[doc = concat!("Creates a block from a file. The extension determines its MIME type (", $extensions, ").")]
            ///
            /// It reads the whole file and blocks meanwhile, so call it in tools that are a `fn`, or `blocking`.
            ///
            /// # Errors
            ///
            /// Fails if the file cannot be read, or if its extension is not in the list above. For other extensions,
            /// read the file and pass its MIME type
            #[doc = concat!("to `", stringify!($ty), "::new`.")]
            ///
            /// # Example
            ///
            /// ```
            /// use fastmcp_rs::prelude::*;
            ///
            #[doc = concat!("/// Gives the newest ", $noun, ".")]
            /// #[mcp::tool]
            #[doc = concat!("fn newest() -> Result<", stringify!($ty), ", std::io::Error> {")]
            #[doc = concat!("    ", stringify!($ty), "::from_file(\"", $file, "\")")]
            /// }
            /// ```
            pub fn from_file(path: impl AsRef<Path>) -> io::Result<$ty> {
                let (bytes, mime_type) = files::read_media(path.as_ref(), $family)?;
                Ok($ty::new(bytes, mime_type))
            }

            /// Creates a block from data that is already encoded as Base64.
            pub fn from_base64(data: impl Into<String>, mime_type: impl Into<String>) -> $ty {
                $ty { data: data.into(), mime_type: mime_type.into(), annotations: None, meta: Map::new() }
            }

            /// Returns the data as Base64, the form in which it is sent.
            pub fn base64(&self) -> &str {
                &self.data
            }

            /// Returns the bytes, or `None` if the data (which a client may have sent) is not valid Base64.
            pub fn bytes(&self) -> Option<Vec<u8>> {
                BASE64_STANDARD.decode(&self.data).ok()
            }

            /// Returns the MIME type.
            pub fn mime_type(&self) -> &str {
                &self.mime_type
            }
        }
    };
}

media! {
    /// An image, such as a chart.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Draws the sales of a year.
    /// #[mcp::tool]
    /// fn sales_chart(year: u16) -> Image {
    ///     # fn draw(_: u16) -> Vec<u8> { vec![] }
    ///     Image::new(draw(year), "image/png")
    /// }
    /// ```
    Image, "image", "png, jpg, jpeg, gif, webp, svg, avif, bmp, tif or tiff", "chart", "/srv/charts/newest.png"
}
media! {
    /// Audio. Peers before 2025-03-26 get a text note that it was left out.
    Audio, "audio", "wav, mp3, ogg, oga, opus, flac, m4a, aac or weba", "recording", "/srv/calls/newest.mp3"
}

/// A link to a resource. Peers before 2025-06-18 get its name, URI and description as text.
///
/// If a tool's result has links and no text, a final text block with one line per link is added, because some clients
/// show only texts; see [`App::link_texts`](crate::App::link_texts).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ResourceLink {
    uri: String,
    name: String,
    title: Option<String>,
    description: Option<String>,
    mime_type: Option<String>,
    size: Option<u64>,
    annotations: Option<Annotations>,
    meta: Map<String, Value>,
}
common_methods!(ResourceLink);

impl ResourceLink {
    /// Creates a link to the resource at `uri`.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> ResourceLink {
        ResourceLink {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: None,
            meta: Map::new(),
        }
    }

    /// Sets the display name.
    pub fn title(mut self, title: impl Into<String>) -> ResourceLink {
        self.title = Some(title.into());
        self
    }

    /// Sets the description of the resource.
    pub fn description(mut self, description: impl Into<String>) -> ResourceLink {
        self.description = Some(description.into());
        self
    }

    /// Sets the MIME type of the resource.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> ResourceLink {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the resource in bytes.
    pub fn size(mut self, bytes: u64) -> ResourceLink {
        self.size = Some(bytes);
        self
    }

    /// Describes the link in one line of text.
    fn line(&self) -> String {
        let name = self.title.as_ref().unwrap_or(&self.name);
        let description = self.description.as_deref().filter(|text| !text.trim().is_empty());
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let described = description.map(|text| format!(" - {}", on_one_line(text))).unwrap_or_default();
        // Spaces are a part of the URI, but a line end is not.
        format!("{}: {}{described}", on_one_line(name), self.uri.replace(['\r', '\n'], ""))
    }
}

/// Returns a text with one line per link among the blocks, if there are links and no text.
pub(crate) fn text_of_links(blocks: &[Content]) -> Option<String> {
    let mut lines = Vec::new();
    for block in blocks {
        match block {
            Content::Text(text) if !text.text.trim().is_empty() => return None,
            Content::ResourceLink(link) => lines.push(link.line()),
            _ => {}
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A resource inside a result.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct EmbeddedResource {
    uri: String,
    mime_type: Option<String>,
    contents: EmbeddedData,
    annotations: Option<Annotations>,
    meta: Map<String, Value>,
}
common_methods!(EmbeddedResource);

#[derive(Clone, Debug, PartialEq)]
enum EmbeddedData {
    Text(String),
    Blob(String),
}

impl EmbeddedResource {
    /// Creates a resource with text.
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> EmbeddedResource {
        EmbeddedResource::new(uri.into(), EmbeddedData::Text(text.into()))
    }

    /// Creates a resource with bytes and encodes them as Base64.
    pub fn blob(uri: impl Into<String>, bytes: impl AsRef<[u8]>) -> EmbeddedResource {
        EmbeddedResource::new(uri.into(), EmbeddedData::Blob(BASE64_STANDARD.encode(bytes)))
    }

    /// Creates a resource from a file, at its `file:` URI: text if the file is UTF-8, bytes otherwise. The MIME type
    /// follows the extension; for an unknown extension it is `text/plain` or `application/octet-stream`.
    ///
    /// It reads the whole file and blocks meanwhile, so call it in tools that are a `fn`, or `blocking`.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Gives the report of the last night.
    /// #[mcp::tool]
    /// fn report() -> Result<EmbeddedResource, std::io::Error> {
    ///     EmbeddedResource::from_file("/srv/reports/last.csv")
    /// }
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> io::Result<EmbeddedResource> {
        let path = path.as_ref();
        let uri = files::to_file_uri(path)?;
        Ok(EmbeddedResource::from_contents(&uri, ResourceContents::from_file(path)?))
    }

    /// Embeds an item of the resource at `uri`.
    pub(crate) fn from_contents(uri: &str, item: ResourceContents) -> EmbeddedResource {
        let contents = match item.body {
            ContentsData::Text(text) => EmbeddedData::Text(text),
            ContentsData::Blob(blob) => EmbeddedData::Blob(blob),
        };
        let uri = item.uri.unwrap_or_else(|| uri.to_owned());
        EmbeddedResource { mime_type: item.mime_type, meta: item.meta, ..EmbeddedResource::new(uri, contents) }
    }

    fn new(uri: String, contents: EmbeddedData) -> EmbeddedResource {
        EmbeddedResource { uri, mime_type: None, contents, annotations: None, meta: Map::new() }
    }

    /// Sets the MIME type of the resource.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> EmbeddedResource {
        self.mime_type = Some(mime_type.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Revision;

    #[test]
    fn written_content_can_be_read_back() {
        let hints = Annotations::new().audience([Role::User]).priority(0.5).last_modified("2026-07-28T00:00:00Z");
        for content in [
            Content::from(Text::new("a").annotations(hints).meta("com.example/a", 1)),
            Image::new([1, 2, 3], "image/png").into(),
            Audio::new([1, 2, 3], "audio/wav").meta("com.example/a", 1).into(),
        ] {
            let written = shown(content.clone(), Revision::V2026_07_28);
            assert_eq!(Content::read(&written), Some(content));
        }
        assert_eq!(Image::new([1, 2, 3], "image/png").bytes(), Some(vec![1, 2, 3]));
        for odd in
            [Value::Null, "a".into(), serde_json::json!({ "type": "text" }), serde_json::json!({ "type": "video" })]
        {
            assert_eq!(Content::read(&odd), None);
        }
    }

    fn shown(content: impl Into<Content>, revision: Revision) -> Value {
        serde_json::to_value(RevisionView(&content.into(), revision)).unwrap()
    }

    #[test]
    fn blocks_a_revision_lacks_become_text() {
        let audio = Audio::new(b"RIFF", "audio/wav");
        assert_eq!(shown(audio.clone(), Revision::V2024_11_05)["type"], "text");
        assert_eq!(shown(audio, Revision::V2025_03_26)["type"], "audio");
        let link = ResourceLink::new("file:///a", "a").title("The file").size(3);
        assert_eq!(shown(link.clone(), Revision::V2025_03_26)["text"], "The file: file:///a");
        assert_eq!(shown(link, Revision::V2025_06_18)["size"], 3);
    }

    #[test]
    fn newer_annotations_are_omitted_for_older_peers() {
        let hints = Annotations::new().audience([Role::User]).priority(3.0).last_modified("2026-01-01T00:00:00Z");
        let text = Text::new("x").annotations(hints).meta("com.example/a", 1);
        let old = shown(text.clone(), Revision::V2025_03_26);
        assert_eq!(old["annotations"], serde_json::json!({"audience": ["user"], "priority": 1.0}));
        assert!(old.get("_meta").is_none());
        let new = shown(text, Revision::V2026_07_28);
        assert_eq!(new["annotations"]["lastModified"], "2026-01-01T00:00:00Z");
        assert_eq!(new["_meta"], serde_json::json!({"com.example/a": 1}));
    }
}
