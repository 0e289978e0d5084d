//! Nothing but the documents, so that their code is compiled with everything that it names.
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/tools.md")]
pub mod tools {}
