use fastmcp_rs::mcp;

/// Finds an order.
#[mcp::tool]
async fn find(id: String) -> Result<String, &'static str> {
    if id.is_empty() { Err("no id") } else { Ok(id) }
}

fn main() {}
