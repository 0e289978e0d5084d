use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows an order.
#[mcp::tool]
async fn show(order: Option<&Order>) -> usize {
    order.map_or(0, |order| order.id.len())
}

fn main() {}
