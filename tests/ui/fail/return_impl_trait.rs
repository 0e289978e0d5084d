use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool]
fn greet() -> impl ToString {
    "hello"
}

fn main() {}
