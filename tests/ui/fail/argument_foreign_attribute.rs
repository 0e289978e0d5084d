use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[serde(rename = "q")] query: &str) -> String {
    query.to_owned()
}

fn main() {}
