use fastmcp_rs::prelude::*;

#[derive(mcp::ToolError)]
enum Failure {
    #[mcp(visible)]
    NotFound,
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Result<String, ToolError> {
    if id.is_empty() { Err(ToolError::new("")) } else { Ok(id) }
}

fn main() {
    let _ = Failure::NotFound;
}
