//! Includes the pages of the book, so that their code is compiled.
//!
//! `tests/docs.rs` checks that each page is here, except the tutorial: its snippets are parts of one program, which
//! `tests/book/follow` builds.
// The pages show tests as in a test file.
#![allow(clippy::test_attr_in_doctest)]
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/introduction.md")]
pub mod introduction {}

#[doc = include_str!("../docs/clients.md")]
pub mod clients {}

#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}

#[doc = include_str!("../docs/for-assistants.md")]
pub mod for_assistants {}

#[doc = include_str!("../docs/tools.md")]
pub mod tools {}

#[doc = include_str!("../docs/models.md")]
pub mod models {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/state.md")]
pub mod state {}

#[doc = include_str!("../docs/resources.md")]
pub mod resources {}

#[doc = include_str!("../docs/prompts.md")]
pub mod prompts {}

#[doc = include_str!("../docs/progress.md")]
pub mod progress {}

#[doc = include_str!("../docs/questions.md")]
pub mod questions {}

#[doc = include_str!("../docs/middleware.md")]
pub mod middleware {}

#[doc = include_str!("../docs/subscriptions.md")]
pub mod subscriptions {}

#[doc = include_str!("../docs/dynamic.md")]
pub mod dynamic {}

#[doc = include_str!("../docs/composition.md")]
pub mod composition {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/deployment.md")]
pub mod deployment {}

#[doc = include_str!("../docs/http.md")]
pub mod http {}

#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

#[doc = include_str!("../docs/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("../docs/reference/tools.md")]
pub mod reference_tools {}

#[doc = include_str!("../docs/reference/resources.md")]
pub mod reference_resources {}

#[doc = include_str!("../docs/reference/prompts.md")]
pub mod reference_prompts {}

#[doc = include_str!("../docs/reference/types.md")]
pub mod reference_types {}

#[doc = include_str!("../docs/reference/app.md")]
pub mod reference_app {}

#[doc = include_str!("../docs/reference/errors.md")]
pub mod reference_errors {}

#[doc = include_str!("../docs/reference/settings.md")]
pub mod reference_settings {}

#[doc = include_str!("../docs/reference/limits.md")]
pub mod reference_limits {}

#[doc = include_str!("../docs/reference/revisions.md")]
pub mod reference_revisions {}

#[doc = include_str!("../docs/reference/features.md")]
pub mod reference_features {}

#[doc = include_str!("../docs/coming-from-fastmcp.md")]
pub mod coming_from_fastmcp {}

#[doc = include_str!("../docs/coming-from-rmcp.md")]
pub mod coming_from_rmcp {}

#[doc = include_str!("../docs/performance.md")]
pub mod performance {}

#[doc = include_str!("../docs/growth.md")]
pub mod growth {}

#[doc = include_str!("../docs/ARCHITECTURE.md")]
pub mod architecture {}

#[doc = include_str!("../docs/glossary.md")]
pub mod glossary {}
