use fastmcp_rs::mcp;

#[mcp::model]
fn order() {}

fn main() {}
