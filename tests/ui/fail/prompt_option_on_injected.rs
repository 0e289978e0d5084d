use fastmcp_rs::{Completing, Context, mcp};

fn ids(_: Completing) -> Vec<String> {
    Vec::new()
}

/// Reviews.
#[mcp::prompt]
async fn review(#[arg(complete = ids)] context: &Context) -> String {
    let _ = context;
    String::new()
}

fn main() {}
