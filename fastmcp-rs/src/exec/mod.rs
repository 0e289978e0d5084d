//! Threads and waiting: the pool for blocking handlers, backoff before a thread sleeps, the paused clock of tests.
//!
//! The room knows no call.

pub(crate) mod backoff;
pub(crate) mod paused_clock;
pub(crate) mod runtime;
pub(crate) mod thread_pool;
