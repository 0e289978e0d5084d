//! Revisions of the protocol, in the order of their publication.

use std::fmt;

/// A revision of the Model Context Protocol.
///
/// Revisions compare by age, so `revision >= Revision::V2025_06_18` is true if the features of that revision are
/// available.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>
///
/// # Example
///
/// ```
/// use fastmcp_rs::Revision;
///
/// assert!(Revision::V2026_07_28 > Revision::V2025_11_25);
/// assert_eq!(Revision::parse("2025-06-18"), Some(Revision::V2025_06_18));
/// assert_eq!(Revision::V2025_03_26.to_string(), "2025-03-26");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// The first revision.
    V2024_11_05,
    /// Adds audio, tool annotations and completions; the only revision with batches.
    V2025_03_26,
    /// Adds structured output, titles, resource links and elicitation.
    V2025_06_18,
    /// Adds icons and elicitation by URL; the last revision with the `initialize` handshake.
    V2025_11_25,
    /// Stateless: every request carries the data about its client that the server needs.
    V2026_07_28,
}

impl Revision {
    /// All revisions that this library supports, newest first.
    pub const ALL: &'static [Revision] = &[
        Revision::V2026_07_28,
        Revision::V2025_11_25,
        Revision::V2025_06_18,
        Revision::V2025_03_26,
        Revision::V2024_11_05,
    ];

    /// The newest revision that the `initialize` handshake can negotiate.
    pub const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

    /// Returns the revision's name on the wire: a date, such as `2026-07-28`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Revision::V2024_11_05 => "2024-11-05",
            Revision::V2025_03_26 => "2025-03-26",
            Revision::V2025_06_18 => "2025-06-18",
            Revision::V2025_11_25 => "2025-11-25",
            Revision::V2026_07_28 => "2026-07-28",
        }
    }

    /// Parses the name of a revision; returns `None` if this library does not support it.
    pub fn parse(name: &str) -> Option<Revision> {
        Revision::ALL.iter().copied().find(|revision| revision.as_str() == name)
    }

    /// Returns true if this revision is stateless: no handshake, and `_meta` on every request.
    pub const fn is_modern(self) -> bool {
        matches!(self, Revision::V2026_07_28)
    }

    /// Returns a small number, for tables with one entry per revision.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
