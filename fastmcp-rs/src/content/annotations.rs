//! Hints about a block for the client.

use serde::Deserialize as _;
use serde_json::Value;

/// The intended audience of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The person who uses the client.
    User,
    /// The model.
    Assistant,
}

/// Hints about a block: its audience, its priority and the time of its last change.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#annotations>
///
/// # Example
///
/// ```
/// use fastmcp_rs::content::{Annotations, Role};
///
/// let hints = Annotations::new().audience([Role::User]).priority(0.8);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Annotations {
    pub(super) audience: Vec<Role>,
    pub(super) priority: Option<f64>,
    pub(super) last_modified: Option<String>,
}

impl Annotations {
    /// Creates annotations without any hints.
    pub fn new() -> Annotations {
        Annotations::default()
    }

    /// Sets the intended audience of the block.
    pub fn audience(mut self, audience: impl IntoIterator<Item = Role>) -> Annotations {
        self.audience = audience.into_iter().collect();
        self
    }

    /// Sets the priority of the block, from 0 (may be left out) to 1 (required). Values outside of this range are
    /// clamped; NaN removes the priority.
    pub fn priority(mut self, priority: f64) -> Annotations {
        self.priority = (!priority.is_nan()).then(|| priority.clamp(0.0, 1.0));
        self
    }

    /// Sets the time of the last change, as an ISO 8601 timestamp. Peers before 2025-06-18 do not get it.
    pub fn last_modified(mut self, timestamp: impl Into<String>) -> Annotations {
        self.last_modified = Some(timestamp.into());
        self
    }

    /// Reads hints that a client sent; invalid hints are ignored.
    pub(super) fn read(hints: &Value) -> Option<Annotations> {
        let hints = hints.as_object()?;
        let audience = hints.get("audience").and_then(|roles| Vec::<Role>::deserialize(roles).ok());
        let mut annotations = Annotations::new().audience(audience.unwrap_or_default());
        annotations.priority = hints.get("priority").and_then(Value::as_f64).map(|priority| priority.clamp(0.0, 1.0));
        annotations.last_modified = hints.get("lastModified").and_then(Value::as_str).map(str::to_owned);
        Some(annotations)
    }
}
