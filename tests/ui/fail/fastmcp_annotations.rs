use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool(annotations = {"title": "Add", "readOnlyHint": True, "destructiveHint": False})]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
