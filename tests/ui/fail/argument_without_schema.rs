use fastmcp_rs::mcp;

#[derive(serde::Deserialize)]
struct Order {
    id: String,
}

/// Shows an order.
#[mcp::tool]
fn show(order: &Order) -> String {
    order.id.clone()
}

fn main() {}
