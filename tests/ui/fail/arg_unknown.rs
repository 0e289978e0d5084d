use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(maxlength = 20)] query: &str, #[arg(ge = 1)] page: u32) -> String {
    query.repeat(page as usize)
}

fn main() {}
