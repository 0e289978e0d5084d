//! JSON-RPC frames, methods, revisions, `_meta` and errors.
//!
//! The room knows the specification and JSON text: no tools, no sockets, no state. No other room names a revision or
//! spells a method. Look here for a difference between revisions (`Feature` in `revision.rs`), the name of a method
//! (`method.rs`), the members of a message (`frame.rs`), error codes and the writing of frames (`write.rs`), and the
//! [`Outcome`] that tells layers, metrics and HTTP how a request ended.

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
