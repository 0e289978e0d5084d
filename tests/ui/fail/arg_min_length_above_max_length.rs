use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(min_length = 10, max_length = 1)] query: String) -> String {
    query
}

fn main() {}
