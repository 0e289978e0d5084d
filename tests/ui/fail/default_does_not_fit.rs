use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = "ten")] limit: u32, #[arg(default = 1.5)] page: Option<u8>) -> u32 {
    limit * u32::from(page.unwrap_or(1))
}

fn main() {}
