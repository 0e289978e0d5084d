//! Middleware: layers of code around every operation of a server.
//!
//! A [`Layer`] is one `async` method that gets an [`Operation`] and the rest of the chain ([`Next`]). It may inspect
//! the operation, change its arguments, respond to it, change its result, or reject it.
//! [`App::layer`](crate::App::layer) adds layers around the whole app; the first layer added is the outermost: it gets
//! each operation first and its result last.
//!
//! # Layers around one component
//!
//! Three forms put a layer around one tool, resource or prompt: the option `middleware` of its attribute, as in
//! `#[mcp::tool(middleware = Timing::new())]`; [`App::layer_for`](crate::App::layer_for) with a
//! [`Selector`](crate::visibility::Selector); and [`DynamicTool::middleware`](crate::dynamic::DynamicTool::middleware) and its
//! siblings. The layers of the app are outermost, then those of `layer_for`, then the component's own. In a mounted app,
//! all layers of the outer app come before all layers of the mounted one. Such layers wrap the calls, reads and
//! completions that address the component, and no list.
//!
//! # Operations that pass through layers
//!
//! Layers wrap `tools/call`, `resources/read`, `prompts/get`, `completion/complete`, the four lists, `server/discover`,
//! and the calls that handlers make to other components ([`Context::read_resource`](crate::Context::read_resource)).
//! The component is looked up first, so a request for an unknown component is rejected before any layer runs. Arguments
//! are decoded and checked inside of all layers, so a layer sees them as the client sent them, and may correct them.
//! `initialize`, `ping` and notifications do not pass through layers, because they belong to the protocol.
//!
//! # Guarantees
//!
//! The guarantees for a handler hold for the layers around it: they end together when the call is cancelled or times
//! out, a panic of a layer becomes an error response, and each request gets one response. A layer gets the panic of a
//! handler as a failed result. A handler that asks its client ([`Context::elicit`](crate::Context)) may be dropped and
//! run again from its beginning, and so may the layers around it.
//!
//! # Reasons for one trait with one method
//!
//! A hook per method of the protocol would be nine hooks, most of them empty, and each author would write the common
//! part nine times; [`Operation::method`] distinguishes the operations where that matters. Results are kept as JSON
//! text, and parsed only for a layer that reads them, because most layers do not. An app without layers pays one
//! comparison per call.
//!
//! # Example
//!
//! ```
//! use fastmcp_rs::middleware::{self, RateLimit, ResultSizeLimit, Timing};
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
//!     .layer(middleware::from_fn(|operation, next| async move {
//!         if operation.name() == "double" && operation.context().client_info().name.is_none() {
//!             return Err(ToolError::new("say who you are").into());
//!         }
//!         next.run(operation).await
//!     }));
//! app.check().unwrap();
//! ```

// The room knows components and the results of their handlers, but no registry and no engine. Look here for the
// built-in layers, and for the types with which a layer works.

pub(crate) mod attached;
mod chain;
mod logging;
mod observation;
mod rate_limit;
mod request;
mod response;
mod response_size;
mod timing;

use std::future::Future;

// rustc names this in its notes, by the path of a public module.
#[doc(hidden)]
pub use attached::add_layer;
pub use chain::Next;
pub(crate) use chain::{ErasedLayer, InnerHandler, LayerChain, OperationFuture};
pub use logging::StructuredLogging;
pub use rate_limit::RateLimit;
pub use request::Operation;
pub(crate) use response::{InnerResponse, ResponseFormat};
pub use response::{OperationError, OperationResult, Response};
pub use response_size::ResultSizeLimit;
pub use timing::{Measurement, Timing};

pub use crate::protocol::method::Method;
pub use crate::protocol::outcome::Outcome;

/// A layer of code around every operation of an app; see [the module](self).
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware::{Layer, Method, Next, Operation, OperationError, Response};
/// use fastmcp_rs::prelude::*;
///
/// /// Rejects tool calls at night.
/// struct OfficeHours;
///
/// impl Layer for OfficeHours {
///     async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
///         # let is_night = false;
///         if operation.method() == Method::CallTool && is_night {
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
    note = "implement `fastmcp_rs::middleware::Layer` for it; a closure goes into `fastmcp_rs::middleware::from_fn`"
)]
pub trait Layer: Send + Sync + 'static {
    /// Handles an operation; [`next.run(operation)`](Next::run) continues with it.
    ///
    /// # Errors
    ///
    /// An [`OperationError`] ends the operation here. `?` converts a [`ToolError`](crate::ToolError), which the model
    /// reads as the failure of the tool, and any other error, which only the operator reads.
    fn handle(&self, operation: Operation, next: Next)
    -> impl Future<Output = Result<Response, OperationError>> + Send;
}

/// Makes a layer from a closure or a function.
///
/// # Example
///
/// ```
/// use fastmcp_rs::middleware;
/// use fastmcp_rs::prelude::*;
///
/// let app = App::empty("x").layer(middleware::from_fn(|operation, next| async move {
///     println!("{} {}", operation.method().as_str(), operation.name());
///     next.run(operation).await
/// }));
/// # let _ = app;
/// ```
pub fn from_fn<F, Fut>(function: F) -> impl Layer
where
    F: Fn(Operation, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, OperationError>> + Send + 'static,
{
    FromFn(function)
}

struct FromFn<F>(F);

#[diagnostic::do_not_recommend]
impl<F, Fut> Layer for FromFn<F>
where
    F: Fn(Operation, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, OperationError>> + Send + 'static,
{
    fn handle(
        &self,
        operation: Operation,
        next: Next,
    ) -> impl Future<Output = Result<Response, OperationError>> + Send {
        (self.0)(operation, next)
    }
}
