use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows orders.
#[mcp::tool]
async fn show(limit: u32, orders: Vec<Order>) -> String {
    orders.into_iter().take(limit as usize).map(|order| order.id).collect()
}

fn main() {}
