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
/// A parameter of such a type is not in the input schema, and a call with a value for it is rejected. [`Context`] and
/// [`State`] implement this trait; your own types can implement it too: a tenant, a unit of work, a connection from a
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
    type Error: Into<ToolError> + Send;

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

impl FromContext for Context {
    type Error = Infallible;

    async fn from_context(context: &Context) -> Result<Self, Infallible> {
        Ok(context.clone())
    }
}

/// A value of the app, by type: the value that was passed to [`App::state`](crate::App::state).
///
/// It dereferences to the value and is cheap to clone. A server does not start if a tool takes a state that the app
/// does not have; the error names the type and the tools.
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
pub struct State<T: ?Sized>(Arc<T>);

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
        &self.0
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        State(Arc::clone(&self.0))
    }
}

impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for State<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("State").field(&&*self.0).finish()
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
