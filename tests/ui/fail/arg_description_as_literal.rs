use fastmcp_rs::prelude::*;

/// Reads an order.
#[mcp::tool]
fn order(#[arg("The number of the order.")] id: u32) -> u32 {
    id
}

fn main() {}
