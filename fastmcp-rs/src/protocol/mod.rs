//! JSON-RPC frames, methods, revisions, `_meta` and errors.
//!
//! The room knows the specification and JSON text: no tools, no sockets, no state.

pub(crate) mod cache;
pub(crate) mod client_facts;
pub(crate) mod frame;
pub(crate) mod id;
pub(crate) mod level;
pub(crate) mod method;
pub(crate) mod outcome;
pub(crate) mod revision;
pub(crate) mod server_info;
pub(crate) mod trace_context;
pub(crate) mod write;

pub use cache::CacheScope;
pub use level::LoggingLevel;
pub(crate) use method::ProtocolMethod;
pub(crate) use outcome::Outcome;
pub use revision::{Feature, Revision};
