//! The authenticated identity behind a request.

use std::fmt;

use serde_json::{Map, Value};

use crate::util::type_map::TypeMap;

/// The identity that makes a request. The transport has verified it; it is never a mere claim of the client.
///
/// Requests on standard input and output have no principal: their user is the person who starts the server. Handlers
/// and layers get it from [`Context::principal`](crate::Context::principal).
///
/// # Example
///
/// ```
/// use fastmcp_rs::Principal;
/// use serde_json::json;
///
/// let ada = Principal::new("ada").claim("scope", "orders:read");
/// assert_eq!(ada.id(), "ada");
/// assert_eq!(ada.claims()["scope"], json!("orders:read"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Principal {
    id: String,
    claims: Map<String, Value>,
    extensions: TypeMap,
}

impl Principal {
    /// Creates a principal. `id` must be unique among all principals, and must never be reused for another one.
    pub fn new(id: impl Into<String>) -> Principal {
        Principal { id: id.into(), claims: Map::new(), extensions: TypeMap::default() }
    }

    /// Adds a fact about the principal, such as a claim of its token. A claim of the same name is replaced.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Principal {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Attaches a value for handlers, such as the record of the user, which they take as
    /// [`Extension<T>`](crate::handler::Extension). A value of the same type is replaced.
    ///
    /// It belongs to the request that was authenticated, even in a session that another request of the principal has
    /// opened. It is not compared: principals with the same id and the same claims are equal.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[derive(Clone)]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// /// Greets the caller.
    /// #[mcp::tool]
    /// async fn greet(Extension(user): Extension<User>) -> String {
    ///     format!("Hello, {}!", user.name)
    /// }
    ///
    /// // In the function of `App::authenticate`, once the credentials are verified:
    /// let principal = Principal::new("ada").extension(User { name: "Ada".into() });
    /// assert_eq!(principal, Principal::new("ada"));
    /// ```
    pub fn extension<T: Send + Sync + 'static>(mut self, value: T) -> Principal {
        self.extensions.insert(value);
        self
    }

    pub(crate) fn find_extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    pub(crate) fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Returns the unique id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Principal) -> bool {
        self.id == other.id && self.claims == other.claims
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims may be personal data, so they are not printed.
        formatter.debug_struct("Principal").field("id", &self.id).finish_non_exhaustive()
    }
}
