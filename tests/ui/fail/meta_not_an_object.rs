use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(meta = ["people"])]
fn greet() {}

fn main() {}
