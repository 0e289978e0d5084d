use fastmcp_rs::mcp;

#[mcp::model(output)]
struct Order {
    #[arg(default = 1)]
    count: u8,
}

fn main() {}
