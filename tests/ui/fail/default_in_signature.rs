use fastmcp_rs::prelude::*;

/// Lists the orders.
#[mcp::tool]
fn list(limit: u32 = 10) -> Vec<u32> {
    (0..limit).collect()
}

fn main() {}
