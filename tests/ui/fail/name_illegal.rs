use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(name = "say hello")]
fn greet() {}

fn main() {}
