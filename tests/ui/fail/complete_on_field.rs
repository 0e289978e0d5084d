use fastmcp_rs::{CompletionRequest, mcp};

fn ids(_: CompletionRequest) -> Vec<String> {
    Vec::new()
}

#[mcp::model]
struct Order {
    #[arg(complete = ids)]
    id: String,
}

fn main() {}
