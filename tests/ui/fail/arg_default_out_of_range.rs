use fastmcp_rs::mcp;

/// Searches.
#[mcp::tool]
fn search(#[arg(default = 256)] page: u8, #[arg(default = 0, min = 1)] size: u32) -> u32 {
    size * u32::from(page)
}

fn main() {}
