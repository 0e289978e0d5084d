use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(title = "Greet", read_only, title = "Hello")]
fn greet() -> String {
    String::new()
}

fn main() {}
