//! Writes the generated code: data, `fn` pointers and calls into `fastmcp_rs::__private`, no logic.
//!
//! Hygiene: everything is named by an absolute path, locals are `__0`-like names of the macro's own,
//! and nothing is imported but the traits of the probes, which have no names.

mod crate_path;
mod definition;
mod handler;
mod main;
mod model;
mod server;

pub(crate) use handler::{broken_handler, handler};
pub(crate) use main::{broken_main, main};
pub(crate) use model::{broken_model, model};
pub(crate) use server::server;
