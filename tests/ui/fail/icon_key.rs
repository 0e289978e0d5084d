use fastmcp_rs::mcp;

/// Greets.
#[mcp::tool(icons = [{ src = "https://example.com/i.png", mimetype = "image/png", theme = "blue" }])]
fn greet() {}

fn main() {}
