use fastmcp_rs::mcp;

/// Reviews.
#[mcp::prompt]
fn review(#[arg(complete = ["ORD-101", "ORD-102"])] id: &str, #[arg(complete)] reason: &str) -> String {
    format!("{id} {reason}")
}

fn main() {}
