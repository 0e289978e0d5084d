use fastmcp_rs::prelude::*;

/// Adds two numbers.
#[mcp::tool]
async fn add(a: i64, b: i64, ctx: Context = CurrentContext()) -> i64 {
    a + b
}

fn main() {}
