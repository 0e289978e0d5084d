use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(max_length = 3)] page: u32) -> u32 {
    page
}

fn main() {}
