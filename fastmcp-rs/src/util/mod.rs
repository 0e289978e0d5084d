//! Small tools that every room uses: caught panics, counts, locks, lines for the operator, combinators for futures.
//!
//! The room knows nothing of MCP.

pub(crate) mod catch_panic;
pub(crate) mod count;
pub(crate) mod fixed_settings;
#[cfg(any(feature = "http", feature = "stdio"))]
pub(crate) mod future;
pub(crate) mod operator_log;
pub(crate) mod sync;
pub(crate) mod type_map;
