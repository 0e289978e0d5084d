use fastmcp_rs::mcp;

#[derive(schemars::JsonSchema)]
struct Order {
    id: String,
}

/// Shows an order.
#[mcp::tool]
fn show(order: Option<Order>) -> String {
    order.map(|order| order.id).unwrap_or_default()
}

fn main() {}
