use fastmcp_rs::mcp;

/// Deletes.
#[mcp::tool(read_only, destructive)]
fn delete() {}

fn main() {}
