use fastmcp_rs::prelude::*;

#[mcp::model]
struct Page {
    limit: u32,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten)] page: Args<Page>) -> u32 {
    page.limit
}

fn main() {}
