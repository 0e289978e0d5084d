use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(
    #[arg(min = 1)]
    #[arg(max = 5, min = 2)]
    page: u32,
) -> u32 {
    page
}

fn main() {}
