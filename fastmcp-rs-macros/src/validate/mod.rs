//! Judges a parsed item. Every function here only reports: the first mistake never hides the next.

mod argument;
mod data;
mod handler;
mod main;
mod resource;
mod signature;

pub(crate) use data::{check_data, item_kind};
pub(crate) use handler::{check, component_of};
pub(crate) use main::check_main;
pub(crate) use signature::{has_placeholder, is_method};
