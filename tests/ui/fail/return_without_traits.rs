use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Order {
    Order { id }
}

fn main() {}
