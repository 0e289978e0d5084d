use fastmcp_rs::prelude::*;

use std::pin::Pin;

/// Doubles a number.
#[mcp::tool]
fn double(number: i64) -> Pin<Box<dyn Future<Output = i64> + Send>> {
    Box::pin(async move { 2 * number })
}

fn main() {}
