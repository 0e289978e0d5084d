use fastmcp_rs::prelude::*;

/// Finds orders.
#[mcp::tool]
async fn find_orders(ctx: &mut Context) -> u32 {
    ctx.progress(1, 2, "half");
    1
}

fn main() {}
