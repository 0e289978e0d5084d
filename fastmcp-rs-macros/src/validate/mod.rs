//! Judges a parsed item. Every function here only reports: the first mistake never hides the next.

mod argument;
mod data;
mod handler;
mod main;
mod resource;
mod server;
mod signature;

pub(crate) use data::{check_data, item_kind};
pub(crate) use handler::check;
pub(crate) use main::check_main;
pub(crate) use server::{check_method, check_not_empty, check_server};
pub(crate) use signature::{has_placeholder, is_method};
