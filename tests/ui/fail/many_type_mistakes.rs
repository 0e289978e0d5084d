use fastmcp_rs::mcp;

struct Order {
    id: String,
}

/// Shows orders.
#[mcp::tool]
async fn show(orders: &[Order], other: Order, #[arg(default = "ten")] limit: u32) -> Result<Option<Order>, String> {
    orders.get(limit as usize).map(|_| Some(other)).ok_or_else(|| orders[0].id.clone())
}

fn main() {}
