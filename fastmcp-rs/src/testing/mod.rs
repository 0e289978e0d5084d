//! Tests of an app in the process of the test: without pipes, ports or a second program.
//!
//! [`App::test_client`](crate::App::test_client) creates a client that speaks every revision of the protocol, answers
//! requests of the server by scripts, and collects notifications. Its frames are really encoded, and pass through the
//! code that serves standard input, so a test sees exactly what a client gets. [`assert_tools_snapshot!`] guards the
//! published tools against unintended changes. [`RawClient`] is for tests of the protocol itself.
//!
//! Tests may pause the clock (tokio's feature `test-util`): time limits and sleeps of 30 seconds then pass at once. The
//! clock stands still while a `fn` runs on a thread of its own.
//!
//! # Example: a tool that is too slow
//!
//! ```
//! use std::time::Duration;
//!
//! use fastmcp_rs::prelude::*;
//! use serde_json::json;
//!
//! /// Asks a service that does not answer.
//! #[mcp::tool(timeout = "10s")]
//! async fn ask_service() -> String {
//!     tokio::time::sleep(Duration::from_secs(30)).await;
//!     "answered".into()
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
//! # runtime.block_on(async {
//! // In a `#[tokio::test(start_paused = true)]`:
//! let client = App::empty("services").tool::<ask_service>().test_client().await?;
//! let reply = client.call("ask_service", json!({})).await?;
//! assert!(reply.is_error());
//! assert_eq!(reply.text(), "`ask_service` timed out after 10s.");
//! # Ok(())
//! # })
//! # }
//! ```

// The room is above all others: none of them uses it. Look here for the methods of the test client (`client.rs`), its
// scripts (`scripts.rs`) and the lock file of tools (`snapshot.rs`).

mod builder;
mod client;
mod dispatcher;
mod peer;
mod raw_client;
mod reply;
mod request;
mod scripts;
mod snapshot;
mod subscription;
pub(crate) mod subscription_filter;
#[cfg(test)]
mod tests;

pub use builder::TestClientBuilder;
pub use client::TestClient;
#[doc(hidden)]
pub use dispatcher::Origin;
pub use raw_client::RawClient;
pub use reply::{CompletionReply, Notification, PromptReply, RequestError, ResourceReply, ToolReply};
pub use request::Request;
pub use scripts::{ClientReply, ElicitationQuestion, SamplingQuestion};
#[doc(hidden)]
pub use snapshot::__assert_tools_snapshot;
pub use snapshot::ToolsSnapshot;
pub use subscription::Subscription;
pub use subscription_filter::SubscriptionFilter;

pub use crate::assert_tools_snapshot;
