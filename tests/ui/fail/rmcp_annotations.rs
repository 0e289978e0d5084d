use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool(annotations(title = "Add", read_only_hint = true, open_world_hint = false))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
