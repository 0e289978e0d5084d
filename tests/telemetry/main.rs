//! Telemetry: spans of requests, and metrics.
//!
//! A separate program, because the subscriber is global to the process.

#[allow(dead_code)]
#[path = "../http/client.rs"]
mod client;
mod metrics;
mod otel;
mod recorder;
mod spans;
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
mod tools;
