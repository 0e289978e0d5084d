use fastmcp_rs::mcp;

#[mcp::tool("Greets.")]
fn greet() -> String {
    String::new()
}

fn main() {}
