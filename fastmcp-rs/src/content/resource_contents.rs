//! The contents of a resource: a text or bytes, with a media type and annotations.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::content::files;
use crate::json::dual_serializer::to_string;

/// One item of a resource's contents: text or bytes.
///
/// Most resources return a text, bytes or a value; use this type for several items, or for an item with its own URI,
/// MIME type or `_meta`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#resource-contents>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// The reports of a year.
/// #[mcp::resource("reports://{year}")]
/// fn reports(year: u16) -> Vec<ResourceContents> {
///     vec![
///         ResourceContents::text("# Summary").mime_type("text/markdown"),
///         ResourceContents::blob(b"%PDF").mime_type("application/pdf").uri(format!("reports://{year}/print")),
///     ]
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ResourceContents {
    pub(crate) uri: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) body: ContentsData,
    pub(crate) meta: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ContentsData {
    Text(String),
    /// Base64.
    Blob(String),
}

impl ResourceContents {
    fn from_data(body: ContentsData) -> ResourceContents {
        ResourceContents { uri: None, mime_type: None, body, meta: Map::new() }
    }

    /// Creates an item of text.
    pub fn text(text: impl Into<String>) -> ResourceContents {
        ResourceContents::from_data(ContentsData::Text(text.into()))
    }

    /// Creates an item of bytes and encodes them as Base64.
    pub fn blob(bytes: impl AsRef<[u8]>) -> ResourceContents {
        ResourceContents::from_data(ContentsData::Blob(BASE64_STANDARD.encode(bytes)))
    }

    /// Creates an item of JSON: text of type `application/json`.
    ///
    /// # Errors
    ///
    /// Fails if a part of the value has no JSON form: a float that is NaN or infinite, or a map key that is not a
    /// string, a number or a boolean. The error names the place of that part.
    pub fn json(value: &impl Serialize) -> Result<ResourceContents, serde_json::Error> {
        Ok(ResourceContents::text(to_string(value)?).mime_type("application/json"))
    }

    /// Creates an item from a file: text if the file is UTF-8, bytes otherwise. The MIME type follows the extension; for
    /// an unknown extension it is `text/plain` or `application/octet-stream`.
    ///
    /// It reads the whole file and blocks meanwhile, so call it in a resource that is a `fn`, or `blocking`.
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
    /// /// The report of a day.
    /// #[mcp::resource("reports://{day}")]
    /// fn report(day: &str) -> std::io::Result<ResourceContents> {
    ///     ResourceContents::from_file(format!("/srv/reports/{day}.csv"))
    /// }
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> io::Result<ResourceContents> {
        let path = path.as_ref();
        let mime_type = files::guess_mime_type(path);
        Ok(match String::from_utf8(files::read_file(path)?) {
            Ok(text) => ResourceContents::text(text).mime_type(mime_type.unwrap_or("text/plain")),
            Err(error) => {
                ResourceContents::blob(error.as_bytes()).mime_type(mime_type.unwrap_or("application/octet-stream"))
            }
        })
    }

    /// Returns the item's text, or `None` if it has bytes.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ContentsData::Text(text) => Some(text),
            ContentsData::Blob(_) => None,
        }
    }

    /// Returns the item's bytes, or `None` if it has text.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &self.body {
            ContentsData::Text(_) => None,
            ContentsData::Blob(blob) => BASE64_STANDARD.decode(blob).ok(),
        }
    }

    /// Sets the item's URI, if it differs from the URI that was read, for example for a part of the resource.
    pub fn uri(mut self, uri: impl Into<String>) -> ResourceContents {
        self.uri = Some(uri.into());
        self
    }

    /// Sets the item's MIME type, if it differs from the resource's MIME type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> ResourceContents {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Adds a member to the item's `_meta`. Peers before 2025-06-18 do not get it.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> ResourceContents {
        self.meta.insert(key.into(), value.into());
        self
    }
}
