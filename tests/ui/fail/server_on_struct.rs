use fastmcp_rs::mcp;

#[mcp::server]
struct Orders;

fn main() {}
