use fastmcp_rs::prelude::*;

#[mcp::model]
struct Order {
    id: String,
}

/// Finds an order.
#[mcp::tool(result_content = "json")]
fn find(id: String) -> Order {
    Order { id }
}

/// Finds an order.
#[mcp::tool(result_content = "text", output_schema = Order)]
fn find_composed(id: String) -> ToolResult {
    ToolResult::text(id)
}

/// Names an order.
#[mcp::tool(structured, result_content = "text")]
fn name(id: String) -> String {
    id
}

/// An order.
#[mcp::resource("orders://1", result_content = "text")]
fn order() -> String {
    String::new()
}

fn main() {}
