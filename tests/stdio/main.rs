//! The examples and a fixture server over standard input and output, as clients see them.
//!
//! Every frame that arrives is checked against the official schema of its revision (`support::schema`).
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod components;
mod eras;

mod everything;
mod examples;
mod framing;
#[cfg(unix)]
mod lifecycle;
mod limits;
mod memory;
mod messages;
mod order_cancellation;
mod order_changes;
mod order_foreign_data;
mod order_manager;
mod order_notes;
mod panics;
mod printing;
mod properties;
mod reference_everything;
mod runtimes;
mod rust_sdk;
mod shutdown;
mod specification;
mod standard_streams;
mod states;
mod subscriptions;
mod tools;
mod utilities;
