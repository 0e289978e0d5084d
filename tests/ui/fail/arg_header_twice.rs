use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(header = "Region")] from: String, #[arg(header = "region")] to: String) -> String {
    from + &to
}

fn main() {}
