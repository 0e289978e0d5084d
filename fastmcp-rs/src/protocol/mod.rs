//! The wire format: JSON-RPC frames, revisions, `_meta`, content and errors.
//!
//! This room knows the specification and nothing else: no tools, no sockets, no state. Differences between revisions
//! are resolved here, so that the rooms above work with one protocol.

pub(crate) mod cache;
pub(crate) mod content;
pub(crate) mod frame;
pub(crate) mod id;
pub(crate) mod level;
pub(crate) mod object;
pub(crate) mod reader;
pub(crate) mod revision;
pub(crate) mod separators;
pub(crate) mod server_info;
pub(crate) mod text_of_json;
pub(crate) mod unescape;
pub(crate) mod write;

pub use cache::CacheScope;
pub use content::{Annotations, Audio, Content, EmbeddedResource, Image, ResourceLink, Role};
pub use level::Level;
pub use revision::Revision;
