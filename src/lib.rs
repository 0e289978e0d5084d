//! Nothing but the documents, so that their code is compiled with everything that it names.
// They show tests as they stand in a test file.
#![allow(clippy::test_attr_in_doctest)]
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/tools.md")]
pub mod tools {}

#[doc = include_str!("../docs/resources.md")]
pub mod resources {}

#[doc = include_str!("../docs/prompts.md")]
pub mod prompts {}

#[doc = include_str!("../docs/middleware.md")]
pub mod middleware {}

#[doc = include_str!("../docs/subscriptions.md")]
pub mod subscriptions {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
