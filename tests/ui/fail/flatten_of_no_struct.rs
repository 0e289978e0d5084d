use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten)] words: Vec<String>, #[arg(flatten)] limit: u32) -> usize {
    words.len() + limit as usize
}

fn main() {}
