use fastmcp_rs::prelude::*;

const LIMIT: u64 = 20;

/// Finds orders.
#[mcp::tool(readonly)]
fn find_orders(
    #[arg(default = "20")] limit: u32,
    #[arg(default = 7)] customer: String,
    #[arg(default = LIMIT)] page: u32,
    #[arg(min = 1, max = 0)] size: u32,
) -> String {
    format!("{limit} {customer} {page} {size}")
}

fn main() {}
