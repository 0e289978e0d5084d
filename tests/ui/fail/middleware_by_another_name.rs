use fastmcp_rs::prelude::*;

/// Counts the orders.
#[mcp::tool(layer = fastmcp_rs::middleware::Timing::new())]
fn count() -> u32 {
    3
}

fn main() {}
