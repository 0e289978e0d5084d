use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(icons = ["icons/greet.png", { src = "file:///greet.png" }])]
fn greet() {}

fn main() {}
