use fastmcp_rs::prelude::*;

#[mcp::model]
struct Sum {
    a: i64,
    b: i64,
}

/// Adds two numbers.
#[mcp::tool]
fn add(Parameters(Sum { a, b }): Parameters<Sum>) -> i64 {
    a + b
}

fn main() {}
