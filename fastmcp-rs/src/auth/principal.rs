//! The authenticated identity behind a request.

use std::fmt;

use serde_json::{Map, Value};

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
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Principal {
    id: String,
    claims: Map<String, Value>,
}

impl Principal {
    /// Creates a principal. `id` must be unique among all principals, and must never be reused for another one.
    pub fn new(id: impl Into<String>) -> Principal {
        Principal { id: id.into(), claims: Map::new() }
    }

    /// Adds a fact about the principal, such as a claim of its token. A claim of the same name is replaced.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Principal {
        self.claims.insert(name.into(), value.into());
        self
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

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims may be personal data, so they are not printed.
        formatter.debug_struct("Principal").field("id", &self.id).finish_non_exhaustive()
    }
}
