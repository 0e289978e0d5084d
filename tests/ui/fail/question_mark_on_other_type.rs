use fastmcp_rs::prelude::*;

enum Failure {
    NotFound,
}

fn look(id: &str) -> Result<(), Failure> {
    if id.is_empty() { Err(Failure::NotFound) } else { Ok(()) }
}

/// Finds an order.
#[mcp::tool]
fn find(id: String) -> Result<String, ToolError> {
    look(&id)?;
    Ok(id)
}

fn main() {}
