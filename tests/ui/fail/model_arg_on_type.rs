use fastmcp_rs::mcp;

#[mcp::model]
#[arg(min = 1)]
struct Count(u32);

fn main() {}
