use fastmcp_rs::{Completing, mcp};

fn ids(_: Completing) -> Vec<String> {
    Vec::new()
}

#[mcp::model]
struct Order {
    #[arg(complete = ids)]
    id: String,
}

fn main() {}
