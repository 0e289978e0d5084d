use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(title("Greet"))]
fn greet() -> String {
    String::new()
}

fn main() {}
