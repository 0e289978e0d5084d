use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(min = 10, max = 1)] page: u32) -> u32 {
    page
}

fn main() {}
