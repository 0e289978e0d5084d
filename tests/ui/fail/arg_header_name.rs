use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(header = "My Region")] region: String) -> String {
    region
}

fn main() {}
