use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(read_only)]
#[mcp::tool(title = "Greet")]
fn greet() -> String {
    String::new()
}

fn main() {}
