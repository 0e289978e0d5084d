use fastmcp_rs::prelude::*;

struct Page {
    limit: u32,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten)] page: Page) -> u32 {
    page.limit
}

/// Finds.
#[mcp::tool]
fn find(page: Args<Page>) -> u32 {
    page.limit
}

fn main() {}
