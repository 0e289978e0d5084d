use fastmcp_rs::mcp;

/// Counts the characters.
#[mcp::tool]
fn count<T: AsRef<str>>(text: T) -> usize {
    text.as_ref().len()
}

fn main() {}
