use fastmcp_rs::mcp;

/// Shouts.
#[mcp::tool]
fn shout(text: &dyn ToString) -> String {
    text.to_string().to_uppercase()
}

fn main() {}
