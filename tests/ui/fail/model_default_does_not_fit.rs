use fastmcp_rs::mcp;

#[mcp::model]
struct Order {
    #[arg(default = "one")]
    count: u32,
}

fn main() {}
