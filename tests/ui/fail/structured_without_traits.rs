use fastmcp_rs::prelude::*;

struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Structured<Order> {
    let text = id.clone();
    Structured::new(Order { id }).text(text)
}

fn main() {}
