use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = Vec::new())] words: Vec<String>) -> usize {
    words.len()
}

fn main() {}
