use fastmcp_rs::mcp;

#[mcp::model(tag = "kind")]
struct Order {
    order_id: String,
}

fn main() {}
