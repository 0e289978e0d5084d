use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows an order.
#[mcp::tool]
fn show(order: Order) -> String {
    order.id
}

fn main() {}
