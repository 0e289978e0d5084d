use fastmcp_rs::prelude::*;

use std::rc::Rc;

async fn pause() {}

/// Counts the orders.
#[mcp::tool]
async fn count(region: String) -> usize {
    let region = Rc::new(region);
    pause().await;
    region.len()
}

fn main() {}
