use std::collections::HashMap;

use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows orders.
#[mcp::tool]
async fn show(orders: HashMap<String, Option<Order>>) -> usize {
    orders.values().flatten().map(|order| order.id.len()).sum()
}

/// Lists orders.
#[mcp::tool]
async fn list() -> Result<HashMap<String, Vec<Order>>, fastmcp_rs::ToolError> {
    Ok(HashMap::new())
}

fn main() {}
