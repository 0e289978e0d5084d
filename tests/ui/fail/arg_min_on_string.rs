use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(min = 3)] query: Option<&str>) -> usize {
    query.map_or(0, str::len)
}

fn main() {}
