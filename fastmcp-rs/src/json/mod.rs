//! JSON text: reading without a tree, escapes, and writing a value together with its own text.
//!
//! The room knows no JSON-RPC. Each reader and writer does what serde_json does, only with less work: `oracles.rs`
//! compares the two, in tests on every run and in the fuzz targets. Look here for the bounds of values in a text
//! (`reader.rs`), objects with known members (`object.rs`), arrays with a limit (`bounded_seq.rs`), escapes
//! (`encode.rs`, `unescape.rs`, `separators.rs`), and results that are sent twice (`dual_serializer/`).

pub(crate) mod absent;
pub(crate) mod bounded_seq;
pub(crate) mod dual_serializer;
pub(crate) mod encode;
pub(crate) mod object;
#[cfg(any(test, fuzzing))]
pub(crate) mod oracles;
pub(crate) mod reader;
pub(crate) mod separators;
pub(crate) mod unescape;
