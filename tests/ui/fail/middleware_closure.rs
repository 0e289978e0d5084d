use fastmcp_rs::prelude::*;

/// Counts the orders.
#[mcp::tool(middleware = |operation, next| async move { next.run(operation).await }, title = "Count")]
fn count() -> u32 {
    3
}

fn main() {}
