use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt]
fn review(#[arg(header = "Order")] id: &str) -> String {
    id.to_owned()
}

fn main() {}
