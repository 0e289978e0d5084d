//! Writes the generated code: data, `fn` pointers and calls into `fastmcp_rs::__private`, without logic.
//!
//! Each macro has a file of its own, with a function for valid items and, except for `server` and `tool_error`, one for
//! items with mistakes. `model_checks`, `model_derives`, `model_fields` and `model_names` write parts of `model`. `invoke`, `definition`, `checks`,
//! `attributes` and `crate_path` write the parts that all share.
//!
//! Hygiene: all paths are absolute, and locals have names such as `__0` with the macro's own span. Only the traits of
//! the probes are imported, without names.

mod attributes;
mod checks;
mod crate_path;
mod definition;
mod editor;
mod handler;
mod invoke;
mod main;
mod model;
mod model_checks;
mod model_derives;
mod model_fields;
mod model_names;
mod server;
mod tool_error;

pub(crate) use editor::expand_handler_code;
pub(crate) use handler::{expand_broken_handler, expand_broken_method, expand_handler};
pub(crate) use main::{expand_broken_main, expand_main};
pub(crate) use model::{expand_broken_model, expand_model};
pub(crate) use server::expand_server;
pub(crate) use tool_error::expand_tool_error;
