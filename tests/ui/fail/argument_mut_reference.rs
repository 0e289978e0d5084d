use fastmcp_rs::mcp;

/// Shouts.
#[mcp::tool]
fn shout(text: &mut String) -> String {
    text.to_uppercase()
}

fn main() {}
