use fastmcp_rs::mcp;

/// Deletes.
#[mcp::tool(name = "delete order", destructive, read_only, timeout = 30)]
pub fn delete<T>(#[arg(min = 1)] id: &str, (from, to): (u32, u32), reason: &mut String) -> usize {
    id.len() + reason.len() + (to - from) as usize
}

fn main() {
    // The function is still there, so this is not a mistake too.
    delete::<u8>("ORD-101", (1, 2), &mut String::new());
}
