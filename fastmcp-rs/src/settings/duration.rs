//! The grammar of durations, which this crate shares with its macros.
//!
//! The source is `fastmcp-rs-macros/src/shared/duration.rs`, so that `timeout = "1m30s"` and an operator's `1m30s` mean
//! the same.

fastmcp_rs_macros::shared_source!(duration);
