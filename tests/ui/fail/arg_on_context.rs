use fastmcp_rs::{Context, mcp};

/// Counts.
#[mcp::tool]
fn count(#[arg(rename = "ctx")] context: &Context) -> usize {
    let _ = context;
    0
}

fn main() {}
