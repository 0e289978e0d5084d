use fastmcp_rs::prelude::*;

struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool(output_schema = Order)]
fn find(id: String) -> Result<ToolResult, ToolError> {
    let order = Order { id };
    Ok(ToolResult::text(order.id))
}

fn main() {}
