use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(
    name = "greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet.greet."
)]
fn greet() {}

fn main() {}
