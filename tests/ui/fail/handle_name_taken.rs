use fastmcp_rs::prelude::*;

#[allow(non_camel_case_types)]
struct order {}

/// Reads an order.
#[mcp::tool]
fn order(id: u32) -> u32 {
    id
}

fn main() {}
