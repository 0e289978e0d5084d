//! Judges a parsed tool. Every function here only reports: the first mistake never hides the next.

mod argument;
mod data;
mod main;
mod signature;
mod tool;

pub(crate) use data::{check_data, item_kind};
pub(crate) use main::check_main;
pub(crate) use signature::{has_placeholder, is_method};
pub(crate) use tool::{check, is_tool_attribute};
