//! The facts that a legacy client gives about itself when its session begins.

/// The facts that a legacy client gave about itself when its session began, as JSON text. Parsed values can take many
/// times the memory, and a server may have thousands of sessions.
#[derive(Debug, Default)]
pub(crate) struct ClientDeclaration {
    pub(crate) info: Option<Box<str>>,
    pub(crate) capabilities: Option<Box<str>>,
}

impl ClientDeclaration {
    /// Returns the size in bytes.
    #[cfg(feature = "http")]
    pub(crate) fn size(&self) -> usize {
        [&self.info, &self.capabilities].into_iter().flatten().map(|text| text.len()).sum()
    }
}
