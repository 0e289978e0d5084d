use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(title = 1, read_only = "yes", handle = "Greet")]
fn greet() -> String {
    String::new()
}

fn main() {}
