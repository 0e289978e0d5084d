use fastmcp_rs::mcp;

/// Waits.
#[mcp::tool(timeout = "30")]
async fn wait() {}

fn main() {}
