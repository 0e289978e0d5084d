use fastmcp_rs::mcp;

/// Waits.
#[mcp::tool(timeout = "30 seconds")]
async fn wait() {}

fn main() {}
