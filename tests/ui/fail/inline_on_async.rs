use fastmcp_rs::mcp;

/// Waits.
#[mcp::tool(inline)]
async fn wait() {}

fn main() {}
