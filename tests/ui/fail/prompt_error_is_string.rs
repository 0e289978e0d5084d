use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt]
fn review(id: &str) -> Result<String, String> {
    Err(format!("order {id} not found"))
}

fn main() {}
