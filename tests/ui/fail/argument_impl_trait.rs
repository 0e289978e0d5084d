use fastmcp_rs::mcp;

/// Shouts.
#[mcp::tool]
fn shout(text: impl ToString) -> String {
    text.to_string().to_uppercase()
}

fn main() {}
