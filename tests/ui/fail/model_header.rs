use fastmcp_rs::mcp;

#[mcp::model]
struct Order {
    #[arg(header = "Region")]
    region: String,
}

fn main() {}
