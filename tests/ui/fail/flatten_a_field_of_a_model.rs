use fastmcp_rs::mcp;

#[mcp::model]
struct Page {
    limit: u32,
}

#[mcp::model]
struct Search {
    #[arg(flatten)]
    page: Page,
}

fn main() {}
