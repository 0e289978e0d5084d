//! JSON text: reading without a tree, escapes, and writing a value together with its own text.
//!
//! The room knows no JSON-RPC. Tests compare each reader and writer with serde_json.

pub(crate) mod absent;
pub(crate) mod dual_serializer;
pub(crate) mod encode;
pub(crate) mod object;
pub(crate) mod reader;
pub(crate) mod separators;
pub(crate) mod unescape;
