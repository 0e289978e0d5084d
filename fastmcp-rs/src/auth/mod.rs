//! The identity of a caller.
//!
//! The room knows nothing of HTTP: transports make a [`Principal`](principal::Principal), and everything above reads it.

pub(crate) mod principal;
