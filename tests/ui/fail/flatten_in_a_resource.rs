use fastmcp_rs::mcp;

#[mcp::model]
struct Page {
    limit: u32,
}

/// Returns orders.
#[mcp::resource("orders://{page}")]
fn orders(#[arg(flatten)] page: Page) -> String {
    page.limit.to_string()
}

fn main() {}
