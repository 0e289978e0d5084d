use fastmcp_rs::prelude::*;

/// Finds orders.
#[mcp::tool]
fn find() -> u32 {
    1
}

/// Finds customers.
#[mcp::tool]
fn find() -> u32 {
    2
}

fn main() {}
