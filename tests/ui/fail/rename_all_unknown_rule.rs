use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool(rename_all = "camel_case")]
fn search(page_size: u32) -> u32 {
    page_size
}

struct Shop;

#[mcp::server(rename_all = "dotted", rename_tools = "Kebab-Case")]
impl Shop {
    /// Searches.
    #[tool]
    fn search(page_size: u32) -> u32 {
        page_size
    }
}

fn main() {}
