use fastmcp_rs::mcp;

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Result<String, String> {
    Err(format!("order {id} not found"))
}

fn main() {}
