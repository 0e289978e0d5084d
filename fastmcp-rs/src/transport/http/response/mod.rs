//! The response side of HTTP: statuses, bodies, server-sent events, and their replay after a lost connection.

pub(crate) mod backlog;
pub(crate) mod body;
pub(crate) mod event;
pub(crate) mod plain;
pub(crate) mod replay;
pub(crate) mod sse;
pub(crate) mod status;
