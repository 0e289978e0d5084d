use fastmcp_rs::{ToolError, mcp};

struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool]
async fn find(id: String) -> Result<Vec<Order>, ToolError> {
    Ok(vec![Order { id }])
}

fn main() {}
