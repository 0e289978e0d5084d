//! A problem of an app, and the list of the problems of one component.

use std::borrow::Cow;
use std::fmt;

/// A mistake in an app or in its settings, found before the app is served.
///
/// [`Error::problems`](crate::Error::problems) returns the problems for which an app does not start.
///
/// # Example
///
/// ```
/// use fastmcp_rs::App;
///
/// let error = App::empty("").check().unwrap_err();
/// let problem = &error.problems()[0];
/// assert_eq!(problem.subject(), "the server");
/// assert_eq!(problem.text(), "it has no name");
/// assert_eq!(problem.to_string(), format!("the server: it has no name: {}", problem.fix()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    subject: Text,
    location: Option<String>,
    text: Text,
    fix: Text,
}

/// A text of a problem, which is often a literal.
type Text = Cow<'static, str>;

impl Problem {
    pub(crate) fn new(subject: impl Into<Text>, text: impl Into<Text>, fix: impl Into<Text>) -> Problem {
        Problem { subject: subject.into(), location: None, text: text.into(), fix: fix.into() }
    }

    /// Sets the place in the author's source.
    pub(crate) fn at(self, location: impl Into<String>) -> Problem {
        Problem { location: Some(location.into()), ..self }
    }

    /// Returns the component or the setting that has the problem, such as ``tool `get_order` `` or
    /// `` `HttpConfig::path` ``.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the place of a component in the author's source, such as `src/main.rs:12`.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// Returns the problem.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the advice that solves the problem.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// Writes the problem on one line: ``tool `a` (src/main.rs:12): its name …: shorten it``.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { subject, location, text, fix } = self;
        match location {
            Some(location) => write!(formatter, "{subject} ({location}): {text}: {fix}"),
            None => write!(formatter, "{subject}: {text}: {fix}"),
        }
    }
}

/// The place in the source that defines a component.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Location {
    pub file: &'static str,
    pub line: u32,
    pub module_path: &'static str,
}

impl Location {
    pub const EMPTY: Location = Location { file: "", line: 0, module_path: "" };

    /// Returns true if both are on one line of one file.
    pub(crate) fn is_same_line(self, other: Location) -> bool {
        (self.file, self.line) == (other.file, other.line)
    }
}

impl From<&'static std::panic::Location<'static>> for Location {
    fn from(place: &'static std::panic::Location<'static>) -> Location {
        Location { file: place.file(), line: place.line(), module_path: "" }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// The problems of one subject.
#[derive(Debug)]
pub(crate) struct ProblemList {
    subject: Text,
    location: Option<String>,
    found: Vec<Problem>,
}

impl ProblemList {
    /// Starts the list of a component; `noun` is "tool", "resource" or "prompt".
    pub(crate) fn for_component(noun: &str, name: &str, location: Location) -> ProblemList {
        ProblemList { location: Some(location.to_string()), ..ProblemList::new(format!("{noun} `{name}`")) }
    }

    pub(crate) fn new(subject: impl Into<Text>) -> ProblemList {
        ProblemList { subject: subject.into(), location: None, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, text: impl Into<Text>, fix: impl Into<Text>) {
        self.push(text.into(), fix.into());
    }

    // Compiled once, however many checks there are.
    #[inline(never)]
    fn push(&mut self, text: Text, fix: Text) {
        let (subject, location) = (self.subject.clone(), self.location.clone());
        self.found.push(Problem { subject, location, text, fix });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.found
    }

    /// Returns the texts, for tests.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        self.found.iter().map(|problem| problem.text.clone().into_owned()).collect()
    }
}
