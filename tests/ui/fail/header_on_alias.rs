use fastmcp_rs::mcp;

type Regions = Vec<String>;

/// Searches.
#[mcp::tool]
fn search(#[arg(header = "Regions")] regions: Regions) -> usize {
    regions.len()
}

fn main() {}
