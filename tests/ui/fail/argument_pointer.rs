use fastmcp_rs::mcp;

/// Reads.
#[mcp::tool]
fn read(text: *const u8) -> bool {
    text.is_null()
}

fn main() {}
