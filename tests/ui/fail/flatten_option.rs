use fastmcp_rs::mcp;

#[mcp::model]
struct Page {
    limit: u32,
}

/// Searches.
#[mcp::tool]
fn search(#[arg(flatten)] page: Option<Page>) -> u32 {
    page.map_or(0, |page| page.limit)
}

fn main() {}
