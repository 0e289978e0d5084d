use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(header = "Limit")] limit: f64) -> f64 {
    limit
}

fn main() {}
