use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(tags = ["people", 1])]
fn greet() {}

fn main() {}
