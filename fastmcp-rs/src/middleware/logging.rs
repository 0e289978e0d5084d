//! Logs one event per operation.

use std::future::Future;

use super::observation::{Observation, observe};
use super::timing::milliseconds;
use super::{Layer, Next, Operation, OperationError, Outcome, Response};

/// The most bytes of arguments in an event.
const MAX_ARGUMENTS: usize = 2_000;

/// Emits one `tracing` event per operation, with the target `fastmcp_rs::middleware`. Its level is `INFO` if the
/// outcome is `ok`, and `WARN` otherwise.
///
/// | field | value |
/// |---|---|
/// | `method` | the method, such as `tools/call` |
/// | `name` | the name of the tool or prompt, or the URI; absent for lists |
/// | `outcome` | `ok`, `tool_error`, `error`, `cancelled` (or timed out), `unfinished` (the client is asked first) |
/// | `error_code` | the code of the JSON-RPC error, if there is one |
/// | `duration_ms` | milliseconds with three decimals |
/// | `arguments_bytes`, `reply_bytes` | sizes of the arguments and of the result as JSON |
/// | `revision`, `client` | the client's revision of the protocol, and the name that the client gives |
/// | `principal` | the [id](crate::Principal::id) of the principal, if there is one |
/// | `arguments` | the arguments, only with [`StructuredLogging::arguments`] |
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware::StructuredLogging;
/// use fastmcp_rs::prelude::*;
///
/// let app = App::empty("logged").layer(StructuredLogging::new());
/// # let _ = app;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to an app"]
pub struct StructuredLogging {
    arguments: bool,
}

impl StructuredLogging {
    /// Logs operations without their arguments, which may contain secrets.
    pub fn new() -> StructuredLogging {
        StructuredLogging::default()
    }

    /// Sets whether the arguments are logged too, up to 2,000 bytes of them. Default: false.
    pub fn arguments(mut self, log: bool) -> StructuredLogging {
        self.arguments = log;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Layer for StructuredLogging {
    fn handle(
        &self,
        operation: Operation,
        next: Next,
    ) -> impl Future<Output = Result<Response, OperationError>> + Send {
        let asked = operation.clone();
        let shows_arguments = self.arguments;
        observe(operation, next, move |observation| log(&asked, &observation, shows_arguments))
    }
}

fn log(asked: &Operation, observation: &Observation, shows_arguments: bool) {
    let context = asked.context();
    let error_code = match observation.outcome {
        Outcome::Error(code) => Some(code),
        _ => None,
    };
    let client = context.client_info().name;
    let arguments = shows_arguments.then(|| {
        let text = asked.arguments_json();
        let end = (0..=text.len().min(MAX_ARGUMENTS)).rev().find(|&end| text.is_char_boundary(end));
        &text[..end.unwrap_or(0)]
    });
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                target: "fastmcp_rs::middleware",
                $level,
                method = asked.method().as_str(),
                name = Some(asked.name()).filter(|name| !name.is_empty()),
                outcome = %observation.outcome,
                error_code,
                duration_ms = milliseconds(observation.duration),
                arguments_bytes = asked.arguments_json().len(),
                reply_bytes = observation.reply_size,
                revision = context.revision().as_str(),
                client = client.as_deref(),
                principal = context.principal().map(crate::Principal::id),
                arguments,
                "handled"
            )
        };
    }
    match observation.outcome {
        Outcome::Ok => event!(tracing::Level::INFO),
        _ => event!(tracing::Level::WARN),
    }
}
