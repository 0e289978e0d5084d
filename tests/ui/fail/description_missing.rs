#![deny(deprecated)]

use fastmcp_rs::mcp;

#[mcp::tool]
fn greet() -> String {
    String::new()
}

fn main() {}
