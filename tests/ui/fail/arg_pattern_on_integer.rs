use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(pattern = "^[0-9]$")] page: u32) -> u32 {
    page
}

fn main() {}
