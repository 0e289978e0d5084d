//! Threads and waiting: the pool for blocking handlers, backoff before a thread sleeps, the paused clock of tests.
//!
//! The room knows no call. Look here for the threads of blocking handlers (`thread_pool.rs`) and for the checks of the
//! runtime that serves an app (`runtime.rs`).

pub(crate) mod backoff;
pub(crate) mod paused_clock;
pub(crate) mod runtime;
pub(crate) mod thread_pool;
