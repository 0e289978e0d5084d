use fastmcp_rs::prelude::*;

struct Order;

struct Page;

/// Finds orders.
#[mcp::tool(read_onli)]
fn find(order: Order, name: &mut String, #[arg(min = "1")] limit: u32) -> Page {
    let _ = (order, name, limit);
    Page
}

fn main() {}
