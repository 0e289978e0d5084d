use fastmcp_rs::{CompletionRequest, mcp};

fn ids(_: CompletionRequest) -> Vec<String> {
    Vec::new()
}

/// Finds an order.
#[mcp::tool]
fn find(#[arg(complete = ids)] id: &str) -> String {
    id.to_owned()
}

fn main() {}
