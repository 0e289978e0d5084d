use fastmcp_rs::prelude::*;

/// Finds orders.
#[mcp::tool]
fn find_orders(customer: &'static str) -> usize {
    customer.len()
}

fn main() {}
