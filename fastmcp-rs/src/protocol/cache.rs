//! Cache hints in results: the time and the scope for which a client may keep a result.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>

use std::time::Duration;

use crate::json::encode;

/// The clients that may share a cached result.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheScope {
    /// Only the client that sent the request. The default.
    #[default]
    Private,
    /// All clients: the result does not depend on the client.
    Public,
}

/// The cache hints of results for modern clients. By default results may not be kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CacheHints {
    pub(crate) ttl: Duration,
    pub(crate) scope: CacheScope,
}

impl CacheHints {
    /// Appends the hints as members of a result, each after a comma.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","ttlMs":"#);
        let milliseconds = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        // Serialising a number cannot fail.
        let _ = encode::write_json(out, &milliseconds);
        out.extend_from_slice(match self.scope {
            CacheScope::Private => br#","cacheScope":"private""#,
            CacheScope::Public => br#","cacheScope":"public""#,
        });
    }
}
