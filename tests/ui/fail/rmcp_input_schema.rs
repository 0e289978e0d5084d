use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool(input_schema = schema_of_sum())]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
