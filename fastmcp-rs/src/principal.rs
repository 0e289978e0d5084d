//! Who makes a request, as far as the transport knows.

use std::fmt;

use serde_json::{Map, Value};

/// Who makes a request: an identity that the transport has made sure of, never one that a client merely claims.
///
/// There is none on standard input and output, where whoever starts the server is the user.
/// [`Context::principal`](crate::Context::principal) gives it to handlers and layers.
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
pub struct Principal {
    id: String,
    claims: Map<String, Value>,
}

impl Principal {
    /// Somebody of that id, which tells them from everybody else, for ever.
    pub fn new(id: impl Into<String>) -> Principal {
        Principal { id: id.into(), claims: Map::new() }
    }

    /// Adds something that is known of them, such as a claim of their token.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Principal {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// What tells them from everybody else.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What else is known of them.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims may be personal.
        formatter.debug_struct("Principal").field("id", &self.id).finish_non_exhaustive()
    }
}
