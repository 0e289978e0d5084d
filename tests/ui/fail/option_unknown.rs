use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(readonly)]
fn greet() -> String {
    String::new()
}

fn main() {}
