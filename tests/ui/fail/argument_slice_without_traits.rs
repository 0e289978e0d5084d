use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows orders.
#[mcp::tool]
async fn show(orders: &[Order]) -> usize {
    orders.iter().map(|order| order.id.len()).sum()
}

fn main() {}
