//! What can go wrong: when a server starts ([`Error`]) and inside a tool ([`ToolError`]).

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// Why a server could not start, or why it stopped.
///
/// Its text names what is wrong, where, and what to do about it. A malformed message or a failing tool
/// is never an `Error`: it is answered.
///
/// # Example
///
/// ```
/// use fastmcp_rs::App;
///
/// let error = App::empty("").check().unwrap_err();
/// assert!(error.is_configuration());
/// assert!(error.to_string().contains("name"));
/// ```
pub struct Error {
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("{}", problems(.0))]
    Configuration(Vec<String>),
    #[error("{context}: {source}")]
    Transport { context: Cow<'static, str>, source: std::io::Error },
    #[error("the state `{state}` could not be made: {}", Chain(&**.source))]
    Start { state: &'static str, source: Box<dyn StdError + Send + Sync> },
    #[error("{}", Chain(&**.0))]
    Other(Box<dyn StdError + Send + Sync>),
}

/// One problem as it is, several as a list.
fn problems(list: &[String]) -> String {
    match list {
        [only] => only.clone(),
        many => format!("{} problems:\n- {}", many.len(), many.join("\n- ")),
    }
}

impl Error {
    pub(crate) fn configuration(problems: Vec<String>) -> Error {
        Error { kind: Kind::Configuration(problems) }
    }

    /// A state could not be made.
    pub(crate) fn start(state: &'static str, source: Box<dyn StdError + Send + Sync>) -> Error {
        Error { kind: Kind::Start { state, source } }
    }

    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn transport(context: impl Into<Cow<'static, str>>, source: std::io::Error) -> Error {
        Error { kind: Kind::Transport { context: context.into(), source } }
    }

    /// A failure of the program's own start, such as a database that cannot be opened, so that it can be
    /// returned from `main` beside ours.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::Error;
    ///
    /// let error = Error::other("the order database cannot be opened: set DATABASE_URL");
    /// assert_eq!(format!("{error:?}"), "the order database cannot be opened: set DATABASE_URL");
    /// ```
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error { kind: Kind::Other(error.into()) }
    }

    /// Whether the app cannot be served as it is configured: a name twice, a state missing, a wrong default.
    pub fn is_configuration(&self) -> bool {
        matches!(self.kind, Kind::Configuration(_))
    }

    /// Whether reading, writing or setting up a transport failed.
    pub fn is_transport(&self) -> bool {
        matches!(self.kind, Kind::Transport { .. })
    }
}

// `fn main() -> Result<(), Error>` prints the `Debug` form, so that is the readable one.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, formatter)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.kind {
            Kind::Configuration(_) => None,
            Kind::Transport { source, .. } => Some(source),
            Kind::Start { source, .. } => Some(&**source),
            Kind::Other(error) => error.source(),
        }
    }
}

/// A tool's failure.
///
/// It has two readers. [`ToolError::new`] is a text **for the model**: what went wrong and what to do
/// about it. Every other error, which `?` converts, is **for the operator**: it is logged with its whole
/// chain and a short id, and the model is told only that id, since such texts leak paths, queries and
/// host names. [`App::show_errors`](crate::App::show_errors) shows them to the model too, for development.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#error-handling>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Reads the notes of a day.
/// #[mcp::tool]
/// fn notes(day: u32) -> Result<String, ToolError> {
///     if day > 31 {
///         return Err(ToolError::new(format!("there is no day {day}: use 1 to 31")));
///     }
///     // An I/O error is logged; the model is not told where the notes are.
///     Ok(std::fs::read_to_string(format!("/srv/notes/{day}.txt"))?)
/// }
/// ```
pub struct ToolError {
    pub(crate) audience: Audience,
}

pub(crate) enum Audience {
    /// The model reads this text.
    Model(String),
    /// The operator reads this error.
    Operator(Box<dyn StdError + Send + Sync>),
}

impl ToolError {
    /// A failure whose text the model reads.
    pub fn new(text: impl Into<String>) -> ToolError {
        ToolError { audience: Audience::Model(text.into()) }
    }

    /// A failure that only the operator may read: it is logged, and the model is told a short id.
    ///
    /// `?` does this for every type that implements [`std::error::Error`]; this is for the others, such
    /// as `anyhow::Error` or a text.
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> ToolError {
        ToolError { audience: Audience::Operator(error.into()) }
    }

    /// Whether the model reads the text of this error.
    pub fn is_visible(&self) -> bool {
        matches!(self.audience, Audience::Model(_))
    }
}

// `ToolError` itself must not implement `Error`, or this would overlap with `From<T> for T`.
impl<E: StdError + Send + Sync + 'static> From<E> for ToolError {
    fn from(error: E) -> ToolError {
        ToolError::internal(error)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.audience {
            Audience::Model(text) => formatter.write_str(text),
            Audience::Operator(error) => fmt::Display::fmt(&Chain(&**error), formatter),
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_visible() { "visible" } else { "internal" };
        write!(formatter, "ToolError({kind}: {self})")
    }
}

/// An error and everything that caused it, on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut last = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat the text of their cause; once is enough.
            if !last.contains(&text) {
                write!(formatter, ": {text}")?;
            }
            last = text;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_mark_makes_internal_errors() {
        fn fails() -> Result<(), ToolError> {
            Err(std::io::Error::other("disk on fire"))?;
            Ok(())
        }
        let error = fails().unwrap_err();
        assert!(!error.is_visible());
        assert_eq!(error.to_string(), "disk on fire");
        assert!(ToolError::new("x").is_visible());
    }

    #[test]
    fn a_chain_tells_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the order was not saved")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(Chain(&Outer(std::io::Error::other("disk full"))).to_string(), "the order was not saved: disk full");
    }
}
