use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(text: &str, #[cfg(unix)] limit: u32) -> String {
    text.repeat(limit as usize)
}

fn main() {}
