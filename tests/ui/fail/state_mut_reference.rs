use fastmcp_rs::prelude::*;

struct Orders;

/// Finds orders.
#[mcp::tool]
async fn find_orders(orders: &mut State<Orders>) -> u32 {
    let _ = orders;
    1
}

fn main() {}
