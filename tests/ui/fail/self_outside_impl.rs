use fastmcp_rs::mcp;

/// Counts.
#[mcp::tool]
fn count(&self) -> usize {
    0
}

fn main() {}
