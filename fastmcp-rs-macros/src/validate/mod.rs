//! Checks parsed items.
//!
//! Every check only reports and never stops, so that the first mistake does not hide the next.

mod argument;
mod handler;
mod item;
mod main;
mod model;
mod resource;
mod serde;
mod server;
mod signature;
mod tool_error;

pub(crate) use handler::{CheckableTypes, check_handler, find_checkable_types};
pub(crate) use item::{
    is_closure, report_non_function, report_non_impl_block, report_non_main, report_non_type, report_parameter_defaults,
};
pub(crate) use main::check_main;
pub(crate) use model::check_model;
pub(crate) use server::{check_distinct, check_method, check_not_empty, check_server_block};
pub(crate) use signature::{has_placeholder, is_method, report_surroundings};
pub(crate) use tool_error::check_tool_error;
