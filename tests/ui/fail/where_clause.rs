use fastmcp_rs::mcp;

/// Counts the characters.
#[mcp::tool]
fn count(text: String) -> usize
where
    String: Clone,
{
    text.len()
}

fn main() {}
