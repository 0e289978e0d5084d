//! The outcome of a request, which travels beside the bytes of its response.

use std::fmt;

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The operation has a result.
    Ok,
    /// The tool returned a failed result.
    ToolError,
    /// The operation ended with the JSON-RPC error of this code.
    Error(i32),
    /// The operation was cancelled or timed out.
    Cancelled,
    /// The operation was dropped for another reason: the client is asked first and will repeat the call, or the server
    /// shuts down.
    Unfinished,
}

impl Outcome {
    /// Returns true if a response reports the outcome.
    #[cfg(feature = "http")]
    pub(crate) fn has_response(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::ToolError | Outcome::Error(_))
    }

    /// Returns the code of a JSON-RPC error.
    #[cfg(feature = "http")]
    pub(crate) fn error_code(self) -> Option<i32> {
        match self {
            Outcome::Error(code) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    /// Writes one word: `ok`, `tool_error`, `error`, `cancelled` or `unfinished`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Outcome::Ok => "ok",
            Outcome::ToolError => "tool_error",
            Outcome::Error(_) => "error",
            Outcome::Cancelled => "cancelled",
            Outcome::Unfinished => "unfinished",
        })
    }
}
