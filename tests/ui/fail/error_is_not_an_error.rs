use fastmcp_rs::mcp;

enum Failure {
    NotFound,
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Result<String, Failure> {
    if id.is_empty() { Err(Failure::NotFound) } else { Ok(id) }
}

fn main() {}
