//! Error types: [`Error`] for the start and the run of a server, [`ToolError`] for a failing tool.

use std::any::type_name;
use std::error::Error as StdError;
use std::fmt;

use crate::checks::problem::Problem;

/// The reason that a server could not start, or that it stopped.
///
/// Its text names the fault, its place and the fix. A malformed message or a failing tool is never an `Error`: the
/// client gets a response.
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
    #[error("{}", list_problems(.0))]
    Configuration(Vec<Problem>),
    #[cfg(any(feature = "http", feature = "stdio"))]
    #[error("{context}: {source}")]
    Transport { context: std::borrow::Cow<'static, str>, source: std::io::Error },
    #[error("cannot create the state `{state}`: {}", Chain(&**.source))]
    Start { state: &'static str, source: Box<dyn StdError + Send + Sync> },
    #[error("{}", Chain(&**.0))]
    Other(Box<dyn StdError + Send + Sync>),
}

/// Formats one problem as it is, and several as a list.
fn list_problems(list: &[Problem]) -> String {
    match list {
        [only] => only.to_string(),
        many => {
            let lines: String = many.iter().map(|problem| format!("\n- {problem}")).collect();
            format!("{} problems:{lines}", many.len())
        }
    }
}

impl Error {
    pub(crate) fn configuration(problems: Vec<Problem>) -> Error {
        Error { kind: Kind::Configuration(problems) }
    }

    /// Reports that the value of a state could not be made.
    pub(crate) fn start(state: &'static str, source: Box<dyn StdError + Send + Sync>) -> Error {
        Error { kind: Kind::Start { state, source } }
    }

    #[cfg(any(feature = "http", feature = "stdio"))]
    pub(crate) fn transport(context: impl Into<std::borrow::Cow<'static, str>>, source: std::io::Error) -> Error {
        Error { kind: Kind::Transport { context: context.into(), source } }
    }

    /// Wraps a failure of the program itself, such as a database that cannot be opened, so that `main` can return it
    /// with the errors of this crate.
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

    /// Returns true if the app cannot be served as it is configured, for example because of a duplicate name, a missing
    /// state or an invalid default.
    pub fn is_configuration(&self) -> bool {
        matches!(self.kind, Kind::Configuration(_))
    }

    /// Returns the problems for which the app cannot be served as it is configured; none for other errors.
    pub fn problems(&self) -> &[Problem] {
        match &self.kind {
            Kind::Configuration(problems) => problems,
            _ => &[],
        }
    }

    /// Returns true if a transport could not be set up, or if reading or writing failed.
    pub fn is_transport(&self) -> bool {
        !matches!(self.kind, Kind::Configuration(_) | Kind::Start { .. } | Kind::Other(_))
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::configuration(vec![problem])
    }
}

/// Wraps an error of the program itself, as [`Error::other`] does.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::other(error)
    }
}

// `fn main() -> Result<(), Error>` prints the `Debug` form, so `Debug` prints the readable text.
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
            #[cfg(any(feature = "http", feature = "stdio"))]
            Kind::Transport { source, .. } => Some(source),
            Kind::Start { source, .. } => Some(&**source),
            Kind::Other(error) => error.source(),
        }
    }
}

type BoxedError = Box<dyn StdError + Send + Sync>;

/// A failure of a tool.
///
/// An error has one of two audiences. The text of [`ToolError::new`] is **for the model**: it describes the failure and
/// the fix. Every other error, which `?` converts, is **for the operator**: it is logged with its whole chain of causes
/// and a short id, and the model reads only that id, because such texts leak paths, queries and host names. During
/// development, [`App::show_errors`](crate::App::show_errors) shows them to the model as well.
///
/// `?` takes every type that implements [`std::error::Error`], and also `anyhow::Error` and `Box<dyn Error + Send +
/// Sync>`. In an error type of your own, [`#[derive(mcp::ToolError)]`](derive@crate::mcp::ToolError) marks the variants
/// that the model reads.
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
///     // An I/O error is logged; the model does not see the path of the notes.
///     Ok(std::fs::read_to_string(format!("/srv/notes/{day}.txt"))?)
/// }
/// ```
pub struct ToolError {
    pub(crate) audience: Audience,
}

pub(crate) enum Audience {
    /// The model reads this text.
    Model(String),
    /// The operator reads this error in the log.
    Operator(Box<dyn StdError + Send + Sync>),
}

impl ToolError {
    /// Creates an error whose text the model reads.
    pub fn new(text: impl Into<String>) -> ToolError {
        ToolError { audience: Audience::Model(text.into()) }
    }

    /// Creates an error whose text only the operator reads: it is logged, and the model reads a short id.
    ///
    /// `?` does this for most errors. Call this for a text, or to hide an error that the model would read otherwise.
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> ToolError {
        ToolError { audience: Audience::Operator(error.into()) }
    }

    /// Returns true if the model reads the text of this error.
    pub fn is_visible(&self) -> bool {
        matches!(self.audience, Audience::Model(_))
    }
}

// `ToolError` itself must not implement `Error`, or this impl would overlap with `From<T> for T`.
impl<E: Into<BoxedError>> From<E> for ToolError {
    fn from(error: E) -> ToolError {
        convert_boxed(error.into(), type_name::<E>())
    }
}

/// Converts an error that had the type `ty`: by the rules of the type inside the box, if they are registered.
#[cold]
#[inline(never)]
fn convert_boxed(mut error: BoxedError, ty: &str) -> ToolError {
    for RegisteredError(convert) in inventory::iter::<RegisteredError> {
        match convert(error) {
            Ok(converted) => return converted,
            Err(unchanged) => error = unchanged,
        }
    }
    // The compiler cannot refuse texts here, as it does where they are the error type of a handler.
    match ty {
        "&str" | "alloc::string::String" => {
            ToolError::internal(format!("{error} (for a text that the model reads, use `ToolError::new`)"))
        }
        _ => ToolError::internal(error),
    }
}

/// The registration of an error type by `#[derive(mcp::ToolError)]`: converts an error of that type, and returns any
/// other error unchanged.
#[doc(hidden)]
pub struct RegisteredError(pub fn(BoxedError) -> Result<ToolError, BoxedError>);

inventory::collect!(RegisteredError);

/// An error of a type with `#[derive(mcp::ToolError)]`, by its audience.
#[doc(hidden)]
pub enum TypedError<E> {
    /// The model reads the error's own text.
    Visible(E),
    /// The model reads this text.
    Text(String),
    /// The operator reads the error.
    Internal(E),
    /// The error is another one, to which its own rules apply.
    Transparent(ToolError),
}

/// A type with `#[derive(mcp::ToolError)]`.
#[doc(hidden)]
pub trait ClassifyError: Sized {
    fn classify(self) -> TypedError<Self>;
}

/// A type that is an error of any kind.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`#[derive(mcp::ToolError)]` needs an error type, and `{Self}` does not implement `std::error::Error`",
    label = "not an error type that threads can share",
    note = "derive `thiserror::Error` as well, or implement `Debug`, `Display` and `std::error::Error`",
    note = "the type must also be `Send`, `Sync` and `'static`"
)]
pub trait OwnedError: StdError + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: StdError + Send + Sync + 'static> OwnedError for E {}

/// Converts an error if it is an `E`, by the rules that the derive generated for `E`.
#[doc(hidden)]
pub fn convert_typed<E: ClassifyError + OwnedError>(error: BoxedError) -> Result<ToolError, BoxedError> {
    error.downcast::<E>().map(|error| match error.classify() {
        TypedError::Visible(error) => ToolError::new(error.to_string()),
        TypedError::Text(text) => ToolError::new(text),
        TypedError::Internal(error) => ToolError::internal(error),
        TypedError::Transparent(error) => error,
    })
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

/// Displays an error and all its causes on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut last = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat the text of their cause; it is printed once.
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
    fn the_question_mark_operator_makes_internal_errors() {
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
    fn a_text_that_is_converted_is_internal_and_names_the_fix() {
        let error = ToolError::from(String::from("no such order"));
        assert!(!error.is_visible());
        assert!(error.to_string().contains("ToolError::new"), "{error}");
        assert_eq!(ToolError::internal("no such order").to_string(), "no such order");
    }

    #[test]
    fn an_error_chain_shows_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the order was not saved")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(Chain(&Outer(std::io::Error::other("disk full"))).to_string(), "the order was not saved: disk full");
    }
}
