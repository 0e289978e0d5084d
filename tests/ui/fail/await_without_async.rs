use fastmcp_rs::prelude::*;

async fn load() -> u32 {
    1
}

/// Loads.
#[mcp::tool]
fn count() -> u32 {
    load().await
}

fn main() {}
