use fastmcp_rs::mcp;

const LIMIT: &str = "ten";

/// Searches.
#[mcp::tool]
fn search(#[arg(default = LIMIT)] limit: u32, #[arg(default = vec![1, 2])] pages: Option<Vec<String>>) -> usize {
    limit as usize + pages.map_or(0, |pages| pages.len())
}

fn main() {}
