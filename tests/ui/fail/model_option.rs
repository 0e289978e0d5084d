use fastmcp_rs::mcp;

#[mcp::model(rename_all = "camelCase")]
struct Order {
    order_id: String,
}

fn main() {}
