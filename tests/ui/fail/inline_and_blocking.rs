use fastmcp_rs::mcp;

/// Waits.
#[mcp::tool(inline, blocking)]
fn wait() {}

fn main() {}
