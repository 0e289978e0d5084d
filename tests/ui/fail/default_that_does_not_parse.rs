use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = 10 +)] limit: u32) -> u32 {
    limit
}

fn main() {}
