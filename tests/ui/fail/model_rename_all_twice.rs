use fastmcp_rs::mcp;

#[mcp::model(rename_all = "camelCase")]
#[serde(rename_all = "kebab-case")]
struct Order {
    order_id: String,
}

fn main() {}
