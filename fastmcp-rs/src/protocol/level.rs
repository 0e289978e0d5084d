//! Severities of log messages.

use std::fmt;

use serde::Serialize;

/// The severity of a log message, from [`LoggingLevel::Debug`] to [`LoggingLevel::Emergency`].
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>
///
/// # Example
///
/// ```
/// use fastmcp_rs::LoggingLevel;
///
/// assert!(LoggingLevel::Error > LoggingLevel::Warning);
/// assert_eq!(LoggingLevel::parse("notice"), Some(LoggingLevel::Notice));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LoggingLevel {
    /// Details for debugging.
    Debug,
    /// General information.
    Info,
    /// A normal but significant event.
    Notice,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// A critical condition.
    Critical,
    /// Immediate action is required.
    Alert,
    /// The system is unusable.
    Emergency,
}

impl LoggingLevel {
    /// All levels, the least severe first.
    pub const ALL: &'static [LoggingLevel] = &[
        LoggingLevel::Debug,
        LoggingLevel::Info,
        LoggingLevel::Notice,
        LoggingLevel::Warning,
        LoggingLevel::Error,
        LoggingLevel::Critical,
        LoggingLevel::Alert,
        LoggingLevel::Emergency,
    ];

    /// Returns the level's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            LoggingLevel::Debug => "debug",
            LoggingLevel::Info => "info",
            LoggingLevel::Notice => "notice",
            LoggingLevel::Warning => "warning",
            LoggingLevel::Error => "error",
            LoggingLevel::Critical => "critical",
            LoggingLevel::Alert => "alert",
            LoggingLevel::Emergency => "emergency",
        }
    }

    /// Parses the name of a level; returns `None` if the protocol has no such level.
    pub fn parse(name: &str) -> Option<LoggingLevel> {
        LoggingLevel::ALL.iter().copied().find(|level| level.as_str() == name)
    }

    pub(crate) fn from_index(index: u8) -> Option<LoggingLevel> {
        LoggingLevel::ALL.get(usize::from(index)).copied()
    }
}

/// Writes the level's name on the wire.
impl fmt::Display for LoggingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
