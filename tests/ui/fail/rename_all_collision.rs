use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool(rename_all = "camelCase")]
fn search(page_size: u32, #[arg(rename = "pageSize")] size: u32, word: &str, word_: &str) -> String {
    format!("{page_size} {size} {word} {word_}")
}

fn main() {}
