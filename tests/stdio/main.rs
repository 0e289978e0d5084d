//! The examples and a fixture server over standard input and output, as clients see them.
//!
//! Every frame that arrives is checked against the official schema of its revision (`support::schema`).
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod components;
mod eras;

mod everything;
mod examples;
mod framing;
#[cfg(unix)]
mod lifecycle;
mod order_cancellation;
mod order_changes;
mod order_manager;
mod order_notes;
mod order_odd;
mod peers;
mod printing;
mod properties;
mod regressions;
mod reliability;
mod runtimes;
mod specification;
mod states;
mod subscriptions;
mod utilities;
