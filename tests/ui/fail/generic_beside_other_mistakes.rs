use fastmcp_rs::prelude::*;

struct Order;

/// Finds orders.
#[mcp::tool]
fn find_orders<T>(customer: T, order: Order) -> Vec<Order> {
    let _ = customer;
    vec![order]
}

fn main() {}
