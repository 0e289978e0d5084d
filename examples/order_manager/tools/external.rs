//! A tool that waits for a slow service without delaying other calls.

use std::time::Duration;

use fastmcp_rs::prelude::*;

/// Fetches data about a topic from an external service, which takes about a second.
///
/// Use this when the answer is not in the order database. Other calls continue meanwhile.
#[mcp::tool(read_only, open_world)]
async fn fetch_external_data(
    /// The topic, in plain words.
    query: &str,
) -> String {
    // Simulates a slow service. Awaiting releases the thread, so no other call waits for this one.
    tokio::time::sleep(Duration::from_secs(1)).await;
    format!("External data for: {query}")
}
