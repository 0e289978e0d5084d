use fastmcp_rs::prelude::*;

/// The limit of calls.
struct Limit(u32);

/// Counts the orders.
#[mcp::tool(middleware = Limit(3))]
fn count() -> u32 {
    3
}

fn main() {}
