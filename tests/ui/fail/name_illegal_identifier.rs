use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool]
fn grüße() {}

fn main() {}
