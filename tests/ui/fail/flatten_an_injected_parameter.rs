use fastmcp_rs::prelude::*;

struct Page {
    limit: u32,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten)] page: State<Page>) -> u32 {
    page.limit
}

fn main() {}
