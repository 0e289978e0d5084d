use fastmcp_rs::prelude::*;

#[mcp::model]
struct Page {
    title: &'static str,
}

/// Shows a page.
#[mcp::tool]
async fn show(#[arg(flatten)] page: Page) -> String {
    page.title.into()
}

fn main() {}
