//! Layers: code around every operation of a server.
//!
//! A [`Layer`] is one `async` method that is given what is asked ([`Operation`]) and the rest of the way
//! ([`Next`]). It may look, change the arguments, answer by itself, change the answer, or refuse. Layers are added
//! with [`App::layer`](crate::App::layer); the first one added is the outermost: it sees an operation first and its
//! answer last.
//!
//! The module is called by what it holds, as `App::layer` is: "middleware" in other frameworks.
//!
//! # What passes through layers
//!
//! `tools/call`, `resources/read`, `prompts/get`, `completion/complete`, the four lists and `server/discover`, and
//! also what a handler reads of its siblings ([`Context::read_resource`](crate::Context::read_resource)). The
//! component is looked up before: what does not exist is refused without them. Arguments are decoded and checked
//! inside, so a layer sees them as they came, and may mend them. `initialize`, `ping` and notifications are the
//! protocol's own business.
//!
//! # Promises
//!
//! What holds for a handler holds for the layers around it: they end with it when the call is cancelled or takes
//! too long, a panic of a layer is an answer, and each request is answered once. A handler's panic reaches a layer
//! as an answer that is an error. A handler that asks its client something
//! ([`Context::elicit`](crate::Context)) may be dropped and run again from the beginning, and so may the layers.
//!
//! # Why one trait with one method
//!
//! A hook for each kind of operation would be eight methods of which most do nothing, and each author would write
//! the common part eight times; [`Operation::kind`] tells them apart where that matters. Answers are kept as
//! JSON text, and parsed only for a layer that looks: most do not. An app without layers pays one comparison a call.
//!
//! # Example
//!
//! ```
//! use fastmcp_rs::layers::{self, RateLimit, ResultSizeLimit, Timing};
//! use fastmcp_rs::prelude::*;
//!
//! /// Doubles a number.
//! #[mcp::tool]
//! fn double(number: i64) -> i64 {
//!     number * 2
//! }
//!
//! let app = App::empty("numbers")
//!     .tool::<double>()
//!     .layer(Timing::new())
//!     .layer(RateLimit::per_second(10.0).burst(20))
//!     .layer(ResultSizeLimit::bytes(100_000))
//!     .layer(layers::from_fn(|operation, next| async move {
//!         if operation.name() == "double" && operation.context().client_info().name.is_none() {
//!             return Err(ToolError::new("say who you are").into());
//!         }
//!         next.run(operation).await
//!     }));
//! app.check().unwrap();
//! ```

mod chain;
mod operation;
mod rate_limit;
mod reply;
mod result_size_limit;
mod structured_logging;
mod timing;
mod watch;

use std::future::Future;

pub use chain::Next;
pub(crate) use chain::{Chain, Core, ErasedLayer, OperationFuture};
pub use operation::{Kind, Operation};
pub use rate_limit::RateLimit;
pub(crate) use reply::Form;
pub use reply::{Refusal, Replacement, Reply};
pub use result_size_limit::ResultSizeLimit;
pub use structured_logging::StructuredLogging;
pub use timing::{Measurement, Timing};
pub use watch::Outcome;

/// Code around every operation of an app; see [the module](self).
///
/// # Example
///
/// ```
/// use fastmcp_rs::layers::{Kind, Layer, Next, Operation, Refusal, Reply};
/// use fastmcp_rs::prelude::*;
///
/// /// Lets nobody call tools at night.
/// struct OfficeHours;
///
/// impl Layer for OfficeHours {
///     async fn handle(&self, operation: Operation, next: Next) -> Result<Reply, Refusal> {
///         # let is_night = false;
///         if operation.kind() == Kind::CallTool && is_night {
///             // The model reads this.
///             return Err(ToolError::new("The office is closed: try again after 8 a.m.").into());
///         }
///         next.run(operation).await
///     }
/// }
///
/// let app = App::empty("office").layer(OfficeHours);
/// # let _ = app;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    note = "implement `fastmcp_rs::layers::Layer` for it; a closure goes into `fastmcp_rs::layers::from_fn`"
)]
pub trait Layer: Send + Sync + 'static {
    /// Handles an operation: [`next.run(operation)`](Next::run) goes on with it.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] ends the operation here: `?` makes one of a [`ToolError`](crate::ToolError), which the model
    /// reads as the failure of the tool, and of every other error, which only the operator reads.
    fn handle(&self, operation: Operation, next: Next) -> impl Future<Output = Result<Reply, Refusal>> + Send;
}

/// A layer made of a closure or a function.
///
/// # Example
///
/// ```
/// use fastmcp_rs::layers;
/// use fastmcp_rs::prelude::*;
///
/// let app = App::empty("x").layer(layers::from_fn(|operation, next| async move {
///     println!("{} {}", operation.method(), operation.name());
///     next.run(operation).await
/// }));
/// # let _ = app;
/// ```
pub fn from_fn<F, Fut>(function: F) -> impl Layer
where
    F: Fn(Operation, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Refusal>> + Send + 'static,
{
    FromFn(function)
}

struct FromFn<F>(F);

impl<F, Fut> Layer for FromFn<F>
where
    F: Fn(Operation, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Refusal>> + Send + 'static,
{
    fn handle(&self, operation: Operation, next: Next) -> impl Future<Output = Result<Reply, Refusal>> + Send {
        (self.0)(operation, next)
    }
}
