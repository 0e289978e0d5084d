use fastmcp_rs::{Completing, mcp};

fn ids(_: Completing) -> Vec<String> {
    Vec::new()
}

/// Finds an order.
#[mcp::tool]
fn find(#[arg(complete = ids)] id: &str) -> String {
    id.to_owned()
}

fn main() {}
