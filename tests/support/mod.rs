//! Shared parts of the integration tests: revisions and their messages, a client on raw pipes that can
//! misbehave in every way a real one might, and the official schemas for everything it receives.

pub mod client;
pub mod folder;
pub mod revision;
pub mod schema;

pub use client::{Frame, Server};
pub use folder::Folder;
pub use revision::Revision;
