use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(pattern = PATTERN)] query: String) -> String {
    query
}

fn main() {}
