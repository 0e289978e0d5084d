//! HTTP requests: head, `Host` and `Origin` checks, CORS, authentication, body and its memory budget.

pub(crate) mod authenticate;
pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod head;
pub(crate) mod header_values;
pub(crate) mod host_origin;
pub(crate) mod memory;
