//! Writes the generated code: data, `fn` pointers and calls into `fastmcp_rs::__private`, no logic.
//!
//! Hygiene: everything is named by an absolute path, locals are `__0`-like names of the macro's own,
//! and nothing is imported but the traits of the probes, which have no names.

mod attributes;
mod checks;
mod crate_path;
mod definition;
mod handler;
mod invoke;
mod main;
mod model;
mod server;

pub(crate) use handler::{expand_broken_handler, expand_handler};
pub(crate) use main::{expand_broken_main, expand_main};
pub(crate) use model::{expand_broken_model, expand_model};
pub(crate) use server::expand_server;
