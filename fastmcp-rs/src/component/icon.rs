//! Icons that clients may show beside a component.

use serde_json::{Map, Value};

use super::definition::{DefinitionText, IconDefinition};
use crate::checks::icons::check_icon;
use crate::checks::problem::ProblemList;

/// An icon that clients may show beside a tool, a resource or a prompt. Peers before 2025-11-25 do not get it.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic#icons>
///
/// # Example
///
/// ```
/// use fastmcp_rs::{Icon, IconTheme};
///
/// let icon = Icon::new("https://example.com/orders.png").mime_type("image/png").size("48x48").theme(IconTheme::Dark);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Icon {
    src: DefinitionText,
    mime_type: Option<DefinitionText>,
    sizes: Vec<DefinitionText>,
    theme: Option<DefinitionText>,
}

/// The background that an [`Icon`] is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IconTheme {
    /// A light background.
    Light,
    /// A dark background.
    Dark,
}

impl IconTheme {
    /// Returns the name of the theme in the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            IconTheme::Light => "light",
            IconTheme::Dark => "dark",
        }
    }
}

impl Icon {
    /// Creates an icon from a URL: `https:`, `http:`, or the image itself as `data:`.
    pub fn new(src: impl Into<String>) -> Icon {
        Icon { src: DefinitionText::Owned(src.into()), mime_type: None, sizes: Vec::new(), theme: None }
    }

    /// Sets the image's MIME type, if the URL does not show it.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Icon {
        self.mime_type = Some(DefinitionText::Owned(mime_type.into()));
        self
    }

    /// Adds a size in which the image can be shown: `"48x48"`, or `"any"`. Call it once per size.
    pub fn size(mut self, size: impl Into<String>) -> Icon {
        self.sizes.push(DefinitionText::Owned(size.into()));
        self
    }

    /// Sets the background that the image is made for. Default: any.
    pub fn theme(mut self, theme: IconTheme) -> Icon {
        self.theme = Some(theme.as_str().into());
        self
    }

    pub(crate) fn check(&self, problems: &mut ProblemList) {
        check_icon(&self.src, self.sizes.iter().map(DefinitionText::as_ref), problems);
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("src".into(), self.src.as_ref().into());
        if let Some(mime_type) = &self.mime_type {
            entry.insert("mimeType".into(), mime_type.as_ref().into());
        }
        if !self.sizes.is_empty() {
            entry.insert("sizes".into(), self.sizes.iter().map(DefinitionText::as_ref).collect());
        }
        if let Some(theme) = &self.theme {
            entry.insert("theme".into(), theme.as_ref().into());
        }
        entry.into()
    }
}

impl From<&IconDefinition> for Icon {
    fn from(icon: &IconDefinition) -> Icon {
        Icon {
            src: icon.src.into(),
            mime_type: icon.mime_type.map(DefinitionText::from),
            sizes: icon.sizes.iter().copied().map(DefinitionText::from).collect(),
            theme: icon.theme.map(DefinitionText::from),
        }
    }
}
