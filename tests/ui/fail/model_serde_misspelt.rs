use fastmcp_rs::mcp;

#[mcp::model]
#[serde(rename_al = "camelCase")]
struct Order {
    #[serde(defualt)]
    order_count: u8,
}

/// Counts an order.
#[mcp::tool]
async fn count(order: Order) -> u8 {
    order.order_count
}

fn main() {}
