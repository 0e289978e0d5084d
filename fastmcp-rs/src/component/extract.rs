//! Extractors, which are the injected parameters: values that a handler gets from the server, not from the client.

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use crate::context::Context;
use crate::error::ToolError;

/// A type that a tool can take as a parameter that is invisible to the client.
///
/// A parameter of such a type is not in the input schema, and a call with a value for it is rejected. [`Context`],
/// [`State`] and [`AppHandle`](crate::AppHandle) implement this trait; your own types can implement it too: a tenant, a unit of work, a connection from a
/// pool.
///
/// # Errors
///
/// An error ends the call before the tool's body runs. [`ToolError::new`] is shown to the model, and so are the visible
/// variants of an error type with [`#[derive(mcp::ToolError)]`](derive@crate::mcp::ToolError). Any other error is logged
/// (see [`ToolError`]).
///
/// # Example: a connection from a pool
///
/// ```
/// use fastmcp_rs::handler::{FromContext, Requirements};
/// use fastmcp_rs::prelude::*;
/// # #[derive(Clone)] struct Pool;
/// # struct Connection;
/// # impl Pool { async fn acquire(&self) -> Result<Connection, std::io::Error> { Ok(Connection) } }
///
/// struct Database(Connection);
///
/// impl FromContext for Database {
///     type Error = ToolError;
///
///     async fn from_context(context: &Context) -> Result<Self, ToolError> {
///         let pool: State<Pool> = State::from_context(context).await?;
///         Ok(Database(pool.acquire().await?))
///     }
///
///     // A server without the pool then does not start.
///     fn requirements(requirements: &mut Requirements) {
///         requirements.state::<Pool>();
///     }
/// }
///
/// /// Counts the orders.
/// #[mcp::tool]
/// async fn count_orders(database: Database) -> u64 {
///     # let _ = database.0;
///     42
/// }
/// ```
pub trait FromContext: Sized + Send + 'static {
    /// The error if the value cannot be created.
    type Error: ExtractorError;

    /// Creates the value for one call.
    fn from_context(context: &Context) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Declares the states that the app must have; they are checked when the server starts. The default declares none.
    fn requirements(requirements: &mut Requirements) {
        let _ = requirements;
    }

    /// True if the extractor uses the request, which is the default. An extractor that uses only states sets it to
    /// `false`: a call none of whose parameters needs the request is cheaper, and its context has no principal, no
    /// `_meta` and no client.
    const NEEDS_REQUEST: bool = true;
}

/// A type that can be the error of an extractor: [`ToolError`], or any type that converts into it, as every
/// `std::error::Error` does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an extractor",
    label = "a call cannot end with this type",
    note = "use `ToolError`: the model reads the text of `ToolError::new(..)`",
    note = "a type that implements `std::error::Error` is logged for the operator and hidden from the model; `Infallible` is for extractors that never fail"
)]
// `Into<ToolError>` is no supertrait, or rustc would report it instead of this trait.
pub trait ExtractorError: Send + Sized {
    /// Converts the error into the one that ends the call.
    #[doc(hidden)]
    fn into_tool_error(self) -> ToolError;
}

#[diagnostic::do_not_recommend]
impl<T: Into<ToolError> + Send> ExtractorError for T {
    fn into_tool_error(self) -> ToolError {
        self.into()
    }
}

/// Creates the value of an extractor for one call.
pub(crate) async fn extract<T: FromContext>(context: &Context) -> Result<T, ToolError> {
    T::from_context(context).await.map_err(ExtractorError::into_tool_error)
}

/// An extractor that a handler can also take as `Option<Self>`, which is `None` if the value is absent.
///
/// [`State`], [`Extension`](crate::handler::Extension) and [`ClientAddr`](crate::handler::ClientAddr) implement it.
/// Implement it for an extractor of your own if its absence is no error. The type then has two meanings: `T` fails the
/// call if there is no value, and `Option<T>` does not. An invalid value is an error in both.
///
/// # Example
///
/// ```
/// use fastmcp_rs::handler::{FromContext, OptionalFromContext};
/// use fastmcp_rs::prelude::*;
///
/// /// The name of the caller.
/// struct Caller(String);
///
/// impl FromContext for Caller {
///     type Error = ToolError;
///
///     async fn from_context(ctx: &Context) -> Result<Self, ToolError> {
///         Caller::optional_from_context(ctx).await?.ok_or_else(|| ToolError::new("Log in first."))
///     }
/// }
///
/// impl OptionalFromContext for Caller {
///     type Error = ToolError;
///
///     async fn optional_from_context(ctx: &Context) -> Result<Option<Self>, ToolError> {
///         Ok(ctx.principal().map(|principal| Caller(principal.id().to_owned())))
///     }
/// }
///
/// /// Greets the caller.
/// #[mcp::tool]
/// async fn greet(caller: Option<Caller>) -> String {
///     caller.map_or("Hello!".into(), |Caller(name)| format!("Hello, {name}!"))
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "testing")]
/// # {
/// let client = App::empty("greeter").tool::<greet>().test_client().await?;
/// assert_eq!(client.call("greet", ()).await?.text(), "Hello!");
/// # }
/// # Ok(())
/// # }
/// ```
pub trait OptionalFromContext: Sized + Send + 'static {
    /// The error if the value is present and invalid.
    type Error: ExtractorError;

    /// Creates the value for one call, or returns `None` if it is absent.
    fn optional_from_context(context: &Context) -> impl Future<Output = Result<Option<Self>, Self::Error>> + Send;

    /// Declares the states that the app must have even if the value is absent. The default declares none.
    fn requirements(requirements: &mut Requirements) {
        let _ = requirements;
    }

    /// True if the extractor uses the request, as in [`FromContext::NEEDS_REQUEST`].
    const NEEDS_REQUEST: bool = true;
}

impl<T: OptionalFromContext> FromContext for Option<T> {
    type Error = T::Error;

    fn from_context(context: &Context) -> impl Future<Output = Result<Self, T::Error>> + Send {
        T::optional_from_context(context)
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }

    const NEEDS_REQUEST: bool = T::NEEDS_REQUEST;
}

impl FromContext for Context {
    type Error = Infallible;

    async fn from_context(context: &Context) -> Result<Self, Infallible> {
        Ok(context.clone())
    }
}

/// A value of the app, by type: the value that was passed to [`App::state`](crate::App::state).
///
/// It dereferences to the value and is cheap to clone. A server does not start if a tool takes a state that the app
/// does not have; the error names the type and the tools. `Option<State<T>>` is `None` instead.
///
/// The pattern `State(value)` in a signature binds the `Arc` that holds the value, so a task can keep it.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// struct Greeting(String);
///
/// /// Greets a person.
/// #[mcp::tool]
/// async fn greet(name: &str, greeting: State<Greeting>) -> String {
///     format!("{}, {name}!", greeting.0)
/// }
///
/// let app = App::empty("greeter").state(Greeting("Good morning".into())).tool::<greet>();
/// assert!(app.check().is_ok());
/// assert!(App::empty("greeter").tool::<greet>().check().is_err());
/// ```
///
/// # Example: a pattern, and a state that may be absent
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use fastmcp_rs::prelude::*;
///
/// #[derive(Default)]
/// struct Visits(AtomicU64);
///
/// struct Motto(&'static str);
///
/// /// Counts a visit.
/// #[mcp::tool]
/// async fn visit(State(visits): State<Visits>, motto: Option<State<Motto>>) -> String {
///     let count = visits.0.fetch_add(1, Ordering::Relaxed) + 1;
///     format!("Visit {count}. {}", motto.map_or("", |motto| motto.0))
/// }
///
/// // The app has no `Motto`.
/// assert!(App::empty("guests").state(Visits::default()).tool::<visit>().check().is_ok());
/// ```
// An enum, because its variants have no fields that `.0` could reach: with `State<Greeting>`, `greeting.0` is the field
// of `Greeting`. The variant has the name of the type, so that the pattern is `State(value)`.
pub enum State<T: ?Sized> {
    /// The value, shared by all calls.
    State(Arc<T>),
}

pub use State::*;

impl<T: Send + Sync + 'static> State<T> {
    /// Creates a state outside of an app, for example to call a tool as a function in a test.
    pub fn new(value: T) -> State<T> {
        State(Arc::new(value))
    }

    pub(crate) fn from_arc(value: Arc<T>) -> State<T> {
        State(value)
    }

    /// Returns the state of the call's app.
    pub(crate) fn find(context: &Context) -> Result<State<T>, ToolError> {
        // The check at start-up finds missing states, except those of extractors that do not declare them.
        let missing = || ToolError::internal(format!("the app has no state of type `{}`", type_name::<T>()));
        context.state::<T>().map(State).ok_or_else(missing)
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let State(value) = self;
        value
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        let State(value) = self;
        State(Arc::clone(value))
    }
}

impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for State<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("State").field(&&**self).finish()
    }
}

impl<T: Send + Sync + 'static> FromContext for State<T> {
    type Error = ToolError;

    fn from_context(context: &Context) -> impl Future<Output = Result<Self, ToolError>> + Send {
        std::future::ready(State::find(context))
    }

    fn requirements(requirements: &mut Requirements) {
        requirements.state::<T>();
    }

    const NEEDS_REQUEST: bool = false;
}

impl<T: Send + Sync + 'static> OptionalFromContext for State<T> {
    type Error = Infallible;

    fn optional_from_context(context: &Context) -> impl Future<Output = Result<Option<Self>, Infallible>> + Send {
        std::future::ready(Ok(context.state::<T>().map(State)))
    }

    const NEEDS_REQUEST: bool = false;
}

/// The requirements that a tool's parameters have of the app.
#[derive(Debug, Default)]
pub struct Requirements {
    /// The names of required state types.
    pub(crate) states: BTreeMap<TypeId, &'static str>,
}

impl Requirements {
    /// Requires that a `T` is passed to [`App::state`](crate::App::state).
    pub fn state<T: Send + Sync + 'static>(&mut self) {
        self.states.insert(TypeId::of::<T>(), type_name::<T>());
    }
}
