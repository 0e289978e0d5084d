use fastmcp_rs::prelude::*;

#[mcp::model]
struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool(output_schema = Order)]
fn find(id: String) -> Result<Order, ToolError> {
    Ok(Order { id })
}

fn main() {}
