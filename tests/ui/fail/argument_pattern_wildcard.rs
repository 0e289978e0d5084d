use fastmcp_rs::mcp;

/// Ignores what it is given.
#[mcp::tool]
fn ignore(_: String) {}

fn main() {}
