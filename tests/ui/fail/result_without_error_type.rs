use fastmcp_rs::prelude::*;

/// Counts.
#[mcp::tool]
fn count() -> Result<u32> {
    Ok(1)
}

fn main() {}
