use fastmcp_rs::mcp;

#[mcp::model]
struct Page {
    limit: u32,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten, min = 1, rename = "paging")] page: Page) -> u32 {
    page.limit
}

fn main() {}
