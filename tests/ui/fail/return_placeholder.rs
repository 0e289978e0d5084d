use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool]
fn greet() -> Option<_> {
    Some(String::new())
}

fn main() {}
