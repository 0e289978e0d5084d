use fastmcp_rs::prelude::*;

/// Reads an order.
#[mcp::tool("orders://{id}")]
fn order(id: u32) -> u32 {
    id
}

fn main() {}
