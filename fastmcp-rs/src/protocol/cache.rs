//! How long, and for whom, an answer may be kept.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>

use std::time::Duration;

use super::write;

/// Who may share a cached answer.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheScope {
    /// Only the client that asked. The default.
    #[default]
    Private,
    /// Everybody: the answer says nothing that depends on who asks.
    Public,
}

/// What modern answers say about keeping them. By default they may not be kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CacheHints {
    pub(crate) ttl: Duration,
    pub(crate) scope: CacheScope,
}

impl CacheHints {
    /// Appends the members of a result, each after a comma.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","ttlMs":"#);
        let milliseconds = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        // A number always has a JSON form.
        let _ = write::json(out, &milliseconds);
        out.extend_from_slice(match self.scope {
            CacheScope::Private => br#","cacheScope":"private""#,
            CacheScope::Public => br#","cacheScope":"public""#,
        });
    }
}
