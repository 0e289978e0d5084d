use fastmcp_rs::mcp;

#[derive(serde::Serialize)]
struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Option<Order> {
    Some(Order { id })
}

fn main() {}
