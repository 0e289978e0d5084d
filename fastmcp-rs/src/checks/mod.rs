//! Checks of an app and its settings before it is served, and warnings about tools that clients may reject.
//!
//! Every check reports a [`Problem`](problem::Problem): its subject, the place in the author's source, the text and the
//! fix. The functions get plain data, so every room from components up to the app can call them. Look here for a check
//! at start; `vendors.rs` only warns. The macros check at compile time whatever they can see.

pub(crate) mod components;
pub(crate) mod conflicts;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod icons;
pub(crate) mod mirrors;
pub(crate) mod names;
pub(crate) mod parameters;
pub(crate) mod problem;
pub(crate) mod schemas;
pub(crate) mod states;
pub(crate) mod templates;
pub(crate) mod vendors;
