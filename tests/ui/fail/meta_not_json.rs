use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(meta = { "team": Team::People, count: 1 })]
fn greet() {}

fn main() {}
