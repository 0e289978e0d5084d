use std::rc::Rc;

use fastmcp_rs::mcp;

/// Waits.
#[mcp::tool]
async fn wait(text: String) -> usize {
    let shared = Rc::new(text);
    std::future::ready(()).await;
    shared.len()
}

fn main() {}
