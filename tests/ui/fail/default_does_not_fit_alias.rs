use fastmcp_rs::mcp;

type Limit = u32;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = true)] limit: Limit) -> u32 {
    limit
}

fn main() {}
