use fastmcp_rs::prelude::*;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = Vec::new())] words: State<Vec<String>>) -> usize {
    words.len()
}

fn main() {}
