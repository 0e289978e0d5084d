use fastmcp_rs::mcp;

#[mcp::model]
struct Order {
    #[arg(min = 1)]
    region: String,
}

fn main() {}
