use fastmcp_rs::{CompletionRequest, Context, mcp};

fn ids(_: CompletionRequest) -> Vec<String> {
    Vec::new()
}

/// Reviews.
#[mcp::prompt]
async fn review(#[arg(complete = ids)] context: &Context) -> String {
    let _ = context;
    String::new()
}

fn main() {}
