use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(name = "")]
fn greet() {}

fn main() {}
