//! Telemetry: spans of requests, and metrics.
//!
//! A program of its own: the subscriber is the process's.

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
